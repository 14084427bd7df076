import type { Registry } from '../../../../src/registry/contract';
import { openRegistry } from '../../../../src/registry/open';
import { testDatabase, type TestDatabase } from '../../../support/database';
import { tenantGuard } from '../../../support/tenant-guard';
import { clientFor, component, connected, event, flow, fresh, manifest, newTenant, runOn, type Run } from '../builders';

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

/** The usage index. */
const used = async (id: string): Promise<readonly string[]> =>
  (await run('SELECT version, component FROM flow_components WHERE flow = $1 ORDER BY version, component', [id])).map(
    (row) => `${String(row['version'])} ${String(row['component'])}`,
  );
const withClient = async (): Promise<string> => {
  const id = await component(registry, tenant);
  await clientFor(run, tenant, id);
  return id;
};
/** In the order of their ids. */
const twoWithClient = async (): Promise<readonly [string, string]> => {
  const [one, two] = [await withClient(), await withClient()];
  return one < two ? [one, two] : [two, one];
};
const change = (id: string, changes: Parameters<Registry['flows']['change']>[2]): Promise<void> =>
  registry.flows.change(tenant, id, changes, event('flow.changed'));

describe('a flow', () => {
  it('002-35 and its part of the usage index are written together, or neither', async () => {
    const [orders, mails] = await twoWithClient();
    const { ref } = await connected(registry, tenant);
    const id = await flow(registry, tenant, {
      status: 'running',
      schedule: '0 * * * *',
      components: [mails, orders, mails],
      connections: [ref.connection],
    });
    expect(await registry.flows.get(tenant, id)).toEqual({
      tenant,
      id,
      name: 'Orders to warehouse',
      status: 'running',
      schedule: '0 * * * *',
      version: 1,
      components: [orders, mails],
      connections: [ref.connection],
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect(await used(id)).toEqual([`1 ${orders}`, `1 ${mails}`]);
    expect((await registry.events.list(tenant, undefined, ALL)).map(({ type }) => type)).toContain('flow.created');

    const refused = fresh('fl');
    await expect(flow(registry, tenant, { id: refused, components: [orders, 'unknown'] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      coordinates: { component: 'unknown' },
    });
    expect([await registry.flows.get(tenant, refused), await used(refused)]).toEqual([undefined, []]);
  });

  it('is one per id in a tenant', async () => {
    const id = await flow(registry, tenant);
    await expect(flow(registry, tenant, { id })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await flow(registry, other, { id });
    expect((await registry.flows.list(tenant, ALL)).map((row) => row.id)).toEqual([id]);
  });

  it('002-09 includes a component that uses an OAuth client only with one of its tenant', async () => {
    const id = await component(registry, tenant, { access: 'global' });
    const include = (of: string): Promise<string> => flow(registry, of, { components: [id] });
    const missing = { code: 'OAUTH_CLIENT_MISSING', coordinates: { component: id } };
    await clientFor(run, tenant, id, { status: 'reserved' });
    for (const viewer of [tenant, other]) await expect(include(viewer)).rejects.toMatchObject(missing);
    await clientFor(run, other, id);
    // 002-36: each with its own.
    await include(other);
    await expect(include(tenant)).rejects.toMatchObject(missing);
  });

  it('002-18 includes no component of another tenant, and none that was removed', async () => {
    const [foreign, gone] = [await component(registry, other), await component(registry, tenant)];
    await clientFor(run, tenant, foreign);
    await clientFor(run, tenant, gone);
    await registry.components.remove(tenant, gone, event('component.removed'));
    for (const id of [foreign, gone]) {
      await expect(flow(registry, tenant, { components: [id] })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        coordinates: { component: id },
      });
    }
  });

  it('needs no client for a component without useOAuthClient', async () => {
    const plain = { useOAuthClient: false, oauth2: undefined };
    const ids = [
      await component(registry, tenant, { manifest: manifest(plain) }),
      await component(registry, tenant, { manifest: manifest({ useOAuthClient: false, legacyOAuth: true }) }),
    ];
    expect(await used(await flow(registry, tenant, { components: ids }))).toHaveLength(2);
  });

  it('includes no connection of another tenant', async () => {
    const { ref } = await connected(registry, other);
    await expect(flow(registry, tenant, { connections: [ref.connection] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      coordinates: { connection: ref.connection },
    });
  });

  it('002-28 is refused on a client that is being deleted', async () => {
    const id = await component(registry, tenant);
    const client = await clientFor(run, tenant, id);
    await run(`UPDATE oauth_clients SET status = 'deleting' WHERE id = $1`, [client]);
    await expect(flow(registry, tenant, { components: [id] })).rejects.toMatchObject({ code: 'OAUTH_CLIENT_MISSING' });
  });
});

describe('versions of a flow', () => {
  it('are made by other components or connections only, and all count as use', async () => {
    const [first, second] = await twoWithClient();
    const { ref } = await connected(registry, tenant);
    const id = await flow(registry, tenant, { components: [first, second] });
    await change(id, { name: 'Renamed', status: 'stopped', schedule: null, components: [second, first] });
    expect(await registry.flows.get(tenant, id)).toMatchObject({ name: 'Renamed', status: 'stopped', version: 1 });
    await change(id, { components: [second] });
    await change(id, { connections: [ref.connection] });
    expect(await registry.flows.get(tenant, id)).toMatchObject({
      name: 'Renamed',
      version: 3,
      components: [second],
      connections: [ref.connection],
    });
    expect(await used(id)).toEqual([`1 ${first}`, `1 ${second}`, `2 ${second}`, `3 ${second}`]);
    expect(await registry.flows.versions(tenant, id, { size: 2 })).toEqual([
      {
        flow: id,
        version: 3,
        components: [second],
        connections: [ref.connection],
        createdBy: 'system',
        createdAt: expect.any(String),
      },
      expect.objectContaining({ version: 2, components: [second], connections: [] }),
    ]);
    expect(await registry.flows.versions(tenant, id, { size: 2, after: '2' })).toMatchObject([{ version: 1 }]);
  });

  it('002-27 can be removed one by one, but the current one', async () => {
    const [first, second] = [await withClient(), await withClient()];
    const id = await flow(registry, tenant, { components: [first] });
    await change(id, { components: [second] });
    const remove = (version: number, of = tenant): Promise<void> =>
      registry.flows.removeVersion(of, id, version, event('flow.version_removed'));
    await expect(remove(2)).rejects.toMatchObject({ code: 'IN_USE' });
    await expect(remove(1, other)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await remove(1);
    await expect(remove(1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await used(id)).toEqual([`2 ${second}`]);
    // Numbers are not given twice.
    await change(id, { components: [first] });
    expect(await registry.flows.get(tenant, id)).toMatchObject({ version: 3 });
  });

  it('get one number each, whoever changes at once', async () => {
    const components = await Promise.all([withClient(), withClient(), withClient()]);
    const id = await flow(registry, tenant);
    await Promise.all(components.map((one) => change(id, { components: [one] })));
    expect((await registry.flows.versions(tenant, id, ALL)).map(({ version }) => version)).toEqual([4, 3, 2, 1]);
  });

  it('are not made of what cannot be used any more; what only names them goes on', async () => {
    const { ref } = await connected(registry, tenant);
    const gone = await withClient();
    const id = await flow(registry, tenant, { components: [gone] });
    await registry.components.remove(tenant, gone, event('component.removed'));
    await change(id, { status: 'stopped' });
    await expect(change(id, { connections: [ref.connection] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await registry.flows.get(tenant, id)).toMatchObject({ status: 'stopped', version: 1, connections: [] });
  });
});

describe('flows', () => {
  it('are found by what their current version includes, and by status', async () => {
    const [one, two] = [await withClient(), await withClient()];
    const { ref } = await connected(registry, tenant);
    const a = await flow(registry, tenant, { components: [one], connections: [ref.connection], status: 'running' });
    const b = await flow(registry, tenant, { components: [one, two] });
    const c = await flow(registry, tenant, { components: [one] });
    await change(c, { components: [two] });
    const found = async (filter: Parameters<Registry['flows']['list']>[2], of = tenant): Promise<readonly string[]> =>
      (await registry.flows.list(of, ALL, filter)).map(({ id }) => id);
    expect(await found({ component: one })).toEqual([a, b].sort());
    expect(await found({ component: two })).toEqual([b, c].sort());
    expect(await found({ component: one, status: 'draft' })).toEqual([b]);
    expect(await found({ connection: ref.connection })).toEqual([a]);
    expect(await found({ component: one }, other)).toEqual([]);
    expect((await registry.flows.dependingOn(tenant, ref.connection)).map(({ id }) => id)).toEqual([a]);
    expect(await registry.flows.dependingOn(other, ref.connection)).toEqual([]);
  });

  it('are listed in pages', async () => {
    const ids = [await flow(registry, tenant), await flow(registry, tenant), await flow(registry, tenant)].sort();
    const [first] = ids;
    expect((await registry.flows.list(tenant, { size: 1 })).map(({ id }) => id)).toEqual([first]);
    expect((await registry.flows.list(tenant, { size: 9, after: first })).map(({ id }) => id)).toEqual(ids.slice(1));
  });

  it('002-27 are removed with their versions and their use', async () => {
    const id = await flow(registry, tenant, { components: [await withClient()] });
    await expect(registry.flows.remove(other, id, event('flow.removed'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await registry.flows.remove(tenant, id, event('flow.removed'));
    await expect(registry.flows.remove(tenant, id, event('flow.removed'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect([await registry.flows.get(tenant, id), await used(id)]).toEqual([undefined, []]);
    await expect(registry.flows.versions(tenant, id, ALL)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(change(id, { name: 'Late' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
