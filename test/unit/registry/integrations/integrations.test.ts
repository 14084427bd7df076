/** Integrations: a page is read by few statements, and a change takes settings and secret together. */
import type { KyselyPlugin } from 'kysely';
import type { Registry } from '../../../../src/registry/contract';
import { openRegistry } from '../../../../src/registry/open';
import { testDatabase, type TestDatabase } from '../../../support/database';
import { tenantGuard } from '../../../support/tenant-guard';
import {
  clientFor,
  component,
  connected,
  event,
  newTenant,
  registration,
  runOn,
  settings,
  type Run,
} from '../builders';

let database: TestDatabase;
let registry: Registry;
let run: Run;
let tenant: string;
let statements = 0;
const counter: KyselyPlugin = {
  transformQuery: ({ node }) => {
    statements++;
    return node;
  },
  transformResult: async ({ result }) => result,
};

beforeAll(async () => {
  database = await testDatabase();
  registry = await openRegistry({ url: database.url, plugins: [tenantGuard(), counter] });
  run = runOn(database.url);
});
afterAll(async () => {
  await registry?.close();
  await database?.stop();
});
beforeEach(async () => {
  tenant = await newTenant(registry);
});

it('a page takes two statements, however many components its integrations go through', async () => {
  const asked = async (): Promise<number> => {
    const before = statements;
    await registry.integrations.list(tenant, { size: 50 });
    return statements - before;
  };
  await connected(registry, tenant);
  expect(await asked()).toBe(1);
  for (let i = 0; i < 3; i++) {
    const of = await component(registry, tenant);
    const id = await clientFor(run, tenant, of);
    const client = { id, label: 'Pizza Van', secretId: 'sec_1' };
    await registry.integrations.register(registration(tenant, { component: of, client }));
    await connected(registry, tenant);
  }
  expect(await asked()).toBe(2);
  const rows = await registry.integrations.list(tenant, { size: 50 });
  expect(rows).toHaveLength(7);
  for (const row of rows) {
    expect(row).toEqual(await registry.integrations.get(tenant, row.id));
    expect(row.settings.endpoints.token).toBe(`https://${row.component ? 'pizza' : 'as'}.example/token`);
  }
});

it('a change with a secret is made once; the secret of the save is retired and found by who destroys it', async () => {
  const { saved } = await connected(registry, tenant);
  const { integration: id, client, settings: from } = saved;
  await registry.oauthClients.pause(tenant, client.id, '2030-01-01T00:00:00.000Z', 'CLIENT_REJECTED');
  const to = settings({ label: 'Renamed' });
  const change = { from, to, secret: { id: 'sec_2', fingerprint: 'ab12cd34' }, event: event('integration.changed') };
  for (let i = 0; i < 2; i++) expect(await registry.integrations.change(tenant, id, change)).toEqual({ outdated: 0 });
  expect(await registry.oauthClients.get(tenant, client.id)).toMatchObject({ secretId: 'sec_2', pausedUntil: null });
  expect(await registry.oauthClients.secretIds(tenant, client.id)).toHaveLength(2);
  const events = await registry.events.list(tenant, undefined, { size: 10 });
  expect(events.filter(({ type }) => type === 'integration.changed')).toHaveLength(1);
  const later = new Date(Date.now() + 60_000).toISOString();
  expect(await registry.oauthClients.retiredSecrets(later, 10, [tenant])).toEqual([
    { tenant, client: client.id, id: 'sec_1' },
  ]);
});

it('a change that was judged on another secret changes nothing: of two rotations one is made', async () => {
  const { saved } = await connected(registry, tenant);
  const { integration: id, client, settings: from } = saved;
  const before = await registry.integrations.get(tenant, id);
  expect(before).toMatchObject({ secretId: 'sec_1', secretSetAt: before?.createdAt });
  const base = { secretId: 'sec_1' };
  const rotation = (secret: string) => ({
    from,
    base,
    to: from,
    secret: { id: secret, fingerprint: 'ab12cd34' },
    event: event('integration.changed'),
  });
  const change = (secret: string) => registry.integrations.change(tenant, id, rotation(secret));
  const made = await Promise.all([change('sec_2'), change('sec_3')]);
  expect(made.filter((one) => one !== undefined)).toEqual([{ outdated: 0 }]);
  const winner = made[0] ? 'sec_2' : 'sec_3';
  const after = await registry.integrations.get(tenant, id);
  expect(after).toMatchObject({ secretId: winner, settings: before?.settings });
  expect(after?.secretSetAt).not.toBe(before?.secretSetAt);
  // The answer may have been lost: whoever made it hears so again.
  expect(await change(winner)).toEqual({ outdated: 0 });
  const label = { from, base, to: settings({ label: 'Late' }), event: event('integration.changed') };
  expect(await registry.integrations.change(tenant, id, label)).toBeUndefined();
  expect(await registry.oauthClients.get(tenant, client.id)).toMatchObject({ secretId: winner });
});

it('a change that was made stays made when its integration is being deleted before its answer arrives', async () => {
  const { saved } = await connected(registry, tenant);
  const { integration: id, settings: from } = saved;
  const rotation = (secret: string) => ({
    from,
    base: { secretId: 'sec_1' },
    to: from,
    secret: { id: secret, fingerprint: 'ab12cd34' },
    event: event('integration.changed'),
  });
  const change = (secret: string) => registry.integrations.change(tenant, id, rotation(secret));
  expect(await change('sec_2')).toEqual({ outdated: 0 });
  await registry.integrations.markDeleting(tenant, id, event('integration.deleting'));
  // NOT_FOUND would have its secret destroyed, which the revocations need.
  expect(await change('sec_2')).toEqual({ outdated: 0 });
  await expect(change('sec_3')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('a secret is named before a change stores it, under its integration; none is named for a client that goes', async () => {
  const { saved } = await connected(registry, tenant);
  const { integration: id, client, settings: from } = saved;
  const later = new Date(Date.now() + 60_000).toISOString();
  const unpublished = () => registry.oauthClients.unpublishedSecrets(later, 10, [tenant]);
  for (let i = 0; i < 2; i++) await registry.oauthClients.nameSecret(tenant, client.id, 'sec_2');
  expect(await unpublished()).toEqual([{ tenant, client: client.id, id: 'sec_2', integration: id }]);
  const secret = { id: 'sec_2', fingerprint: 'ab12cd34' };
  await registry.integrations.change(tenant, id, { from, to: from, secret, event: event('integration.changed') });
  expect(await unpublished()).toEqual([]);
  await registry.integrations.markDeleting(tenant, id, event('integration.deleting'));
  for (const gone of [client.id, 'oc_nobody']) {
    const refused = registry.oauthClients.nameSecret(tenant, gone, 'sec_3');
    await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
});

it('a change of settings that are not there any more changes nothing, its secret neither', async () => {
  const { saved } = await connected(registry, tenant);
  const { integration: id, client, settings: from } = saved;
  const change = {
    from: { ...from, label: 'Stale' },
    to: { ...from, client_id: 'app-2' },
    secret: { id: 'sec_2', fingerprint: 'ab12cd34' },
    event: event('integration.changed'),
  };
  expect(await registry.integrations.change(tenant, id, change)).toBeUndefined();
  expect(await registry.oauthClients.get(tenant, client.id)).toMatchObject({ clientId: 'app', secretId: 'sec_1' });
  expect(await registry.oauthClients.secretIds(tenant, client.id)).toEqual([]);
});

it.each([
  ['client id', { client_id: 'app-2' }, 1],
  ['token origin', { endpoints: { token: 'https://new.example/token' } }, 1],
  ['token path', { endpoints: { token: 'https://as.example/v2/token' } }, 0],
  ['nothing of what was granted', { label: 'Renamed' }, 0],
])('a change of its %s outdates what people granted, and nothing else', async (_what, changes, outdated) => {
  const from = settings({ grant_type: 'authorization_code' });
  const { saved, ref } = await connected(registry, tenant, { settings: from });
  const to = { ...from, ...changes };
  const made = await registry.integrations.change(tenant, saved.integration, { from, to, event: event('x.changed') });
  expect(made).toEqual({ outdated });
  expect((await registry.connections.get(ref))?.accountId).toBe(outdated ? null : 'acct-1');
  const effects = (await registry.outbox.take(100, 60_000, [tenant])).map(({ facts }) => facts);
  expect(effects).toEqual([outdated ? { refresh: true } : {}]);
});
