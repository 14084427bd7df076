/** Changes over a base: what their caller judged must still be there when they are written. */
import type { Registry } from '../../../src/registry/contract';
import { openRegistry } from '../../../src/registry/open';
import { codes, count, MANY, times } from '../../support/at-once';
import { testDatabase, type TestDatabase } from '../../support/database';
import { tenantGuard } from '../../support/tenant-guard';
import { component, connected, event, flow, newTenant } from './builders';

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

const changed = event('it.changed');

type Change = (index: number, over: boolean) => Promise<void>;

/** What is to be changed is made, and read once. */
const CHANGES: Readonly<Record<string, () => Promise<Change>>> = {
  tenant: async () => {
    const base = await registry.tenants.get(tenant);
    return (index, over) => registry.tenants.rename(tenant, `T ${index}`, changed, over ? base : undefined);
  },
  principal: async () => {
    const { id } = await registry.principals.ensure(tenant, 'ann@example.com');
    const base = await registry.principals.get(tenant, id);
    return (index, over) =>
      registry.principals.changeEmail(tenant, id, `ann${index}@example.com`, changed, over ? base : undefined);
  },
  component: async () => {
    const id = await component(registry, tenant);
    const base = await registry.components.get(tenant, id);
    return (index, over) =>
      registry.components.setAccess(tenant, id, 'team', `team ${index}`, changed, over ? base : undefined);
  },
  flow: async () => {
    const id = await flow(registry, tenant);
    const base = await registry.flows.get(tenant, id);
    return (index, over) => registry.flows.change(tenant, id, { name: `F ${index}` }, changed, over ? base : undefined);
  },
  connection: async () => {
    const { ref } = await connected(registry, tenant);
    const base = await registry.connections.get(ref);
    return (index, over) =>
      registry.connections.change(ref, { region: `eu-${index}` }, changed, over ? base : undefined);
  },
};
const told = async (): Promise<number> =>
  (await registry.events.list(tenant, undefined, { size: 100 }, { type: 'it.changed' })).length;

describe.each(Object.entries(CHANGES))('a %s', (_what, prepare) => {
  it('is changed by one of 20 over the same base, and that one is told', async () => {
    const change = await prepare();
    const outcomes = codes(await times(MANY, (index) => change(index, true)));
    expect([count(outcomes, 'ok'), count(outcomes, 'PRECONDITION_FAILED')]).toEqual([1, MANY - 1]);
    expect(await told()).toBe(1);
  });

  it('is changed by all who name no base', async () => {
    const change = await prepare();
    expect(count(codes(await times(MANY, (index) => change(index, false))), 'ok')).toBe(MANY);
    expect(await told()).toBe(MANY);
  });
});
