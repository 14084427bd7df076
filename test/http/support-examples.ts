/** What the examples of the contract name as being there: components, connections, and a principal of another tenant. */
import { readFile } from '../../src/http/components/component-file';
import type { Examples } from '../../src/http/examples/example';
import { settings } from '../support/settings';
import { seedConnection, type TestApp } from './support';

interface Described {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly examples?: Examples }>> };
}
export interface Operation extends Described {
  readonly method: string;
  readonly path: string;
}

const AT = { issuer: 'https://auth.pizzavan.example', apiUrl: 'https://api.pizzavan.example' };
export const NAMED = {
  component: 'cp_pizzavan',
  kitchen: 'cp_kitchen',
  integration: 'pizzavan',
  connections: ['cn_pizzavan', 'cn_pizzavan_madrid'],
  agency: 'agency',
  principal: 'pr_ann',
} as const;

/** The operations of the contract that take a body, by name. */
export async function operationsWithBody({ app }: Pick<TestApp, 'app'>): Promise<ReadonlyMap<string, Operation>> {
  const { paths } = (await app.inject('/openapi.json')).json<{ paths: Record<string, Record<string, Described>> }>();
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Operation => ({ ...operation, method, path })),
  );
  return new Map(all.filter(({ requestBody }) => requestBody).map((one) => [one.operationId, one]));
}

/** Those of the plain media type; a test demands that the other one has the same. */
export const examplesIn = ({ requestBody }: Operation): Examples =>
  requestBody?.content['application/json']?.examples ?? {};

/** @param tenant is there already */
export async function seedWhatExamplesName(t: TestApp, tenant: string): Promise<void> {
  const { registry } = t;
  const event = { type: 'test', by: 'ops@test', traceId: 'test' };
  const upload = (await operationsWithBody(t)).get('createComponent');
  const example = upload && (Object.values(examplesIn(upload))[0]?.value as Upload | undefined);
  if (example === undefined) throw new Error('The contract has no example of a component');
  const files = { [NAMED.component]: example.data.attributes.file, [NAMED.kitchen]: { title: 'Kitchen' } };
  for (const [id, given] of Object.entries(files)) {
    const { file, manifest } = readFile(given);
    await registry.components.create({ tenant, id, access: 'tenant', title: id, file, manifest, event });
  }
  const code = settings(AT, { grant_type: 'authorization_code', scope: 'orders.read' });
  for (const [n, connection] of NAMED.connections.entries()) {
    const integration = n === 0 ? NAMED.integration : `${NAMED.integration}_${n}`;
    await seedConnection(registry, { tenant, integration, settings: code }, connection);
  }
  await registry.tenants.create(NAMED.agency, 'Agency Ltd');
  const ann = { tenant: NAMED.agency, id: NAMED.principal, email: 'ann@agency.example', kind: 'user' } as const;
  await registry.principals.create(ann, event);
}

interface Upload {
  readonly data: { readonly attributes: { readonly file: Record<string, unknown> } };
}
