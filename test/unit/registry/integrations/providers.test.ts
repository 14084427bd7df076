/** A tenant's own providers in the registry, and the integrations made from them. */
import type { KyselyPlugin } from 'kysely';
import type { PresetInput } from '../../../../src/providers/preset';
import type { Registry } from '../../../../src/registry/contract';
import { openRegistry } from '../../../../src/registry/open';
import { testDatabase, type TestDatabase } from '../../../support/database';
import { tenantGuard } from '../../../support/tenant-guard';
import { connected, event, fresh, newTenant, registration, settings } from '../builders';

let database: TestDatabase;
let registry: Registry;
let tenant: string;
/** Rows that came out of the database, statement by statement. */
const loaded: number[] = [];
const counting: KyselyPlugin = {
  transformQuery: ({ node }) => node,
  transformResult: async ({ result }) => {
    loaded.push(result.rows.length);
    return result;
  },
};

beforeAll(async () => {
  database = await testDatabase();
  registry = await openRegistry({ url: database.url, plugins: [tenantGuard(), counting] });
});
afterAll(async () => {
  await registry?.close();
  await database?.stop();
});
beforeEach(async () => {
  tenant = await newTenant(registry);
});

const preset = (name: string, title = 'Pizza'): PresetInput => ({
  name,
  title,
  endpoints: { token: 'https://pizza.test/token' },
});
async function made(): Promise<string> {
  const id = fresh('pv');
  await registry.providers.create({ tenant, id, base: null, preset: preset(id), event: event('provider.created') });
  return id;
}
const remove = (id: string): Promise<void> => registry.providers.remove(tenant, id, event('provider.removed'));

it('a provider is one per tenant and id', async () => {
  const id = await made();
  const again = { tenant, id, base: null, preset: preset(id), event: event('provider.created') };
  await expect(registry.providers.create(again)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  await registry.providers.create({ ...again, tenant: await newTenant(registry) });
  expect(await registry.providers.get(tenant, id)).toMatchObject({ tenant, id, base: null, preset: preset(id) });
  expect(await registry.providers.list(await newTenant(registry), { size: 10 })).toEqual([]);
});

it('a change is written only over what it was made from', async () => {
  const id = await made();
  const to = preset(id, 'Pizza Ltd');
  const change = { from: preset(id), to, event: event('provider.changed') };
  expect(await registry.providers.change(tenant, id, change)).toBe(true);
  expect(await registry.providers.change(tenant, id, change)).toBe(false);
  expect((await registry.providers.get(tenant, id))?.preset).toEqual(to);
  await expect(registry.providers.change(tenant, 'pv_nobody', change)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('a change wakes the connections that use it, but for revoked ones', async () => {
  const id = await made();
  const own = { settings: settings({ preset: id }) };
  const [living, revoked] = [await connected(registry, tenant, own), await connected(registry, tenant, own)];
  await connected(registry, tenant);
  await registry.connections.freeze(revoked.ref, event('connection.frozen'));
  const change = { from: preset(id), to: preset(id, 'Pizza Ltd'), event: event('provider.changed') };
  await registry.providers.change(tenant, id, change);
  const effects = await registry.outbox.take(10, 60_000, [tenant]);
  expect(effects.map(({ kind, subject }) => [kind, subject])).toEqual([['connection.nudge', living.ref.connection]]);
});

it('a change loads none of the many integrations that use it, and wakes them all', async () => {
  const id = await made();
  const MANY = 120;
  for (let one = 0; one < MANY; one++) await connected(registry, tenant, { settings: settings({ preset: id }) });
  loaded.length = 0;
  const change = { from: preset(id), to: preset(id, 'Pizza Ltd'), event: event('provider.changed') };
  expect(await registry.providers.change(tenant, id, change)).toBe(true);
  expect(Math.max(...loaded)).toBe(1);
  expect(await registry.outbox.take(1_000, 60_000, [tenant])).toHaveLength(MANY);
  loaded.length = 0;
  const named = await registry.providers.use(tenant, id);
  expect([named.length, named[0]?.label, ...loaded]).toEqual([100, 'Orders', 100]);
});

it('the context of a connection carries the own provider that its settings name, and only that', async () => {
  const id = await made();
  const own = await connected(registry, tenant, { settings: settings({ preset: id }) });
  expect((await registry.connections.context(own.ref))?.provider).toMatchObject({ id, preset: preset(id) });
  const shipped = await connected(registry, tenant);
  expect(await registry.connections.context(shipped.ref)).not.toHaveProperty('provider');
});

it('nothing is registered on a provider that is gone, and none goes that something is registered on', async () => {
  const id = await made();
  const saved = registration(tenant, { settings: settings({ preset: id }) });
  await registry.integrations.register(saved);
  await expect(remove(id)).rejects.toMatchObject({ code: 'IN_USE' });
  expect(await registry.providers.use(tenant, id)).toEqual([{ id: saved.integration, label: 'Orders' }]);
  await registry.integrations.remove(tenant, saved.integration, event('integration.removed'));
  await remove(id);
  await expect(remove(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(registry.integrations.register(saved)).rejects.toMatchObject({ code: 'OAUTH_CLIENT_UNUSABLE' });
  expect(await registry.integrations.get(tenant, saved.integration)).toBeUndefined();
});

it('of a removal and a registration at once, exactly one wins', async () => {
  for (let round = 0; round < 10; round++) {
    const id = await made();
    const saved = registration(tenant, { settings: settings({ preset: id }) });
    await Promise.allSettled([registry.integrations.register(saved), remove(id)]);
    const [left, user] = await Promise.all([
      registry.providers.get(tenant, id),
      registry.integrations.get(tenant, saved.integration),
    ]);
    expect([left === undefined, user === undefined]).toEqual(left === undefined ? [true, true] : [false, false]);
  }
});

it('settings are written only over what they were made from', async () => {
  const { saved } = await connected(registry, tenant);
  const change = { from: saved.settings, to: settings({ label: 'Renamed' }), event: event('integration.changed') };
  expect(await registry.integrations.change(tenant, saved.integration, change)).toEqual({ outdated: 0 });
  expect(await registry.integrations.change(tenant, saved.integration, change)).toBeUndefined();
  expect((await registry.integrations.get(tenant, saved.integration))?.settings.label).toBe('Renamed');
  const elsewhere = await newTenant(registry);
  await expect(registry.integrations.change(elsewhere, saved.integration, change)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});
