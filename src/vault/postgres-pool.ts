/** Connections of a vault in PostgreSQL: time limits, transactions, and no foreign error. */
import { DatabaseError, Pool, type PoolClient } from 'pg';
import { DurableOAuthError, isDurableOAuthError, type Coordinates } from '../errors';

const PATIENCE_MS = 3_000;
const CONNECTIONS = 10;

export interface VaultPool {
  /** @throws VAULT_UNAVAILABLE for every failure that is not ours */
  use<T>(attempted: string, where: Coordinates, work: (client: PoolClient) => Promise<T>): Promise<T>;
  /** As `use`, all or nothing. */
  transaction<T>(attempted: string, where: Coordinates, work: (client: PoolClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function openPool(url: string): VaultPool {
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS,
    keepAlive: true,
    connectionTimeoutMillis: PATIENCE_MS,
    statement_timeout: PATIENCE_MS,
    // Longer than the server's own limit, so that it only strikes when the server is silent.
    query_timeout: PATIENCE_MS + 500,
  });
  // A lost connection that nobody waits for would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));

  async function use<T>(attempted: string, where: Coordinates, work: (client: PoolClient) => Promise<T>): Promise<T> {
    let client: PoolClient;
    try {
      client = await pool.connect();
    } catch (error) {
      throw asOurs(error, attempted, where);
    }
    // One that did not answer would make the next caller wait as well.
    let broken = false;
    try {
      return await work(client);
    } catch (error) {
      broken = !isDurableOAuthError(error) && !(error instanceof DatabaseError);
      throw asOurs(error, attempted, where);
    } finally {
      client.release(broken);
    }
  }

  return {
    use,
    transaction: (attempted, where, work) =>
      use(attempted, where, async (client) => {
        await client.query('BEGIN');
        try {
          const done = await work(client);
          await client.query('COMMIT');
          return done;
        } catch (error) {
          if (isDurableOAuthError(error) || error instanceof DatabaseError) await client.query('ROLLBACK');
          throw error;
        }
      }),
    close: () => pool.end(),
  };
}

function asOurs(error: unknown, attempted: string, where: Coordinates): DurableOAuthError {
  if (isDurableOAuthError(error)) return error;
  const sqlState = error instanceof DatabaseError ? error.code : undefined;
  return new DurableOAuthError('VAULT_UNAVAILABLE', attempted, { ...where, ...(sqlState && { sqlState }) });
}
