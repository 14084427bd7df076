import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from 'kysely';
import type { Tables } from '../../../src/registry/schema';
import { tenantGuard } from '../../support/tenant-guard';

const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (instance) => new PostgresIntrospector(instance),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
  plugins: [tenantGuard()],
});
const connections = () => db.selectFrom('connections').select('id');

describe('the tenant guard lets pass', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a read of one tenant', () => connections().where('tenant', '=', 'a').execute()],
    ['a read of the tenants given', () => connections().where('tenant', 'in', ['a', 'b']).execute()],
    [
      'an insert that names the tenant',
      () => db.insertInto('grant_fingerprints').values({ tenant: 'a', fingerprint: 'f', connection: 'c' }).execute(),
    ],
    [
      'a join bound through its other side',
      () =>
        db
          .selectFrom('connections')
          .innerJoin('integrations as i', 'i.tenant', 'connections.tenant')
          .select('i.id')
          .where('i.tenant', '=', 'a')
          .execute(),
    ],
    ['an API key by its prefix', () => db.selectFrom('api_keys').selectAll().where('prefix', '=', 'p').execute()],
    [
      'a consent link by its hash',
      () => db.selectFrom('consent_links').selectAll().where('token_hash', '=', 'h').execute(),
    ],
    [
      'the sweep of deletions',
      () => db.selectFrom('integrations').select('id').where('status', '=', 'deleting').execute(),
    ],
    ['a table without tenants', () => db.selectFrom('envelope_keys').selectAll().execute()],
    ['a plain statement over no table', () => sql`SELECT 1`.execute(db)],
  ])('%s', async (_what, run) => {
    await expect(run()).resolves.toBeDefined();
  });
});

describe('the tenant guard refuses', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a read by id alone', () => connections().where('id', '=', 'cn_1').execute()],
    ['a read that excludes a tenant', () => connections().where('tenant', '!=', 'a').execute()],
    [
      'a tenant inside an or',
      () =>
        connections()
          .where((eb) => eb.or([eb('tenant', '=', 'a'), eb('id', '=', 'x')]))
          .execute(),
    ],
    [
      'a sweep of other integrations',
      () => db.selectFrom('integrations').select('id').where('status', '=', 'published').execute(),
    ],
    ['a tenant compared with itself', () => connections().whereRef('tenant', '=', 'tenant').execute()],
    ['an update by id alone', () => db.updateTable('connections').set({ scope: '' }).where('id', '=', 'x').execute()],
    ['a delete by id alone', () => db.deleteFrom('waiters').where('workflow', '=', 'w').execute()],
    [
      'a join whose other table is free',
      () =>
        db
          .selectFrom('connections')
          .innerJoin('integrations', 'integrations.id', 'connections.integration_id')
          .select('integrations.id')
          .where('connections.tenant', '=', 'a')
          .execute(),
    ],
    [
      'a join that hands on a tenant nobody bound',
      () =>
        db
          .selectFrom('connections')
          .innerJoin('integrations', 'integrations.tenant', 'connections.tenant')
          .select('integrations.id')
          .execute(),
    ],
    [
      'a subquery that is free inside a bound statement',
      () =>
        connections()
          .where('tenant', '=', 'a')
          .where('integration_id', 'in', (of) => of.selectFrom('integrations').select('integrations.id'))
          .execute(),
    ],
    ['a written-out statement over such a table', () => sql`DELETE FROM connections`.execute(db)],
  ])('%s', async (_what, run) => {
    await expect(run()).rejects.toThrow(/is not bound to a tenant/);
  });
});
