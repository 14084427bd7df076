/** Brings the tables up to date, safely when several processes do it at once. */
import { sql, type Kysely } from 'kysely';
import { MIGRATIONS } from './migrations';
import { openDatabase } from './database';
import { toRegistryError } from './errors';
import type { Tables } from './schema';

/** Any fixed number: who holds it migrates. */
const LOCK = 7_204_118_233;
const PATIENCE_MS = 120_000;
const MIGRATIONS_TABLE = `CREATE TABLE IF NOT EXISTS schema_migrations (
  name text PRIMARY KEY,
  applied_at timestamptz NOT NULL DEFAULT now()
)`;

/**
 * Apply the migrations that are missing, all in one transaction. A schema newer than this code is left alone.
 *
 * The lock belongs to the transaction and not to the session, as Kysely's own migrator has it: clients of the embedded
 * database share one session, so a session lock would be had by all of them at once.
 * @throws REGISTRY_UNAVAILABLE
 */
export async function migrate(url: string): Promise<void> {
  const db = openDatabase({ url, poolSize: 1, patienceMs: PATIENCE_MS });
  try {
    await db.transaction().execute(applyMissing);
  } catch (error) {
    throw toRegistryError(error, { operation: 'migrate' });
  } finally {
    await db.destroy();
  }
}

/** What this version knows and the database lacks, and the other way round. @throws REGISTRY_UNAVAILABLE */
export async function migrationsOf(url: string): Promise<{ missing: readonly string[]; unknown: readonly string[] }> {
  const db = openDatabase({ url, poolSize: 1 });
  try {
    const { rows: tables } = await sql<{ there: boolean }>`
      SELECT to_regclass('schema_migrations') IS NOT NULL AS there`.execute(db);
    const applied = tables[0]?.there
      ? (await sql<{ name: string }>`SELECT name FROM schema_migrations ORDER BY name`.execute(db)).rows
      : [];
    const names = applied.map(({ name }) => name);
    const known = MIGRATIONS.map(({ name }) => name);
    return {
      missing: known.filter((name) => !names.includes(name)),
      unknown: names.filter((name) => !known.includes(name)),
    };
  } catch (error) {
    throw toRegistryError(error, { operation: 'migrationsOf' });
  } finally {
    await db.destroy();
  }
}

async function applyMissing(db: Kysely<Tables>): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${LOCK}::bigint)`.execute(db);
  await sql.raw(MIGRATIONS_TABLE).execute(db);
  const applied = await sql<{ name: string }>`SELECT name FROM schema_migrations`.execute(db);
  const known = new Set(applied.rows.map(({ name }) => name));
  for (const { name, statements } of MIGRATIONS) {
    if (known.has(name)) continue;
    for (const statement of statements) await sql.raw(statement).execute(db);
    await sql`INSERT INTO schema_migrations (name) VALUES (${name})`.execute(db);
  }
}
