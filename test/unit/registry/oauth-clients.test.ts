/** OAuth clients of components as rows: who may have a place, and what is left when the order of things is odd. */
import type { Registry } from '../../../src/registry/contract';
import { openRegistry } from '../../../src/registry/open';
import { testDatabase, type TestDatabase } from '../../support/database';
import { tenantGuard } from '../../support/tenant-guard';
import { component, event, fresh, manifest, newTenant } from './builders';

let database: TestDatabase;
let registry: Registry;
let tenant: string;

beforeAll(async () => {
  database = await testDatabase();
  registry = await openRegistry({ url: database.url, plugins: [tenantGuard()] });
});
afterAll(async () => {
  await registry?.close();
  await database?.stop();
});
beforeEach(async () => {
  tenant = await newTenant(registry);
});

const legacy = manifest({ useOAuthClient: false, legacyOAuth: true });

const reservation = (of: string, changes: { id?: string; legacy?: boolean } = {}) => ({
  tenant,
  id: fresh('oc'),
  component: of,
  clientId: 'app',
  legacy: false,
  ...changes,
});
const publication = (id: string, of: string, secret = fresh('sec')) => ({
  tenant,
  id,
  component: of,
  clientId: 'app',
  secret: { id: secret, fingerprint: 'ab12cd34' },
  event: event('oauth_client.changed'),
});

it('002-38 credentials of env vars are refused a place at a global component, and have one at any other', async () => {
  const [global, own] = [
    await component(registry, tenant, { access: 'global', manifest: legacy }),
    await component(registry, tenant, { manifest: legacy }),
  ];
  const refused = reservation(global, { legacy: true });
  await expect(registry.oauthClients.reserve(refused)).rejects.toMatchObject({
    code: 'IN_USE',
    message: expect.stringContaining('useOAuthClient'),
  });
  expect(await registry.oauthClients.get(tenant, refused.id)).toBeUndefined();
  await registry.oauthClients.reserve(reservation(own, { legacy: true }));
  await expect(registry.components.setAccess(tenant, own, 'global', null, event('x'))).rejects.toMatchObject({
    code: 'IN_USE',
  });
});

it('a publication that is repeated changes nothing, also once its client is being deleted', async () => {
  const of = await component(registry, tenant);
  const { id, ...place } = reservation(of);
  await registry.oauthClients.reserve({ id, ...place });
  const published = publication(id, of);
  await registry.oauthClients.publish(published);
  await registry.oauthClients.publish(published);
  await registry.oauthClients.markDeleting(tenant, id, event('oauth_client.deleting'));
  // Refused, it would be undone: its secret, which the revocations need, destroyed.
  await registry.oauthClients.publish(published);
  expect(await registry.oauthClients.secretIds(tenant, id)).toEqual([published.secret.id]);
  expect(await registry.oauthClients.getForComponent(tenant, id)).toBeUndefined();
  await expect(registry.oauthClients.publish(publication(id, of))).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('a client whose component is gone can be changed, and not moved to one that is gone', async () => {
  const [of, gone] = [await component(registry, tenant), await component(registry, tenant)];
  const { id, ...place } = reservation(of);
  await registry.oauthClients.reserve({ id, ...place });
  for (const one of [of, gone]) await registry.components.remove(tenant, one, event('component.removed'));
  await registry.oauthClients.publish(publication(id, of));
  expect(await registry.oauthClients.getForComponent(tenant, id)).toMatchObject({ component: of, componentGone: true });
  await expect(registry.oauthClients.publish(publication(id, gone))).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
