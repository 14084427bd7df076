/** The load shape: a list of 100,000 connections of one tenant is answered by indexes, whatever it is filtered by. */
import { PostgresQueryCompiler, type KyselyPlugin, type RootOperationNode } from 'kysely';
import { Client } from 'pg';
import type { Registry } from '../../../../src/registry/contract';
import { openRegistry } from '../../../../src/registry/open';
import { testDatabase, type TestDatabase } from '../../../support/database';
import { FILTERS, seedManyConnections } from '../../../../bench/stage/many-connections';
import { tenantGuard } from '../../../support/tenant-guard';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly Plan[];
}

const TENANT = 'large';
const COUNT = 100_000;
const statements: RootOperationNode[] = [];
const recorder: KyselyPlugin = {
  transformQuery: ({ node }) => {
    statements.push(node);
    return node;
  },
  transformResult: async ({ result }) => result,
};

let database: TestDatabase;
let registry: Registry;
let client: Client;

beforeAll(async () => {
  database = await testDatabase();
  registry = await openRegistry({ url: database.url, plugins: [tenantGuard(), recorder] });
  await registry.tenants.create(TENANT, TENANT);
  await seedManyConnections(database.url, TENANT, COUNT);
  client = new Client({ connectionString: database.url });
  await client.connect();
}, 240_000);
afterAll(async () => {
  await client?.end();
  await registry?.close();
  await database?.stop();
});

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** How the database would answer the statement that was just made, with its values. */
async function planned(): Promise<Plan[]> {
  const { sql, parameters } = new PostgresQueryCompiler().compileQuery(statements.at(-1) as never, {} as never);
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`EXPLAIN (FORMAT JSON) ${sql}`, [
    ...parameters,
  ]);
  return nodesOf(rows[0]!['QUERY PLAN'][0].Plan);
}

describe('a page of 100,000 connections', () => {
  it.each(Object.entries(FILTERS))('%s: is read through an index, first page and later ones', async (_name, filter) => {
    for (const after of [undefined, 'cn_8']) {
      const rows = await registry.connections.list(TENANT, { size: 51, after }, filter);
      expect(rows.map(({ id }) => id)).toEqual(rows.map(({ id }) => id).sort());
      const nodes = await planned();
      expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
      expect(nodes.filter((node) => node['Index Name'] !== undefined)).not.toEqual([]);
    }
  });

  it.each([
    ['state, rare', 'connections_state'],
    ['who, rare', 'connections_who'],
    ['provider', 'connections_preset'],
    ['environment, rare', 'connections_environment'],
    ['expires before, few', 'connections_expiry'],
    ['owner', 'connections_owner'],
    ['account by id', 'connections_account'],
    ['account by label', 'connections_account_label'],
    ['customer reference', 'connections_customer'],
    ['integration', 'connections_integration'],
  ])('%s: by its own index', async (name, index) => {
    expect(await registry.connections.list(TENANT, { size: 51 }, FILTERS[name])).not.toEqual([]);
    expect((await planned()).map((node) => node['Index Name'])).toContain(index);
  });
});
