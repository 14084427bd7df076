/**
 * Sealed cells in PostgreSQL: a schema of its own, meant for a role and better a database of its own. Values are sealed
 * before they leave this process (AES-256-GCM; ref, generation and key id are authenticated), so a dump opens nothing.
 *
 *     cells      primary key (ref, generation): a cell is created once
 *     destroyed  tombstones: nothing is stored under the ref again
 *     keys       for each key id a sealed word that tells a wrong key at opening
 *
 * Writes to one ref take turns by a lock that ends with their transaction. Of each ref the newest 100 generations are kept.
 */
import type { PoolClient } from 'pg';
import { DurableOAuthError } from '../errors';
import {
  checkCell,
  checkRef,
  sameSecret,
  secretFromText,
  secretToText,
  vaultConflict,
  vaultGone,
  vaultMissing,
} from './cell';
import type { KeyRing } from './key-ring';
import { openPool, type VaultPool } from './postgres-pool';
import type { Vault, VaultCapabilities, VaultEntry } from './port';
import { seal, unseal } from './seal';
import type { VaultSecret } from './secret';

export interface PostgresVaultOptions {
  readonly url: string;
  readonly keys: KeyRing;
  /** Whether the schema may be made; false for an installation that has used it: a missing one is then an outage. */
  readonly create?: boolean;
}

export interface Resealed {
  readonly resealed: number;
  /** Keys that something is still sealed with, the current one too: a process that was not restarted goes on with its own. */
  readonly keysInUse: readonly string[];
}

export interface PostgresVault extends Vault {
  /** Seal anew what an older key sealed. Values stay as they are. May be stopped and run again. */
  reseal(progress?: (done: number) => void): Promise<Resealed>;
  close(): Promise<void>;
}

const SCHEMA = 'durable_oauth_vault';
const KEPT_GENERATIONS = 100;
const PAGE = 500;
const TABLES = [
  `CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`,
  `CREATE TABLE IF NOT EXISTS ${SCHEMA}.keys (id text PRIMARY KEY, word bytea NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS ${SCHEMA}.cells (
     ref text COLLATE "C" NOT NULL,
     generation bigint NOT NULL,
     key_id text NOT NULL REFERENCES ${SCHEMA}.keys (id),
     sealed bytea NOT NULL,
     PRIMARY KEY (ref, generation)
   )`,
  `CREATE INDEX IF NOT EXISTS cells_key ON ${SCHEMA}.cells (key_id)`,
  `CREATE TABLE IF NOT EXISTS ${SCHEMA}.destroyed (ref text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`,
];

interface Cell {
  readonly generation: string;
  readonly key_id: string;
  readonly sealed: Buffer;
}

/**
 * Open the schema, making it on first use.
 * @throws CONFIGURATION_INVALID when a key does not fit, VAULT_UNAVAILABLE
 */
export async function openPostgresVault(options: PostgresVaultOptions): Promise<PostgresVault> {
  const pool = openPool(options.url);
  const vault = new PostgresSealedVault(pool, options.keys);
  try {
    await vault.prepare(options.create ?? true);
    return vault;
  } catch (error) {
    await pool.close();
    throw error;
  }
}

class PostgresSealedVault implements PostgresVault {
  readonly capabilities: VaultCapabilities = {
    driver: 'postgres-sealed',
    // As AWS Secrets Manager: what works here works there.
    maxBytes: 65_536,
    minWriteIntervalSeconds: 0,
    recoveryWindowDays: 0,
  };
  readonly #pool: VaultPool;
  readonly #keys: KeyRing;

  constructor(pool: VaultPool, keys: KeyRing) {
    this.#pool = pool;
    this.#keys = keys;
  }

  async prepare(create: boolean): Promise<void> {
    await this.#pool.transaction('The vault schema cannot be opened', {}, async (client) => {
      await lock(client, SCHEMA);
      const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
        `${SCHEMA}.keys`,
      ]);
      if (rows[0]?.there !== true) {
        if (!create) {
          throw new DurableOAuthError(
            'VAULT_UNAVAILABLE',
            `There is no schema ${SCHEMA} in the vault's database, and none is made here: is VAULT_DATABASE_URL right?`,
          );
        }
        for (const statement of TABLES) await client.query(statement);
      }
      for (const id of this.#keys.keys.keys()) await this.#checkKey(client, id);
    });
  }

  async put(ref: string, generation: number, secret: VaultSecret): Promise<'stored' | 'same'> {
    checkCell(ref, generation);
    const text = secretToText(ref, secret, this.capabilities.maxBytes);
    return this.#pool.transaction('The vault entry was not stored', { ref, generation }, async (client) => {
      await lock(client, ref);
      if (await isDestroyed(client, ref)) throw vaultGone(ref);
      const { rows } = await client.query<Cell>(
        `SELECT generation, key_id, sealed FROM ${SCHEMA}.cells WHERE ref = $1 AND generation = $2`,
        [ref, generation],
      );
      if (rows[0]) {
        if (sameSecret(this.#open(ref, rows[0]).secret, secret)) return 'same';
        throw vaultConflict(ref, generation);
      }
      const { rows: old } = await client.query<{ generation: string }>(
        `SELECT generation FROM ${SCHEMA}.cells WHERE ref = $1 ORDER BY generation DESC OFFSET $2 LIMIT 1`,
        [ref, KEPT_GENERATIONS - 1],
      );
      const oldest = Number(old[0]?.generation ?? 0);
      if (generation < oldest) throw vaultConflict(ref, generation);
      await client.query(`INSERT INTO ${SCHEMA}.cells (ref, generation, key_id, sealed) VALUES ($1, $2, $3, $4)`, [
        ref,
        generation,
        this.#keys.current,
        this.#seal(ref, generation, text),
      ]);
      // Refresh tokens that were replaced long ago are of no use to anyone but a thief.
      await client.query(`DELETE FROM ${SCHEMA}.cells WHERE ref = $1 AND generation <= $2`, [ref, oldest]);
      return 'stored';
    });
  }

  async latest(ref: string): Promise<VaultEntry> {
    checkRef(ref);
    return this.#pool.use('The vault entry was not read', { ref }, async (client) => {
      const { rows } = await client.query<Cell>(
        `SELECT generation, key_id, sealed FROM ${SCHEMA}.cells WHERE ref = $1 ORDER BY generation DESC LIMIT 1`,
        [ref],
      );
      if (rows[0]) return this.#open(ref, rows[0]);
      throw (await isDestroyed(client, ref)) ? vaultGone(ref) : vaultMissing(ref);
    });
  }

  async destroy(ref: string): Promise<void> {
    checkRef(ref);
    await this.#pool.transaction('The vault entry was not destroyed', { ref }, async (client) => {
      await lock(client, ref);
      await client.query(`INSERT INTO ${SCHEMA}.destroyed (ref) VALUES ($1) ON CONFLICT DO NOTHING`, [ref]);
      await client.query(`DELETE FROM ${SCHEMA}.cells WHERE ref = $1`, [ref]);
    });
  }

  async checkWritable(): Promise<void> {
    await this.#pool.use('The vault takes no entries', {}, async (client) => {
      const { rows } = await client.query<{ writable: boolean }>(
        `SELECT current_setting('transaction_read_only') = 'off' AND to_regclass($1) IS NOT NULL AS writable`,
        [`${SCHEMA}.cells`],
      );
      if (rows[0]?.writable === true) return;
      throw new DurableOAuthError('VAULT_UNAVAILABLE', 'The vault takes no entries: its database is read-only');
    });
  }

  async *list(prefix: string): AsyncGenerator<string> {
    for (let after = ''; ;) {
      const { rows } = await this.#pool.use('The vault entries were not listed', { prefix }, (client) =>
        client.query<{ ref: string }>(
          `SELECT DISTINCT ref FROM ${SCHEMA}.cells WHERE ref > $1 AND starts_with(ref, $2) ORDER BY ref LIMIT $3`,
          [after, prefix, PAGE],
        ),
      );
      for (const { ref } of rows) yield ref;
      after = rows.at(-1)?.ref ?? '';
      if (rows.length < PAGE) return;
    }
  }

  async reseal(progress: (done: number) => void = () => undefined): Promise<Resealed> {
    const { current } = this.#keys;
    let [done, ref, generation] = [0, '', '0'];
    for (;;) {
      // By the primary key, so that a large vault is walked once.
      const rows = await this.#pool.transaction('The vault was not resealed', {}, async (client) => {
        const page = await client.query<Cell & { ref: string }>(
          `SELECT ref, generation, key_id, sealed FROM ${SCHEMA}.cells
           WHERE (ref, generation) > ($1, $2) ORDER BY ref, generation LIMIT $3 FOR UPDATE`,
          [ref, generation, PAGE],
        );
        for (const cell of page.rows) {
          if (cell.key_id === current) continue;
          const sealed = this.#seal(cell.ref, Number(cell.generation), this.#text(cell.ref, cell));
          await client.query(`UPDATE ${SCHEMA}.cells SET key_id = $3, sealed = $4 WHERE ref = $1 AND generation = $2`, [
            cell.ref,
            cell.generation,
            current,
            sealed,
          ]);
          done++;
        }
        return page.rows;
      });
      const last = rows.at(-1);
      if (last === undefined) return { resealed: done, keysInUse: await this.#keysInUse() };
      ({ ref, generation } = last);
      progress(done);
    }
  }

  async #keysInUse(): Promise<string[]> {
    const { rows } = await this.#pool.use('The vault was not resealed', {}, (client) =>
      client.query<{ id: string }>(
        `SELECT id FROM ${SCHEMA}.keys WHERE EXISTS (SELECT FROM ${SCHEMA}.cells WHERE key_id = id) ORDER BY id`,
      ),
    );
    return rows.map(({ id }) => id);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** The first process to use a key leaves the word; a later one that cannot read it has another key under the same id. */
  async #checkKey(client: PoolClient, id: string): Promise<void> {
    const key = this.#keys.keys.get(id)!;
    const context = contextOf('key', 0, id);
    const { rows } = await client.query<{ word: Buffer }>(`SELECT word FROM ${SCHEMA}.keys WHERE id = $1`, [id]);
    if (rows[0] === undefined) {
      // Only then: a database that is read-only for a while must still open.
      await client.query(`INSERT INTO ${SCHEMA}.keys (id, word) VALUES ($1, $2)`, [id, seal(key, context, 'ok')]);
      return;
    }
    if (unseal(key, context, rows[0].word) === 'ok') return;
    throw new DurableOAuthError(
      'CONFIGURATION_INVALID',
      `The key "${id}" of VAULT_KEYS is not the one this vault knows under that id; give a new key a new id`,
    );
  }

  #seal(ref: string, generation: number, text: string): Buffer {
    const { current, keys } = this.#keys;
    return seal(keys.get(current)!, contextOf(ref, generation, current), text);
  }

  #text(ref: string, { generation, key_id: id, sealed }: Cell): string {
    const key = this.#keys.keys.get(id);
    const text = key && unseal(key, contextOf(ref, Number(generation), id), sealed);
    if (text !== undefined) return text;
    throw new DurableOAuthError(
      'VAULT_CORRUPT',
      key
        ? 'The vault entry cannot be opened: its row was changed. Restore it from a backup, or enter the secret or give consent again'
        : `The vault entry is sealed with the key "${id}", which VAULT_KEYS does not hold: add it behind the current one`,
      { ref, generation: Number(generation) },
    );
  }

  #open(ref: string, cell: Cell): VaultEntry {
    const generation = Number(cell.generation);
    return { generation, secret: secretFromText(ref, generation, this.#text(ref, cell)) };
  }
}

const contextOf = (ref: string, generation: number, key: string): string =>
  `durable-oauth postgres vault 1\n${key}\n${ref}\n${generation}`;

async function lock(client: PoolClient, name: string): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7204118))', [name]);
}

async function isDestroyed(client: PoolClient, ref: string): Promise<boolean> {
  const { rowCount } = await client.query(`SELECT 1 FROM ${SCHEMA}.destroyed WHERE ref = $1`, [ref]);
  return rowCount !== 0;
}
