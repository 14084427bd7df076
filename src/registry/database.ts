/** The pool behind Kysely: time limits, and connections that are thrown away once they failed to answer. */
import { Kysely, PostgresDialect, type KyselyPlugin, type PostgresPool, type PostgresPoolClient } from 'kysely';
import { DatabaseError, Pool, types } from 'pg';
import { DurableOAuthError } from '../errors';
import type { Tables } from './schema';

/** Silence of the database is a failure after this long. */
const PATIENCE_MS = 5_000;
const TIMESTAMPTZ = types.builtins.TIMESTAMPTZ;

export interface DatabaseOptions {
  readonly url: string;
  /** Connections at most (default 10). */
  readonly poolSize?: number;
  /** Told of a failure that no caller waits for: a lost idle connection. */
  readonly onError?: (error: DurableOAuthError) => void;
  /** Checks of tests. */
  readonly plugins?: KyselyPlugin[];
  /** Longest connect and longest statement, milliseconds (default 5000). */
  readonly patienceMs?: number;
}

const parserOf = types.getTypeParser as (oid: number, format?: 'text' | 'binary') => (value: string) => unknown;

const toIso = (text: string): string => (parserOf(TIMESTAMPTZ)(text) as Date).toISOString();

export function openDatabase(options: DatabaseOptions): Kysely<Tables> {
  const { url, poolSize = 10, onError, plugins = [], patienceMs = PATIENCE_MS } = options;
  const pool = new Pool({
    connectionString: url,
    max: poolSize,
    keepAlive: true,
    connectionTimeoutMillis: patienceMs,
    statement_timeout: patienceMs,
    // Longer than the server's own limit, so that it only strikes when the server is silent.
    query_timeout: patienceMs + 500,
    types: { getTypeParser: (oid, format) => (oid === TIMESTAMPTZ ? toIso : parserOf(oid, format)) },
  });
  pool.on('error', () => onError?.(new DurableOAuthError('REGISTRY_UNAVAILABLE', 'An idle connection was lost')));
  // A connection lost between two statements of a transaction has no listener of the pool: it would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: discardingBroken(pool) }), plugins });
}

/** Kysely gives every connection back as good; one that did not answer would make the next caller wait as well. */
function discardingBroken(pool: Pool): PostgresPool {
  return {
    async connect() {
      const client = await pool.connect();
      let broken = false;
      const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
        // The ROLLBACK that follows a time-out would only wait for another one.
        if (broken) throw new Error('The connection is lost');
        try {
          return await client.query(text, [...parameters]);
        } catch (error) {
          broken = !(error instanceof DatabaseError);
          throw error;
        }
      };
      return { query: query as PostgresPoolClient['query'], release: () => client.release(broken) };
    },
    end: () => pool.end(),
  };
}
