import type { Registry } from '../../../../src/registry/contract';
import { openRegistry } from '../../../../src/registry/open';
import { testDatabase, type TestDatabase } from '../../../support/database';
import { tenantGuard } from '../../../support/tenant-guard';
import { clientFor, component, event, manifest, newTenant, oauth2, runOn, type Run } from '../builders';

const ALL = { size: 100 };

let database: TestDatabase;
let registry: Registry;
let run: Run;
let tenant: string;
let other: string;

beforeAll(async () => {
  database = await testDatabase();
  run = runOn(database.url);
  registry = await openRegistry({ url: database.url, plugins: [tenantGuard()] });
});
afterAll(async () => {
  await registry?.close();
  await database?.stop();
});
beforeEach(async () => {
  [tenant, other] = [await newTenant(registry), await newTenant(registry)];
});

const listed = async (of: string): Promise<readonly string[]> => {
  const rows = await registry.components.list(of, ALL);
  // Components that other tests made global are everybody's.
  return rows.filter((row) => row.tenant === tenant || row.tenant === other).map(({ id }) => id);
};
const owed = (of: string): ReturnType<Run> =>
  run('SELECT kind, subject, by FROM outbox WHERE tenant = $1 ORDER BY position', [of]);
const suspended = async (client: string): Promise<boolean> => {
  const [row] = await run('SELECT suspended_at FROM oauth_clients WHERE id = $1', [client]);
  return row?.['suspended_at'] != null;
};
const eventsOf = async (of: string): Promise<readonly string[]> =>
  (await registry.events.list(of, undefined, ALL)).map(({ type, by }) => `${type} by ${by}`);

describe('a component', () => {
  it('is its tenant’s, with its file as it was sent', async () => {
    const id = await component(registry, tenant, { file: ' {"title": "Pizza Van", "own": 1} ' });
    expect(await registry.components.get(tenant, id)).toEqual({
      tenant,
      id,
      title: 'Pizza Van',
      access: 'tenant',
      team: null,
      version: 1,
      manifest: manifest(),
      env: {},
      createdAt: expect.any(String),
      client: null,
    });
    expect(await registry.components.file(tenant, id, 1)).toBe(' {"title": "Pizza Van", "own": 1} ');
    expect(await registry.components.file(tenant, id, 2)).toBeUndefined();
    expect(await eventsOf(tenant)).toEqual(['component.created by system']);
  });

  it.each(['tenant', 'team'] as const)('with access "%s" is nobody else’s, whatever is asked', async (access) => {
    const id = await component(registry, tenant, { access });
    await clientFor(run, other, id);
    expect(await registry.components.get(other, id)).toBeUndefined();
    expect(await registry.components.accessible(other, id)).toBeUndefined();
    expect(await listed(other)).toEqual([]);
    const refused = { code: 'NOT_FOUND' };
    await expect(registry.components.versions(other, id, ALL)).rejects.toMatchObject(refused);
    await expect(registry.components.file(other, id, 1)).rejects.toMatchObject(refused);
    await expect(registry.components.setEnv(other, id, {}, event('x'))).rejects.toMatchObject(refused);
    await expect(registry.components.setAccess(other, id, 'team', 'a', event('x'))).rejects.toMatchObject(refused);
    await expect(registry.components.remove(other, id, event('x'))).rejects.toMatchObject(refused);
    expect(await registry.components.get(tenant, id)).toMatchObject({ access });
  });

  it('002-09 002-18 that is global is accessible to every tenant, and listed where there is a client for it', async () => {
    const id = await component(registry, tenant, { access: 'global' });
    expect(await listed(tenant)).toEqual([id]);
    expect(await registry.components.accessible(other, id)).toMatchObject({ tenant, id, client: null });
    expect([await listed(other), await registry.components.get(other, id)]).toEqual([[], undefined]);

    await clientFor(run, other, id, { status: 'deleting' });
    await clientFor(run, other, id, { status: 'reserved' });
    expect(await listed(other)).toEqual([]);
    await run(`DELETE FROM oauth_clients WHERE component = $1 AND status = 'reserved'`, [id]);

    const client = await clientFor(run, other, id);
    expect(await listed(other)).toEqual([id]);
    expect(await registry.components.get(other, id)).toMatchObject({
      client: {
        id: client,
        clientId: 'app',
        legacy: false,
        suspendedAt: null,
        secretSetAt: '2026-11-21T00:00:00.000Z',
        secretFingerprint: 'ab12cd34',
      },
    });
    // 002-07: the client is the other tenant's only.
    expect(await registry.components.get(tenant, id)).toMatchObject({ client: null });
  });

  it('that is global and needs no OAuth client is listed everywhere', async () => {
    const id = await component(registry, tenant, {
      access: 'global',
      manifest: manifest({ useOAuthClient: false, oauth2: undefined }),
    });
    expect(await listed(other)).toEqual([id]);
  });

  it('pages of own and global ones are one list in the order of ids', async () => {
    const made = [
      await component(registry, tenant),
      await component(registry, other, { access: 'global' }),
      await component(registry, tenant),
    ];
    await clientFor(run, tenant, made[1] ?? '');
    const all = (await registry.components.list(tenant, ALL)).map(({ id }) => id);
    expect(all).toEqual([...all].sort());
    expect(all).toEqual(expect.arrayContaining(made));
    const [first, second] = all;
    expect((await registry.components.list(tenant, { size: 1, after: first })).map(({ id }) => id)).toEqual([second]);
  });
});

describe('a new version', () => {
  it('of the same origin suspends nobody', async () => {
    const id = await component(registry, tenant, { access: 'global' });
    const client = await clientFor(run, other, id);
    const next = manifest({ title: 'Pizza Van 2', oauth2: { ...oauth2('https://pizza.example'), scopes: ['orders'] } });
    expect(
      await registry.components.addVersion({
        tenant,
        id,
        title: 'Pizza Van 2',
        file: '{}',
        manifest: next,
        event: event('component.version_added'),
      }),
    ).toEqual({ version: 2, originChanged: false });
    expect(await registry.components.get(tenant, id)).toMatchObject({
      version: 2,
      title: 'Pizza Van 2',
      manifest: next,
    });
    expect((await registry.components.versions(tenant, id, ALL)).map(({ version }) => version)).toEqual([2, 1]);
    expect((await registry.components.versions(tenant, id, { size: 1, after: '2' })).map((one) => one.version)).toEqual(
      [1],
    );
    expect([await suspended(client), await owed(other)]).toEqual([false, []]);
  });

  it('of another origin suspends the client of every tenant, which each hears of without names of the owner’s people', async () => {
    const id = await component(registry, tenant, { access: 'global' });
    const clients = [await clientFor(run, tenant, id), await clientFor(run, other, id)];
    const bystander = await clientFor(run, tenant, await component(registry, tenant));
    const event = { type: 'component.version_added', by: 'ann@pizza.example', traceId: 'tr_1' };
    const moved = manifest({ oauth2: { ...oauth2('https://pizza.example'), tokenUri: 'https://evil.example/token' } });
    expect(
      await registry.components.addVersion({ tenant, id, title: 'Pizza', file: '{}', manifest: moved, event }),
    ).toEqual({ version: 2, originChanged: true });
    expect(await Promise.all([...clients, bystander].map(suspended))).toEqual([true, true, false]);
    const kind = 'oauth_client.changed';
    expect(await owed(tenant)).toEqual([{ kind, subject: clients[0], by: 'ann@pizza.example' }]);
    expect(await owed(other)).toEqual([{ kind, subject: clients[1], by: 'system' }]);
    expect(await eventsOf(other)).toEqual(['oauth_client.suspended by system']);
  });

  it('each has its number, whoever adds at once, and none that moved goes unnoticed', async () => {
    const id = await component(registry, tenant);
    const added = await Promise.all(
      ['https://a.example', 'https://b.example', 'https://c.example', 'https://d.example'].map((origin) =>
        registry.components.addVersion({
          tenant,
          id,
          title: origin,
          file: '{}',
          manifest: manifest({ oauth2: oauth2(origin) }),
          event: event('component.version_added'),
        }),
      ),
    );
    expect(added.map(({ version }) => version).sort()).toEqual([2, 3, 4, 5]);
    expect(added.every(({ originChanged }) => originChanged)).toBe(true);
  });
});

describe('env vars', () => {
  it('002-37 are set and unset one by one, whoever sets at once', async () => {
    const id = await component(registry, tenant);
    const set = (changes: Record<string, string | null>): Promise<unknown> =>
      registry.components.setEnv(tenant, id, changes, event('component.env_changed'));
    await Promise.all([set({ A: '1' }), set({ B: '2' }), set({ C: '3' })]);
    await set({ A: null, B: '4' });
    expect((await registry.components.get(tenant, id))?.env).toEqual({ B: '4', C: '3' });
  });

  it('that are part of an endpoint suspend the client when they lead elsewhere', async () => {
    const id = await component(registry, tenant, { manifest: manifest({ oauth2: oauth2('https://{{HOST}}') }) });
    const set = (host: string): Promise<unknown> =>
      registry.components.setEnv(tenant, id, { HOST: host }, event('component.env_changed'));
    expect(await set('a.example')).toEqual({ originChanged: true });
    const client = await clientFor(run, tenant, id);
    expect([await set('a.example'), await suspended(client)]).toEqual([{ originChanged: false }, false]);
    expect([await set('b.example'), await suspended(client)]).toEqual([{ originChanged: true }, true]);
  });
});

describe('access', () => {
  it('002-38 with OAuth credentials in env vars is refused to become global, by a version or by access', async () => {
    const legacy = manifest({ useOAuthClient: false, legacyOAuth: true });
    const id = await component(registry, tenant, { manifest: legacy });
    await clientFor(run, tenant, id, { legacy: true });
    const toGlobal = (): Promise<void> => registry.components.setAccess(tenant, id, 'global', null, event('x'));
    await expect(toGlobal()).rejects.toMatchObject({
      code: 'IN_USE',
      message: expect.stringContaining('useOAuthClient'),
    });
    expect(await registry.components.get(tenant, id)).toMatchObject({ access: 'tenant' });
    const version = { tenant, id, title: 'Pizza', file: '{}', event: event('component.version_added') };
    await registry.components.addVersion({ ...version, manifest: manifest() });
    await toGlobal();
    await expect(registry.components.addVersion({ ...version, manifest: legacy })).rejects.toMatchObject({
      code: 'IN_USE',
    });
    expect(await registry.components.get(tenant, id)).toMatchObject({ access: 'global', version: 2 });
  });

  it('that ends for others disconnects their clients, and not the owner’s', async () => {
    const id = await component(registry, tenant, { access: 'global' });
    await clientFor(run, tenant, id);
    const client = await clientFor(run, other, id);
    await registry.components.setAccess(tenant, id, 'team', 'ops', event('component.access_changed'));
    expect(await registry.components.get(tenant, id)).toMatchObject({ access: 'team', team: 'ops' });
    expect(await owed(other)).toEqual([{ kind: 'oauth_client.disconnect', subject: client, by: 'system' }]);
    expect(await owed(tenant)).toEqual([]);
  });
});

describe('a removed component', () => {
  it('002-29 is gone for everybody; its clients stay, and are to be disconnected once', async () => {
    const id = await component(registry, tenant, { access: 'global' });
    const clients = [await clientFor(run, tenant, id), await clientFor(run, other, id)];
    const remove = (): Promise<void> => registry.components.remove(tenant, id, event('component.removed'));
    await Promise.all([remove(), remove()]);
    await remove();
    for (const viewer of [tenant, other]) {
      expect(await registry.components.accessible(viewer, id)).toBeUndefined();
      expect(await listed(viewer)).toEqual([]);
    }
    await expect(registry.components.versions(tenant, id, ALL)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(registry.components.setEnv(tenant, id, {}, event('x'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await owed(tenant)).concat(await owed(other))).toEqual(
      clients.map((subject) => ({ kind: 'oauth_client.disconnect', subject, by: 'system' })),
    );
    expect(await run('SELECT status FROM oauth_clients WHERE component = $1', [id])).toEqual([
      { status: 'published' },
      { status: 'published' },
    ]);
    expect(await eventsOf(tenant)).toEqual(['component.created by system', 'component.removed by system']);
  });
});
