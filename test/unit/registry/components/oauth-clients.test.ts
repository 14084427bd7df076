/** OAuth clients of components as rows: who may have a place, and what is left when the order of things is odd. */
import type { OAuthClientBase } from '../../../../src/connection/messages';
import type { Registry } from '../../../../src/registry/contract';
import { openRegistry } from '../../../../src/registry/open';
import { testDatabase, type TestDatabase } from '../../../support/database';
import { tenantGuard } from '../../../support/tenant-guard';
import { component, event, fresh, manifest, newTenant, oauth2 } from '../builders';

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
  secret: fresh('sec'),
  legacy: false,
  ...changes,
});
const publication = (id: string, of: string, secret = fresh('sec'), base?: OAuthClientBase) => ({
  tenant,
  id,
  component: of,
  clientId: 'app',
  secret: { id: secret, fingerprint: 'ab12cd34' },
  base,
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
  const published = publication(id, of, place.secret);
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

const base = async (id: string): Promise<OAuthClientBase> => {
  const row = await registry.oauthClients.getForComponent(tenant, id);
  return { secretId: row?.secretId ?? null, suspendedAt: row?.suspendedAt ?? null };
};

it('a change that was judged on another state of the client is refused, before its secret is named and after', async () => {
  const of = await component(registry, tenant);
  const { id, secret, ...place } = reservation(of);
  await registry.oauthClients.reserve({ id, secret, ...place });
  await registry.oauthClients.publish(publication(id, of, secret));
  const seen = await base(id);
  const [first, second] = [fresh('sec'), fresh('sec')];
  await registry.oauthClients.prepareChange({ tenant, id, secret: first, base: seen });
  await registry.oauthClients.publish(publication(id, of, first, seen));
  const refused = { code: 'PRECONDITION_FAILED' };
  const late = { tenant, id, secret: second, base: seen };
  await expect(registry.oauthClients.prepareChange(late)).rejects.toMatchObject(refused);
  expect(await registry.oauthClients.secretIds(tenant, id)).toEqual([secret, first]);

  const moved = manifest({ oauth2: oauth2('https://moved.example') });
  const before = await base(id);
  await registry.oauthClients.prepareChange({ tenant, id, secret: second, base: before });
  const version = { tenant, id: of, title: 'Moved', file: '{}', manifest: moved };
  await registry.components.addVersion({ ...version, event: event('component.version_added') });
  await expect(registry.oauthClients.publish(publication(id, of, second, before))).rejects.toMatchObject(refused);
  expect((await registry.oauthClients.getForComponent(tenant, id))?.secretId).toBe(first);
  await registry.oauthClients.publish(publication(id, of, second, await base(id)));
});

it('a secret is named before it is stored; one that was never published is found, and forgotten with its place', async () => {
  const [of, other] = [await component(registry, tenant), await component(registry, tenant)];
  const [taken, left] = [reservation(of), reservation(other)];
  const unpublished = async (before = new Date(Date.now() + 60_000)): Promise<string[]> => {
    const rows = await registry.oauthClients.unpublishedSecrets(before.toISOString(), 100, [tenant]);
    return rows.map(({ client, id }) => `${client}/${id}`).sort();
  };
  for (const one of [taken, left]) await registry.oauthClients.reserve(one);
  expect(await unpublished()).toEqual([taken, left].map(({ id, secret }) => `${id}/${secret}`).sort());
  expect(await unpublished(new Date(Date.now() - 60_000))).toEqual([]);
  expect(await registry.oauthClients.unpublishedSecrets('2099-01-01T00:00:00Z', 100, ['another'])).toEqual([]);

  await registry.oauthClients.publish(publication(taken.id, of, taken.secret));
  const change = fresh('sec');
  await registry.oauthClients.prepareChange({ tenant, id: taken.id, secret: change });
  expect(await unpublished()).toEqual([`${taken.id}/${change}`, `${left.id}/${left.secret}`].sort());
  for (const [id, secret] of [
    [left.id, left.secret],
    [taken.id, change],
    [taken.id, taken.secret],
  ] as const) {
    await registry.oauthClients.abandon(tenant, id, secret);
    await registry.oauthClients.abandon(tenant, id, secret);
  }
  expect(await unpublished()).toEqual([]);
  expect(await registry.oauthClients.get(tenant, left.id)).toBeUndefined();
  await registry.oauthClients.reserve(reservation(other));
  expect((await registry.oauthClients.getForComponent(tenant, taken.id))?.secretId).toBe(taken.secret);
  expect(await registry.oauthClients.secretIds(tenant, taken.id)).toEqual([taken.secret]);
});

it('what a change left behind that nobody finished is retired by the next one', async () => {
  const of = await component(registry, tenant);
  const { id, secret, ...place } = reservation(of);
  await registry.oauthClients.reserve({ id, secret, ...place });
  await registry.oauthClients.publish(publication(id, of, secret));
  const [left, next] = [fresh('sec'), fresh('sec')];
  for (const one of [left, next]) await registry.oauthClients.prepareChange({ tenant, id, secret: one });
  await registry.oauthClients.publish(publication(id, of, next));
  const retired = await registry.oauthClients.retiredSecrets(new Date(Date.now() + 60_000).toISOString(), 100, [
    tenant,
  ]);
  expect(retired.map((one) => one.id).sort()).toEqual([secret, left].sort());
  await expect(
    registry.oauthClients.prepareChange({ tenant, id: 'oc_nobody', secret: fresh('sec') }),
  ).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('a deletion that nobody owes any more is found until it is finished, page by page', async () => {
  const begun: string[] = [];
  for (let count = 0; count < 2; count++) {
    const of = await component(registry, tenant);
    const { id, secret, ...place } = reservation(of);
    await registry.oauthClients.reserve({ id, secret, ...place });
    await registry.oauthClients.publish(publication(id, of, secret));
    begun.push(id);
  }
  begun.sort();
  const { oauthClients, outbox } = registry;
  const happen = async (): Promise<void> => {
    for (const effect of await outbox.take(10, 60_000, [tenant])) await outbox.done(effect);
  };
  const unfinished = async (): Promise<string[]> =>
    (await oauthClients.unfinishedDeletions(10, [tenant])).map((one) => one.id);
  await happen();
  expect(await unfinished()).toEqual([]);
  for (const id of begun) await oauthClients.markDeleting(tenant, id, event('oauth_client.deleting'));
  expect(await unfinished()).toEqual([]);
  await happen();
  expect(await unfinished()).toEqual(begun);
  const [first] = await oauthClients.unfinishedDeletions(1, [tenant]);
  expect(await oauthClients.unfinishedDeletions(1, [tenant], first)).toEqual([{ tenant, id: begun[1] }]);
  expect(await oauthClients.unfinishedDeletions(10, ['nobody'])).toEqual([]);
  for (const id of begun) await oauthClients.recordDeleted(tenant, id, event('oauth_client.deleted'));
  expect(await unfinished()).toEqual([]);
});
