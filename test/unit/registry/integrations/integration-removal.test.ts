/** Deleting an integration as rows: who stands in the way, what is hidden, what is kept, and what goes with it. */
import type { ConnectionRef } from '../../../../src/connection/types';
import type { Registry } from '../../../../src/registry/contract';
import { openRegistry } from '../../../../src/registry/open';
import { codes } from '../../../support/at-once';
import { testDatabase, type TestDatabase } from '../../../support/database';
import { tenantGuard } from '../../../support/tenant-guard';
import {
  clientFor,
  component,
  connected,
  event,
  flow,
  fresh,
  newTenant,
  registration,
  runOn,
  settings,
  token,
  type Run,
} from '../builders';

const ROUNDS = 20;

let database: TestDatabase;
let registry: Registry;
let run: Run;
let tenant: string;

beforeAll(async () => {
  database = await testDatabase();
  registry = await openRegistry({ url: database.url, plugins: [tenantGuard()] });
  run = runOn(database.url);
});
afterAll(async () => {
  await registry?.close();
  await database?.stop();
});
beforeEach(async () => {
  tenant = await newTenant(registry);
});

const markDeleting = (id: string) => registry.integrations.markDeleting(tenant, id, event('integration.deleting'));
const recordDeleted = (id: string) => registry.integrations.recordDeleted(tenant, id, event('integration.deleted'));
const disconnect = (id: string, limit = 10) =>
  registry.integrations.disconnect(tenant, id, event('integration.disconnected'), limit);
const typesOf = async (connection?: string): Promise<string[]> =>
  (await registry.events.list(tenant, connection, { size: 100 })).map(({ type }) => type);
const owed = async (): Promise<string[]> =>
  (await registry.outbox.take(100, 60_000, [tenant])).map(({ kind, subject }) => `${kind} ${subject}`);
const revoked = (ref: ConnectionRef, grant: string) =>
  registry.connections.recordRevoked(ref, event('grant.destroyed'), grant);

/** A second connection of the integration: its row is the first one's but for the ids. */
async function another(integration: string): Promise<ConnectionRef> {
  const connection = fresh('cn');
  await run(
    `INSERT INTO connections (tenant, id, integration_id, grant_id, generation, scope, refreshable, state, state_version,
       usable, preset, environment)
     SELECT tenant, $3, integration_id, $4, 1, scope, refreshable, 'active', 0, true, preset, environment
     FROM connections WHERE tenant = $1 AND integration_id = $2 LIMIT 1`,
    [tenant, integration, connection, fresh('gr')],
  );
  return { tenant, connection };
}

it('is hidden at once and keeps its id; its connections are frozen and stay readable; a revocation is owed', async () => {
  const { ref, saved } = await connected(registry, tenant);
  const sibling = await another(saved.integration);
  const elsewhere = await connected(registry, tenant);
  await markDeleting(saved.integration);
  const { integrations, connections } = registry;
  expect(await integrations.get(tenant, saved.integration)).toBeUndefined();
  expect((await integrations.list(tenant, { size: 10 })).map(({ id }) => id)).toEqual([elsewhere.saved.integration]);
  expect(await integrations.isTaken(tenant, saved.integration)).toBe(true);
  expect(await integrations.isTaken(tenant, fresh('in'))).toBe(false);
  const change = { from: saved.settings, to: settings({ label: 'Renamed' }), event: event('integration.changed') };
  await expect(integrations.change(tenant, saved.integration, change)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(markDeleting(saved.integration)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(integrations.register(registration(tenant, { integration: saved.integration }))).rejects.toMatchObject({
    code: 'ALREADY_EXISTS',
  });
  for (const one of [ref, sibling]) {
    expect(await connections.context(one)).toMatchObject({
      unusable: 'integration_gone',
      integration: { id: saved.integration, settings: saved.settings },
      connection: { state: 'disconnected', recovery: 'reconnect', reason: 'INTEGRATION_DELETED', usable: false },
    });
    expect((await connections.get(one))?.frozenAt).not.toBeNull();
    expect(await typesOf(one.connection)).toContain('connection.frozen');
  }
  expect(await connections.get(elsewhere.ref)).toMatchObject({ state: 'active', frozenAt: null });
  expect((await connections.list(tenant, { size: 10 }, { state: 'disconnected' })).map(({ id }) => id).sort()).toEqual(
    [ref.connection, sibling.connection].sort(),
  );
  expect(await typesOf()).toContain('integration.deleting');
  expect(await owed()).toEqual([`integration.remove ${saved.integration}`]);
});

it('counts every version of every flow; without them it can be deleted, and no flow is made of it any more', async () => {
  const { ref, saved } = await connected(registry, tenant);
  const id = await flow(registry, tenant, { connections: [ref.connection], status: 'stopped' });
  await registry.flows.change(tenant, id, { connections: [] }, event('flow.changed'));
  await expect(markDeleting(saved.integration)).rejects.toMatchObject({ code: 'IN_USE' });
  expect(await registry.integrations.use(tenant, saved.integration)).toEqual({
    flows: [{ id, name: 'Orders to warehouse' }],
  });
  expect(await registry.integrations.get(tenant, saved.integration)).toBeDefined();
  expect((await registry.connections.get(ref))?.frozenAt).toBeNull();
  await registry.flows.removeVersion(tenant, id, 1, event('flow.version_removed'));
  await markDeleting(saved.integration);
  for (const make of [
    () => flow(registry, tenant, { connections: [ref.connection] }),
    () => registry.flows.change(tenant, id, { connections: [ref.connection] }, event('flow.changed')),
  ]) {
    await expect(make()).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(ref.connection) as unknown,
    });
  }
});

/** Both at once; which of them is sent first changes from round to round. */
async function both(round: number, one: () => Promise<unknown>, other: () => Promise<unknown>): Promise<string[]> {
  if (round % 2 === 0) return codes(await Promise.allSettled([one(), other()]));
  return codes(await Promise.allSettled([other(), one()])).reverse();
}

it.each(['made', 'changed'])('against a flow that is %s at the same time: never both', async (how) => {
  for (let round = 0; round < ROUNDS; round++) {
    const { ref, saved } = await connected(registry, tenant);
    const connections = [ref.connection];
    const id = how === 'changed' ? await flow(registry, tenant) : fresh('fl');
    const include = (): Promise<unknown> =>
      how === 'changed'
        ? registry.flows.change(tenant, id, { connections }, event('flow.changed'))
        : flow(registry, tenant, { id, connections });
    const outcomes = await both(round, () => markDeleting(saved.integration), include);
    const left = (await registry.integrations.get(tenant, saved.integration)) !== undefined;
    const includes = (await registry.flows.get(tenant, id))?.connections.length === 1;
    expect({ round, outcomes, left, includes }).toEqual({
      round,
      outcomes: left ? ['IN_USE', 'ok'] : ['ok', 'NOT_FOUND'],
      left,
      includes: left,
    });
  }
});

it('against a consent that connects at the same time: no connection of it works afterwards', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const { ref, saved, grant } = await connected(registry, tenant);
    await registry.connections.freeze(ref, event('connection.frozen'));
    await revoked(ref, grant);
    const adopted = { token: token(fresh('gr'), 1), grantedAt: new Date().toISOString(), thaw: true };
    const [deleting, adoption] = await both(
      round,
      () => markDeleting(saved.integration),
      () => registry.connections.adoptGrant(ref, { ...adopted, event: event('grant.adopted') }),
    );
    expect([round, deleting]).toEqual([round, 'ok']);
    const row = await registry.connections.get(ref);
    expect(row).toMatchObject({ state: 'disconnected', usable: false, reason: 'INTEGRATION_DELETED' });
    // One that came first goes with the others.
    expect([adoption, await disconnect(saved.integration)]).toEqual(
      row?.grantId === grant ? ['INTEGRATION_DELETED', []] : ['ok', [ref.connection]],
    );
  }
});

it('ends when its connections are revoked: its own client goes with it, its rows stay', async () => {
  const fingerprint = fresh('fp');
  const { ref, saved, grant } = await connected(registry, tenant, { fingerprint });
  const sibling = await another(saved.integration);
  const { id: client, secretId } = saved.client;
  expect(await registry.integrations.ownSecrets(tenant, saved.integration)).toEqual([]);
  await markDeleting(saved.integration);
  expect(await disconnect(saved.integration)).toEqual([ref.connection, sibling.connection].sort());
  expect(await disconnect(saved.integration, 1)).toHaveLength(1);
  expect(await registry.integrations.ownSecrets(tenant, saved.integration)).toEqual([{ client, id: secretId }]);
  await revoked(ref, grant);
  await revoked(sibling, (await registry.connections.get(sibling))?.grantId ?? '');
  expect(await disconnect(saved.integration)).toEqual([]);
  await recordDeleted(saved.integration);
  await recordDeleted(saved.integration);
  expect((await typesOf()).filter((type) => type === 'integration.deleted')).toHaveLength(1);
  expect(await registry.oauthClients.get(tenant, client)).toMatchObject({ secretId: null });
  expect(await registry.integrations.ownSecrets(tenant, saved.integration)).toEqual([]);
  expect(await registry.connections.context(ref)).toMatchObject({
    unusable: 'integration_gone',
    connection: { reason: 'INTEGRATION_DELETED', revokingSince: null },
  });
  expect(await registry.integrations.isTaken(tenant, saved.integration)).toBe(true);
  // Nothing of it is looked after any more.
  const overdue = await registry.connections.overdue(new Date(Date.now() + 86_400_000).toISOString(), 1000, [tenant]);
  expect(overdue).toEqual([]);
  // What a server without revocation goes on to accept may be pasted again.
  await connected(registry, tenant, { fingerprint });
});

it('leaves a client alone that is a component’s, or that another integration uses', async () => {
  const of = await component(registry, tenant);
  const own = await clientFor(run, tenant, of);
  const through = { client: { id: own, label: 'Pizza Van', secretId: null }, component: of };
  const [first, second] = [await connected(registry, tenant, through), await connected(registry, tenant)];
  const third = await connected(registry, tenant, { client: second.saved.client });
  for (const { saved } of [first, second]) {
    await markDeleting(saved.integration);
    expect(await registry.integrations.ownSecrets(tenant, saved.integration)).toEqual([]);
    await recordDeleted(saved.integration);
  }
  expect(await registry.oauthClients.getForComponent(tenant, own)).toMatchObject({ secretId: 'sec_1' });
  expect(await registry.oauthClients.get(tenant, second.saved.client.id)).toMatchObject({ secretId: 'sec_1' });
  expect((await registry.connections.context(third.ref))?.unusable).toBeUndefined();
});

it('no consent brings a connection of it back, however late it is confirmed', async () => {
  const { ref, saved } = await connected(registry, tenant);
  await markDeleting(saved.integration);
  const adoption = { token: token(fresh('gr'), 1), grantedAt: new Date().toISOString(), event: event('grant.adopted') };
  for (const [thaw, code] of [
    [false, 'REVOKED_HERE'],
    [true, 'INTEGRATION_DELETED'],
  ] as const) {
    await expect(registry.connections.adoptGrant(ref, { ...adoption, thaw })).rejects.toMatchObject({ code });
  }
  expect(await registry.connections.get(ref)).toMatchObject({ usable: false, grantId: saved.grant });
});

it('is not taken away by the end of a save, and does not look revoked for another reason', async () => {
  const { ref, saved } = await connected(registry, tenant);
  await registry.connections.freeze(ref, event('connection.frozen'));
  await markDeleting(saved.integration);
  await registry.integrations.remove(tenant, saved.integration, event('integration.removed'));
  expect(await registry.connections.get(ref)).toMatchObject({ reason: 'INTEGRATION_DELETED' });
  await registry.integrations.register(saved);
  expect(await registry.integrations.get(tenant, saved.integration)).toBeUndefined();
});

it('keeps its provider until it is revoked, and no longer', async () => {
  const id = fresh('pv');
  const preset = { name: id, title: 'Own' };
  await registry.providers.create({ tenant, id, base: null, preset, event: event('provider.created') });
  const { saved } = await connected(registry, tenant, { settings: settings({ preset: id }) });
  const remove = () => registry.providers.remove(tenant, id, event('provider.removed'));
  await markDeleting(saved.integration);
  await expect(remove()).rejects.toMatchObject({ code: 'IN_USE' });
  await recordDeleted(saved.integration);
  await remove();
});

it('a deletion that nobody owes any more is found until it is finished, page by page', async () => {
  const ids = [];
  for (let count = 0; count < 3; count++) ids.push((await connected(registry, tenant)).saved.integration);
  const begun = ids.sort().slice(0, 2);
  const { integrations, oauthClients, outbox } = registry;
  const unfinished = async (): Promise<string[]> =>
    (await integrations.unfinishedDeletions(10, [tenant])).map((one) => one.id);
  for (const id of begun) await markDeleting(id);
  // Its effect will begin with it, in the name of who asked.
  expect(await unfinished()).toEqual([]);
  for (const effect of await outbox.take(10, 60_000, [tenant])) await outbox.done(effect);
  expect(await unfinished()).toEqual(begun);
  const [first] = await integrations.unfinishedDeletions(1, [tenant]);
  expect(first).toEqual({ tenant, id: begun[0] });
  expect(await integrations.unfinishedDeletions(1, [tenant], first)).toEqual([{ tenant, id: begun[1] }]);
  expect(await integrations.unfinishedDeletions(10, ['nobody'])).toEqual([]);
  expect(await integrations.unfinishedDeletions(1000)).toEqual(
    expect.arrayContaining(begun.map((id) => ({ tenant, id }))),
  );
  // Their own clients go with them.
  expect(await oauthClients.unfinishedDeletions(10, [tenant])).toEqual([]);
  for (const id of begun) await recordDeleted(id);
  expect(await unfinished()).toEqual([]);
});
