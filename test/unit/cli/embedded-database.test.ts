import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Pool } from 'pg';
import { startEmbeddedDatabase, type EmbeddedDatabase } from '../../../src/cli/dev/embedded-database';

const running = new Set<EmbeddedDatabase>();
const clients = new Set<Client>();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doauth-db-'));
});
afterEach(async () => {
  await Promise.all([...clients].map((client) => client.end().catch(() => undefined)));
  await Promise.all([...running].map((database) => database.stop()));
  clients.clear();
  running.clear();
  rmSync(folder, { recursive: true, force: true });
});

async function start(dataDir: string, url?: string): Promise<EmbeddedDatabase> {
  const database = await startEmbeddedDatabase({ dataDir, url });
  running.add(database);
  return database;
}

async function client(url: string): Promise<Client> {
  const made = new Client({ connectionString: url, query_timeout: 20_000 });
  made.on('error', () => undefined);
  clients.add(made);
  await made.connect();
  return made;
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('It did not happen');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A message of PostgreSQL's wire protocol: type, length with itself, body. */
function message(type: string, body: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + body.length);
  return Buffer.concat([Buffer.from(type, 'latin1'), length, Buffer.from(body, 'latin1')]);
}

describe('the data folder', () => {
  it('keeps what was committed over a stop and over a SIGKILL while writing', async () => {
    const first = await start(folder);
    const writer = await client(first.url);
    await writer.query('CREATE TABLE numbers (n integer PRIMARY KEY)');
    await writer.query('INSERT INTO numbers VALUES (0)');
    await writer.end();
    await first.stop();

    let committed = 0;
    for (let round = 0; round < 3; round++) {
      const database = await start(folder);
      const victim = await client(database.url);
      const { rows } = await victim.query<{ n: number }>('SELECT max(n) AS n FROM numbers');
      expect(rows[0]?.n).toBeGreaterThanOrEqual(committed);
      committed = rows[0]?.n ?? 0;
      const writing = (async () => {
        for (;;) {
          await victim.query('INSERT INTO numbers VALUES ($1)', [committed + 1]);
          committed += 1;
        }
      })();
      const goal = committed + 50;
      await Promise.race([writing, until(() => committed >= goal)]);
      process.kill(database.pid, 'SIGKILL');
      await expect(writing).rejects.toThrow();
      await database.ended;
    }
    const last = await client((await start(folder)).url);
    const { rows } = await last.query<{ n: number; count: number }>('SELECT max(n) AS n, count(*)::int FROM numbers');
    expect(rows[0]?.n).toBeGreaterThanOrEqual(committed);
    expect(rows[0]?.count).toBe((rows[0]?.n ?? 0) + 1);
  });

  it('is for its owner only', async () => {
    const dataDir = join(folder, 'made');
    await start(dataDir);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dataDir, 'lock')).mode & 0o777).toBe(0o600);
  });

  it('that another process has is refused with a sentence that says what to do', async () => {
    const holder = await start(folder);
    const refused = startEmbeddedDatabase({ dataDir: folder });
    await expect(refused).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringMatching(
        new RegExp(`in use by process ${holder.pid}\\. Stop that process .* or choose another`),
      ),
    });
    expect((await (await client(holder.url)).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('that a dead process had is taken over, by one of five that try at once', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(join(folder, 'lock'), `${pid}\n`);
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => start(folder)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(readFileSync(join(folder, 'lock'), 'utf8').trim()).toBe(String([...running][0]?.pid));
    expect(readdirSync(folder).filter((name) => name.startsWith('lock'))).toEqual(['lock']);
  });

  it('that cannot be made, or is damaged, is refused with a sentence', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(startEmbeddedDatabase({ dataDir: join(file, 'below') })).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('cannot be made'),
    });
    await (await start(folder)).stop();
    rmSync(join(folder, 'pgdata', 'global'), { recursive: true });
    await expect(startEmbeddedDatabase({ dataDir: folder })).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('Move the folder away'),
    });
  });

  it('of a first start that was cut off is begun anew', async () => {
    await (await start(folder)).stop();
    rmSync(join(folder, 'pgdata.complete'));
    rmSync(join(folder, 'pgdata', 'base'), { recursive: true });
    expect((await (await client((await start(folder)).url)).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('the process', () => {
  it('ends with its lock given back on stop, while clients are connected', async () => {
    const database = await start(folder);
    await client(database.url);
    await Promise.all([database.stop(), database.stop()]);
    expect(isAlive(database.pid)).toBe(false);
    expect(readdirSync(folder)).not.toContain('lock');
  });

  it('ends by itself when its parent is killed, and gives its lock back', async () => {
    const entry = join(__dirname, '../../../assets/embedded-database.mjs');
    const settings = { dataDir: folder, port: 0, password: 'x' };
    const script = `
      const child = require('node:child_process').fork(${JSON.stringify(entry)}, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
      child.on('message', ({ ready }) => ready && console.log(child.pid));
      child.send(${JSON.stringify(settings)});`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(output.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid));
    expect(readdirSync(folder)).not.toContain('lock');
  });

  it('serves again under an earlier address', async () => {
    const first = await start('memory');
    await first.stop();
    const second = await start('memory', first.url);
    expect(second.url).toBe(first.url);
    expect((await (await client(first.url)).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('refuses a port that is taken, with a sentence', async () => {
    const first = await start('memory');
    await expect(startEmbeddedDatabase({ dataDir: 'memory', url: first.url })).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringMatching(/^Port \d+ on 127\.0\.0\.1 is taken/),
    });
  });

  it('lets nobody in without the password of this start', async () => {
    const url = new URL((await start('memory')).url);
    url.password = 'guessed';
    await expect(client(url.href)).rejects.toMatchObject({ code: '28P01' });
  });
});

describe('clients of one session', () => {
  let database: EmbeddedDatabase;
  beforeEach(async () => {
    database = await start('memory');
  });

  it('each get their own answers, twenty at once and with large values', async () => {
    const pool = new Pool({ connectionString: database.url, max: 20 });
    const large = 'x'.repeat(200_000);
    await Promise.all(
      Array.from({ length: 20 }, async (_, who) => {
        for (let n = 0; n < 20; n++) {
          const values = [`${who}`, n, who % 2 === 0 ? large : 'small'];
          const { rows } = await pool.query(
            `SELECT ${who} AS who, $1::text AS name, $2::int AS n, length($3::text)`,
            values,
          );
          expect(rows[0]).toEqual({ who, name: `${who}`, n, length: who % 2 === 0 ? 200_000 : 5 });
        }
      }),
    );
    await pool.end();
  });

  it('do not disturb a statement that arrives in pieces', async () => {
    const { port, password } = new URL(database.url);
    const socket: Socket = connect(Number(port), '127.0.0.1');
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
    const answered = (text: string): Promise<void> => until(() => received.includes(text));
    socket.write(message('', `\0\x03\0\0user\0postgres\0\0`));
    await until(() => received.length > 0);
    socket.write(message('p', `${password}\0`));
    await answered('server_version');
    socket.write(message('P', `\0SELECT 'mine' AS who\0\0\0`));
    const other = await client(database.url);
    expect((await other.query(`SELECT 'other' AS who, $1::int AS n`, [1])).rows).toEqual([{ who: 'other', n: 1 }]);
    const [bind, execute, sync] = [message('B', '\0'.repeat(8)), message('E', '\0'.repeat(5)), message('S', '')];
    socket.write(Buffer.concat([bind, execute, sync]));
    await answered('mine');
    expect(received.includes('08P01')).toBe(false);
    socket.destroy();
  });

  it('see nothing of an open transaction, and go on when its client is gone', async () => {
    const [writer, reader] = [await client(database.url), await client(database.url)];
    await writer.query('CREATE TABLE t (n integer)');
    await writer.query('BEGIN');
    await writer.query('INSERT INTO t VALUES (1)');
    const read = reader.query('SELECT n FROM t');
    await writer.query('INSERT INTO t VALUES (2)');
    (writer as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
    expect((await read).rows).toEqual([]);
  });

  it('go on after a statement that fails, inside and outside of a transaction', async () => {
    const [one, two] = [await client(database.url), await client(database.url)];
    await expect(one.query('SELECT 1/0')).rejects.toMatchObject({ code: '22012' });
    await one.query('BEGIN');
    await expect(one.query('SELECT $1::int / 0', [1])).rejects.toMatchObject({ code: '22012' });
    const waiting = two.query('SELECT 2 AS n');
    await expect(one.query('SELECT 1')).rejects.toMatchObject({ code: '25P02' });
    await one.query('ROLLBACK');
    expect((await waiting).rows).toEqual([{ n: 2 }]);
    expect((await one.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
  });

  it('are rid of one that holds a transaction and says nothing', async () => {
    const [silent, other] = [await client(database.url), await client(database.url)];
    await silent.query('BEGIN');
    expect((await other.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
    await expect(silent.query('SELECT 1')).rejects.toThrow();
  });
});
