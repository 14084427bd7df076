/** The examples of the contract: whole, taken by their own schemas, and each accepted as it stands. */
import { z } from 'zod';
import { buildApp } from '../../src/http/app';
import { examplesOf } from '../../src/http/examples';
import { bareDeps } from './bare-app';
import { call, startTestApp, type TestApp } from './support';
import { examplesIn, NAMED, operationsWithBody, seedWhatExamplesName, type Operation } from './support-examples';

const TENANT = 'kitchen';
const [CONNECTION] = NAMED.connections;

/** Every operation that takes a body, and the id of its path where it needs one; a later one may need an earlier one. */
const IN_ORDER: readonly (readonly [operationId: string, id?: (made: Made) => string])[] = [
  ['createTenant'],
  ['updateTenant'],
  ['createPrincipal'],
  ['createPrincipalApiKey', () => NAMED.principal],
  ['updatePrincipal', () => NAMED.principal],
  ['createRoleGrant'],
  ['createComponent'],
  ['createComponentVersion', () => NAMED.component],
  ['updateComponentEnvVar', () => NAMED.component],
  ['createOauthClient'],
  ['updateOauthClient', (made) => made('createOauthClient')],
  ['createProvider'],
  ['updateProvider', (made) => made('createProvider')],
  ['createIntegration'],
  ['updateIntegration', () => NAMED.integration],
  ['createImport'],
  ['createFlow'],
  ['updateFlow', (made) => made('createFlow')],
  ['updateComponent', () => NAMED.component],
  ['updateConnection', () => CONNECTION],
  ['createConnectionConsentLink', () => CONNECTION],
  ['createConnectionConfirmation', () => CONNECTION],
  ['createConnectionRequest', () => CONNECTION],
  ['createConnectionRefresh', () => CONNECTION],
  ['createConnectionTest', () => CONNECTION],
  ['createConnectionRevocation', () => CONNECTION],
];
type Made = (operationId: string) => string;

let t: TestApp;
let operations: ReadonlyMap<string, Operation>;

beforeAll(async () => {
  t = await startTestApp({ returnOrigins: ['https://app.acme.example'] });
  operations = await operationsWithBody(t);
  await t.bearer(TENANT);
  await seedWhatExamplesName(t, TENANT);
  t.consents.reading = {
    v: 1,
    ref: `${TENANT}/${CONNECTION}`,
    stage: 'connected',
    app: 'Pizza Van',
    scope: 'orders.read',
    lang: 'en',
  };
});
afterAll(() => t.stop());

it('are there for every body, under both media types, in words', () => {
  for (const { operationId, requestBody } of operations.values()) {
    const [plain, jsonApi, ...others] = Object.values(requestBody?.content ?? {}).map(({ examples }) => examples);
    expect([operationId, jsonApi, others]).toEqual([operationId, plain, []]);
    const summaries = Object.values(plain ?? {}).map(({ summary }) => summary);
    expect([operationId, summaries[0]]).toEqual([operationId, expect.any(String)]);
    for (const summary of summaries) expect(summary).toMatch(/^[A-Z].*[^.]$/);
  }
});

it('are taken by the schema of their own route', async () => {
  const refused: string[] = [];
  let read = 0;
  const app = buildApp(bareDeps());
  app.addHook('onRoute', ({ method, url, schema }) => {
    for (const [name, { value }] of Object.entries(examplesOf(schema?.body) ?? {})) {
      const result = (schema?.body as z.ZodType).safeParse(value);
      read += 1;
      if (!result.success) refused.push(`${String(method)} ${url} ${name}: ${z.prettifyError(result.error)}`);
    }
  });
  await app.ready();
  await app.close();
  expect(refused).toEqual([]);
  expect(read).toBe([...operations.values()].flatMap((one) => Object.keys(examplesIn(one))).length);
});

it('are accepted, each as it stands', async () => {
  expect(IN_ORDER.map(([operationId]) => operationId).sort()).toEqual([...operations.keys()].sort());
  const auth = await t.bearerOf({ tenant: TENANT, roles: ['operator'], everywhere: true });
  const ids = new Map<string, string>();
  const refused: unknown[] = [];
  for (const [operationId, idOf] of IN_ORDER) {
    const operation = operations.get(operationId)!;
    const id = idOf?.((earlier) => ids.get(earlier) ?? '') ?? '';
    const url = operation.path.replace('{tenant}', TENANT).replace('{id}', id);
    for (const [name, { value }] of Object.entries(examplesIn(operation))) {
      const method = operation.method === 'post' ? 'POST' : 'PATCH';
      const answer = await call(t, method, url, { auth, body: value });
      const { data, errors } = answer.json<{ data?: { id?: string }; errors?: unknown }>();
      if (data?.id !== undefined) ids.set(operationId, data.id);
      if (answer.statusCode >= 300) refused.push([operationId, name, answer.statusCode, errors]);
    }
  }
  expect(refused).toEqual([]);
});
