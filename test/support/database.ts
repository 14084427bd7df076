/** A migrated database for one test file: its own on the server of TEST_DATABASE_URL, else an embedded one in memory. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { startEmbeddedDatabase } from '../../src/cli/dev/embedded-database';
import { migrate } from '../../src/registry/migrator';

export interface TestDatabase {
  readonly url: string;
  stop(): Promise<void>;
}

/** For `beforeAll`; call `stop` in `afterAll`. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = process.env.TEST_DATABASE_URL;
  const database = server === undefined ? await startEmbeddedDatabase({ dataDir: 'memory' }) : await ownOn(server);
  await migrate(database.url);
  return database;
}

async function ownOn(server: string): Promise<TestDatabase> {
  const name = `durable_oauth_test_${randomBytes(8).toString('hex')}`;
  const run = async (statement: string): Promise<void> => {
    const client = new Client({ connectionString: server });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, stop: () => run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}
