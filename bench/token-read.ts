/**
 * What a token read costs: in this process, and through the API; beside a bare Fastify route, and beside the floor of a
 * design that asks its stores on every read (6 SQL statements by key, 3 round trips as to Redis). One run, one machine:
 * the ratios are what counts.
 */
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import fastify from 'fastify';
import { Pool } from 'pg';
import { pino } from 'pino';
import { createKey } from '../src/cli/create-key';
import { buildApp } from '../src/http/app';
import { CLIENT, makeFleet, SECRET } from './stage/fleet';
import { percentile, say, setStage, TENANT, type Stage } from './stage/stage';

const IN_PROCESS = 200_000;
const THROUGH_HTTP = 3_000;
const FLOOR = 2_000;
const CONCURRENCY = 10;
/** The route allows 120 reads per minute and key. */
const READS_PER_KEY = 100;

interface Figure {
  readonly what: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function measure(
  what: string,
  count: number,
  lanes: number,
  read: (turn: number) => Promise<void>,
): Promise<Figure> {
  for (let turn = 0; turn < 200; turn++) await read(turn % lanes);
  const took: number[] = [];
  let turn = 0;
  const began = performance.now();
  const lane = async (): Promise<void> => {
    while (turn < count) {
      const mine = turn++;
      const from = performance.now();
      await read(mine);
      took.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const seconds = (performance.now() - began) / 1000;
  return { what, perSecond: count / seconds, p50Ms: percentile(took, 50), p99Ms: percentile(took, 99) };
}

const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
async function get(url: string, authorization = ''): Promise<void> {
  const sent = request(url, { agent, headers: { authorization } }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
}

async function throughApi(
  { parts, env }: Stage,
  connection: string,
): Promise<{ read(turn: number): Promise<void>; close(): Promise<void> }> {
  const { config } = parts;
  const app = buildApp({
    ...parts,
    config: { ...config, callbackBase: config.callbackUrl },
    log: pino({ level: 'silent' }),
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const keys: string[] = [];
  for (let key = 0; key < (THROUGH_HTTP + 400) / READS_PER_KEY; key++) {
    const email = `reader-${key}@localhost`;
    const made = await createKey(env['DATABASE_URL'] ?? '', { tenant: TENANT, email });
    keys.push(`Basic ${Buffer.from(`${email}:${made}`).toString('base64')}`);
  }
  let reads = 0;
  return {
    read: () =>
      get(
        `${url}/v2/tenants/${TENANT}/connections/${connection}/access-token`,
        keys[Math.floor(reads++ / READS_PER_KEY)],
      ),
    close: () => app.close(),
  };
}

/** A store that answers each line with a line: the least a Redis call can cost. */
async function pingPong(): Promise<{ ask(): Promise<void>; close(): void }> {
  const server = createServer((socket) => void socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = Array.from({ length: CONCURRENCY }, () =>
    connect((server.address() as AddressInfo).port, '127.0.0.1'),
  );
  return {
    async ask() {
      const socket = sockets.pop()!;
      socket.write('GET key\n');
      await once(socket, 'data');
      sockets.push(socket);
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function main(): Promise<void> {
  const stage = await setStage({ [CLIENT]: { secret: SECRET } });
  const [member] = await makeFleet(stage, { count: 1, expiresAt: () => Date.now() + 3_600_000, lifetimeSeconds: 3600 });
  const { ref } = member!;
  const figures: Figure[] = [];

  figures.push(
    await measure('our reader, in process', IN_PROCESS, 1, async () => void (await stage.parts.tokens.read(ref))),
  );

  const bare = fastify();
  bare.get('/token', async () => ({ data: { type: 'access-token', attributes: { access_token: 'x'.repeat(40) } } }));
  const bareUrl = await bare.listen({ host: '127.0.0.1', port: 0 });
  figures.push(await measure('a bare Fastify route', THROUGH_HTTP, CONCURRENCY, () => get(`${bareUrl}/token`)));
  await bare.close();

  const api = await throughApi(stage, ref.connection);
  figures.push(await measure('our API: key, permission, audit row, token', THROUGH_HTTP, CONCURRENCY, api.read));
  await api.close();

  const pool = new Pool({ connectionString: stage.env['DATABASE_URL'], max: CONCURRENCY });
  const redis = await pingPong();
  const floor = async (): Promise<void> => {
    for (let statement = 0; statement < 6; statement++) {
      await pool.query('SELECT * FROM connections WHERE tenant = $1 AND id = $2', [TENANT, ref.connection]);
    }
    for (let trip = 0; trip < 3; trip++) await redis.ask();
  };
  figures.push(await measure('floor of a design that asks on every read', FLOOR, CONCURRENCY, floor));
  redis.close();
  await pool.end();
  await stage.stop();

  process.stdout.write('| What | Per second | p50 ms | p99 ms |\n| --- | --- | --- | --- |\n');
  for (const { what, perSecond, p50Ms, p99Ms } of figures) {
    process.stdout.write(`| ${what} | ${Math.round(perSecond)} | ${p50Ms.toFixed(4)} | ${p99Ms.toFixed(4)} |\n`);
  }
  const [reader, plain, ours, asked] = figures;
  say(`API / bare route: ${(ours!.p50Ms / plain!.p50Ms).toFixed(1)} × the time`);
  say(`floor / our reader: ${Math.round(asked!.p50Ms / reader!.p50Ms)} × the time`);
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
