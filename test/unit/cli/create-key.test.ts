/** Keys made at the database. */
import { createKey, issueKey, type KeyOrder } from '../../../src/cli/create-key';
import { prefixOf } from '../../../src/http/access/api-keys';
import type { Registry } from '../../../src/registry/contract';
import { openRegistry } from '../../../src/registry/open';
import { testDatabase, type TestDatabase } from '../../support/database';
import { tenantGuard } from '../../support/tenant-guard';

let database: TestDatabase;
let registry: Registry;

beforeAll(async () => {
  database = await testDatabase();
  registry = await openRegistry({ url: database.url, plugins: [tenantGuard()] });
});
afterAll(async () => {
  await registry?.close();
  await database?.stop();
});

const email = 'ops@acme.test';

async function grantsAfter(order: KeyOrder): Promise<(string | null)[][]> {
  await issueKey(registry, order);
  const { id } = await registry.principals.ensure(order.tenant, order.email);
  const grants = await registry.roleGrants.ofPrincipal(order.tenant, id);
  return grants.map(({ tenant, role }) => [tenant, role]);
}

it('the first key of a tenant is an operator’s, and a second one adds no right', async () => {
  expect(await grantsAfter({ tenant: 'acme', email })).toEqual([['acme', 'operator']]);
  expect(await grantsAfter({ tenant: 'acme', email })).toEqual([['acme', 'operator']]);
});

it('a principal with a role keeps it, and gets no other that is not named', async () => {
  const who = { tenant: 'acme', email: 'help@acme.test' };
  expect(await grantsAfter({ ...who, roles: ['support'] })).toEqual([['acme', 'support']]);
  expect(await grantsAfter(who)).toEqual([['acme', 'support']]);
  expect((await grantsAfter({ ...who, roles: ['support', 'finance'] })).sort()).toEqual([
    ['acme', 'finance'],
    ['acme', 'support'],
  ]);
});

it('an installation operator is made here, and it is told', async () => {
  const order = { tenant: 'platform', email: 'root@platform.test', everywhere: true };
  expect(await grantsAfter(order)).toEqual([[null, 'operator']]);
  const events = await registry.events.list('platform', undefined, { size: 10 });
  expect(events.map(({ type, by, facts }) => [type, by, facts?.['everywhere']])).toEqual([
    ['role_grant.created', 'system', true],
    ['api_key.created', 'system', undefined],
  ]);
});

it('a key has the scopes and the expiry that are asked for', async () => {
  const expiresAt = '2030-01-01T00:00:00.000Z';
  const key = await createKey(database.url, { tenant: 'acme', email, scopes: ['tenants.get'], expiresAt });
  expect(await registry.apiKeys.find(prefixOf(key) ?? '')).toMatchObject({ scopes: ['tenants.get'], expiresAt });
});

it('a scope that names no permission is refused before anything is made', async () => {
  const order = { tenant: 'nowhere', email, scopes: ['tenants.get', 'tenants.gte'] };
  await expect(issueKey(registry, order)).rejects.toMatchObject({ code: 'MEMBER_INVALID' });
  expect(await registry.tenants.get('nowhere')).toBeUndefined();
});
