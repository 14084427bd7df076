import { Client } from 'pg';
import { DurableOAuthError } from '../../../src/errors';
import { MIGRATIONS } from '../../../src/registry/migrations';
import { migrate, migrationsOf } from '../../../src/registry/migrator';
import { testDatabase, type TestDatabase } from '../../support/database';

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await testDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await database?.stop();
});

const known = MIGRATIONS.map(({ name }) => name);
const names = async (): Promise<string[]> =>
  (await client.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY name')).rows.map(
    ({ name }) => name,
  );

it('ten processes that migrate an empty database at once all succeed, and each migration is applied once', async () => {
  await client.query('DROP SCHEMA public CASCADE');
  await client.query('CREATE SCHEMA public');
  expect(await migrationsOf(database.url)).toEqual({ missing: known, unknown: [] });
  await Promise.all(Array.from({ length: 10 }, () => migrate(database.url)));
  expect(await names()).toEqual(known);
  await client.query(`INSERT INTO tenants (id, name) VALUES ('t', 't')`);
});

it('migrating again keeps the data, and a newer schema is left alone', async () => {
  await client.query(`INSERT INTO schema_migrations (name) VALUES ('9999-of-a-later-version')`);
  await migrate(database.url);
  expect(await names()).toEqual([...known, '9999-of-a-later-version']);
  expect(await migrationsOf(database.url)).toEqual({ missing: [], unknown: ['9999-of-a-later-version'] });
  expect((await client.query('SELECT id FROM tenants')).rows).toEqual([{ id: 't' }]);
});

it('a migration that fails leaves nothing behind and says nothing foreign', async () => {
  await client.query('DROP SCHEMA public CASCADE');
  await client.query('CREATE SCHEMA public');
  await client.query('CREATE TABLE waiters (in_the_way text)');
  const error: unknown = await migrate(database.url).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DurableOAuthError);
  const { rows } = await client.query(`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`);
  expect(rows).toEqual([{ table_name: 'waiters' }]);
});
