import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { Client } from 'pg';
import { vaultConformance, type VaultUnderTest } from '../../../src/vault/conformance';
import { keyRingFromText } from '../../../src/vault/key-ring';
import { openPostgresVault, type PostgresVault } from '../../../src/vault/postgres-sealed';
import { Secret, type ClientSecret } from '../../../src/vault/secret';
import { startEmbeddedDatabase } from '../../../src/cli/dev/embedded-database';
import { testDatabase, type TestDatabase } from '../../support/database';

const key = (): string => randomBytes(32).toString('base64');
const ONE = `k1:${key()}`;
const CANARY = 'client-secret-canary-8Hq';
const secret = (value = CANARY): ClientSecret => ({
  kind: 'client_secret',
  clientSecret: new Secret(value),
  audience: [],
});

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.stop());

const opened: PostgresVault[] = [];
async function open(keys = ONE, create = true): Promise<PostgresVault> {
  const vault = await openPostgresVault({ url: database.url, keys: keyRingFromText(keys), create });
  opened.push(vault);
  return vault;
}
afterEach(async () => {
  for (const vault of opened.splice(0)) await vault.close();
});

async function sql(...statements: readonly string[]): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
    return rows;
  } finally {
    await client.end();
  }
}

describe('conformance', () => {
  const made = async (): Promise<VaultUnderTest> => ({ vault: await open(), reopen: () => open() });
  for (const { title, run } of vaultConformance(made)) it(title, run);
});

describe('keys', () => {
  it('what is in the tables opens nothing: values are sealed, with the id of their key', async () => {
    const vault = await open();
    await vault.put('client/sealed/oc_1/sec_1', 1, secret());
    const rows = await sql('SELECT * FROM durable_oauth_vault.cells');
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect(Buffer.from(row['sealed'] as Buffer).includes(CANARY)).toBe(false);
      expect(row['key_id']).toBe('k1');
    }
  });

  it('a new key in front seals, the old one still opens; after resealing it is not needed', async () => {
    const [old, next] = [ONE, `k2:${key()}`];
    await (await open(old)).put('client/turn/oc_1/sec_1', 1, secret('before'));
    const both = await open(`${next},${old}`);
    await both.put('client/turn/oc_1/sec_1', 2, secret('after'));
    const progress: number[] = [];
    const first = await both.reseal((done) => void progress.push(done));
    expect(first.resealed).toBeGreaterThan(0);
    expect(first.keysInUse).toEqual(['k2']);
    expect(progress).not.toEqual([]);
    // A process that was not restarted goes on with the old key.
    await (await open(old)).put('client/late/oc_1/sec_1', 1, secret('late'));
    expect(await both.reseal()).toEqual({ resealed: 1, keysInUse: ['k2'] });
    expect(await both.reseal()).toEqual({ resealed: 0, keysInUse: ['k2'] });
    const alone = await open(next);
    expect(await alone.latest('client/turn/oc_1/sec_1')).toEqual({ generation: 2, secret: secret('after') });
    expect(await alone.put('client/turn/oc_1/sec_1', 1, secret('before'))).toBe('same');
    await both.reseal();
    const reverse = await open(`${old},${next}`);
    await reverse.reseal();
  });

  it('another key under a known id is refused at opening, an unknown key where it is met', async () => {
    const vault = await open();
    await vault.put('client/keys/oc_1/sec_1', 1, secret());
    await expect(open(`k1:${key()}`)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
    const other = await open(`k9:${key()}`);
    await expect(other.latest('client/keys/oc_1/sec_1')).rejects.toMatchObject({
      code: 'VAULT_CORRUPT',
      message: expect.stringContaining('"k1"') as unknown,
    });
  });

  it.each(['', 'k1', 'k1:short', 'K1:x', `k1:${key()},k1:${key()}`])('VAULT_KEYS %j is refused', (text) => {
    expect(() => keyRingFromText(text)).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }) as Error);
  });

  it('a cell that was moved to another ref or generation does not open', async () => {
    const vault = await open();
    await vault.put('client/moved/oc_1/sec_1', 1, secret());
    await sql(`UPDATE durable_oauth_vault.cells SET generation = 7 WHERE ref = 'client/moved/oc_1/sec_1'`);
    await expect(vault.latest('client/moved/oc_1/sec_1')).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
  });
});

describe('outages', () => {
  it('a database that is away is VAULT_UNAVAILABLE, and says nothing of the secret', async () => {
    const away = await startEmbeddedDatabase({ dataDir: 'memory' });
    const vault = await openPostgresVault({ url: away.url, keys: keyRingFromText(ONE) });
    await away.stop();
    const failure: unknown = await vault.put('client/away/oc_1/sec_1', 1, secret()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'VAULT_UNAVAILABLE' });
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain(CANARY);
    await expect(vault.latest('client/away/oc_1/sec_1')).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
    await expect(vault.checkWritable()).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
    await vault.close();
  });

  it('an installation that has used the vault does not make another one', async () => {
    const empty = await startEmbeddedDatabase({ dataDir: 'memory' });
    await expect(
      openPostgresVault({ url: empty.url, keys: keyRingFromText(ONE), create: false }),
    ).rejects.toMatchObject({
      code: 'VAULT_UNAVAILABLE',
      message: expect.stringContaining('VAULT_DATABASE_URL') as unknown,
    });
    await empty.stop();
  });

  it('a read-only database is opened and read, takes nothing, and is asked before a token is spent', async () => {
    const vault = await open();
    await vault.put('client/served/oc_1/sec_1', 1, secret());
    const name = new URL(database.url).pathname.slice(1);
    const writable = async (yes: boolean): Promise<void> => {
      const value = yes ? 'off' : 'on';
      // For sessions to come, and for the only session of an embedded database.
      await sql(
        'SET default_transaction_read_only = off',
        `ALTER DATABASE "${name}" SET default_transaction_read_only = ${value}`,
        `SET default_transaction_read_only = ${value}`,
      );
    };
    await writable(false);
    try {
      const standby = await open(ONE, false);
      await expect(standby.checkWritable()).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
      await expect(standby.put('client/standby/oc_1/sec_1', 1, secret())).rejects.toMatchObject({
        code: 'VAULT_UNAVAILABLE',
      });
      expect(await standby.latest('client/served/oc_1/sec_1')).toMatchObject({ generation: 1 });
    } finally {
      await writable(true);
    }
    await vault.checkWritable();
  });
});

it('several writers of one ref take turns: each generation once, the newest 100 kept', async () => {
  const vault = await open();
  const ref = 'grant/many/cn_1/gr_1';
  const queue = Array.from({ length: 120 }, (_, index) => index + 1);
  const outcomes: string[] = [];
  const writer = async (): Promise<void> => {
    for (let generation = queue.shift(); generation !== undefined; generation = queue.shift()) {
      // Two want the same generation: one stores it, the other finds its own value there.
      const twice = [1, 2].map(() => vault.put(ref, generation, secret(`v${generation}`)));
      outcomes.push((await Promise.all(twice)).sort().join());
    }
  };
  await Promise.all(Array.from({ length: 4 }, writer));
  expect(new Set(outcomes)).toEqual(new Set(['same,stored']));
  expect(await vault.latest(ref)).toMatchObject({ generation: 120 });
  const [{ count } = {}] = await sql(`SELECT count(*) FROM durable_oauth_vault.cells WHERE ref = '${ref}'`);
  expect(Number(count)).toBe(100);
});
