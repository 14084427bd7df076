/**
 * Many at once, on the dev server: flows that call, flows that are parked, tokens that expire in the same minutes, and a
 * whole fleet that comes back overdue. Nothing may be lost; how late it is, is the figure.
 *
 *     npm run bench -- scale calls 1000 | parked 1000 | expiry 10000 10 | return 2000
 */
import { join } from 'node:path';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { startChild, type Child } from '../src/cli/dev/child';
import { packageFolder } from '../src/cli/dev/package-folder';
import { formatRef } from '../src/connection/ids';
import { CLIENT, inLanes, makeFleet, SECRET, startRuns, type Member } from './stage/fleet';
import { pause, percentile, say, setStage, TENANT, type Stage } from './stage/stage';

const MAIN = join(packageFolder(), 'dist', 'src', 'cli', 'main.js');
const MINUTE_MS = 60_000;
const LATEST_MS = 30 * MINUTE_MS;

const startWorker = ({ env }: Stage): Promise<Child> =>
  startChild({ script: MAIN, args: ['worker'], env, ready: 'ready', log: say });
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const row = (what: string, values: readonly string[]): void =>
  void process.stdout.write(`| ${what} | ${values.join(' | ')} |\n`);

async function authors({ env }: Stage): Promise<{ stop(): Promise<void> }> {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const connection = await NativeConnection.connect({ address: env['TEMPORAL_ADDRESS'] });
  const worker = await Worker.create({
    connection,
    taskQueue: 'authors',
    workflowsPath: require.resolve('./stage/flows'),
  });
  const running = worker.run();
  return {
    async stop() {
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}

/** Start flows that each make one call. @returns how long each took, milliseconds */
async function flows({ parts }: Stage, member: Member, count: number): Promise<Promise<number>[]> {
  const finished: Promise<number>[] = [];
  await inLanes(
    Array.from({ length: count }, (_, index) => index),
    32,
    async (index) => {
      const from = Date.now();
      const flow = await parts.temporal.workflow.start('callOnce', {
        workflowId: `flow-${index}`,
        taskQueue: 'authors',
        args: [formatRef(member.ref)],
      });
      finished.push(flow.result().then(() => Date.now() - from));
    },
  );
  return finished;
}

async function calls(stage: Stage, count: number): Promise<void> {
  const worker = await startWorker(stage);
  const writing = await authors(stage);
  const [member] = await makeFleet(stage, {
    count: 1,
    lifetimeSeconds: 3600,
    // A token the provider knows comes with the first refresh, which is due at once.
    expiresAt: () => Date.now() + MINUTE_MS,
  });
  await startRuns(stage, [member!]);
  const began = Date.now();
  const took = await Promise.all(await flows(stage, member!, count));
  row(`${count} flows that call at once`, [
    `${took.length} done in ${seconds(Date.now() - began)}`,
    `p50 ${seconds(percentile(took, 50))}, p99 ${seconds(percentile(took, 99))}`,
  ]);
  await writing.stop();
  await worker.stop();
}

async function parked(stage: Stage, count: number): Promise<void> {
  const worker = await startWorker(stage);
  const writing = await authors(stage);
  const { provider, parts } = stage;
  const [member] = await makeFleet(stage, { count: 1, lifetimeSeconds: 3600, expiresAt: () => Date.now() - MINUTE_MS });
  provider.outage(503);
  await startRuns(stage, [member!]);
  const { ref } = member!;
  while ((await parts.registry.connections.get(ref))?.state !== 'disconnected') await pause(100);
  const began = Date.now();
  const finished = await flows(stage, member!, count);
  while ((await parts.registry.waiters.list(ref)).length < count) await pause(250);
  const all = Date.now() - began;
  say(`${count} parked after ${seconds(all)}`);
  provider.outage(null);
  let resumed = 0;
  const ends: number[] = [];
  for (const flow of finished) void flow.then(() => void ends.push(Date.now()));
  // The connection is asked by one caller, as a person would who knows that the provider is back.
  await parts.connections.nudge(ref, 'provider is back', { by: 'bench', traceId: 'bench' });
  while ((await parts.registry.connections.get(ref))?.state !== 'active') await pause(50);
  const released = Date.now();
  await Promise.all(finished.map((flow) => flow.then(() => void resumed++)));
  const after = ends.map((at) => at - released);
  row(`${count} flows parked on one connection`, [
    `parked in ${seconds(all)}; ${resumed} resumed`,
    `p50 ${seconds(percentile(after, 50))}, p99 ${seconds(percentile(after, 99))} after it was active`,
  ]);
  await writing.stop();
  await worker.stop();
}

/** Hourly tokens that all end within some minutes; each is due 5 to 11 minutes before its end. */
async function expiry(stage: Stage, count: number, minutes: number): Promise<void> {
  const worker = await startWorker(stage);
  // Runs are started at about 60 per second: that must be over when the first is due.
  const lead = 12 * MINUTE_MS + (count / 50) * 1000;
  const first = Date.now() + lead;
  const members = await makeFleet(stage, {
    count,
    lifetimeSeconds: 3600,
    expiresAt: (index) => first + (index / count) * minutes * MINUTE_MS,
  });
  const began = Date.now();
  await startRuns(stage, members);
  say(`${count} runs started in ${seconds(Date.now() - began)}`);
  await untilRefreshed(stage, count, first + minutes * MINUTE_MS + LATEST_MS);
  await report(stage, members, `${count} tokens that expire within ${minutes} min`);
  await worker.stop();
}

/** Nobody ran for a while: every connection is overdue, has no run, and housekeeping brings them back, oldest expiry first. */
async function comeBack(stage: Stage, count: number): Promise<void> {
  const now = Date.now();
  // Two minutes' worth is dead already; the rest ends within five minutes: all of it is due.
  const members = await makeFleet(stage, {
    count,
    lifetimeSeconds: 3600,
    expiresAt: (index) => now + ((index / count) * 7 - 2) * MINUTE_MS,
    nextAttemptAt: () => now - 10 * MINUTE_MS,
  });
  const began = Date.now();
  const worker = await startWorker(stage);
  await untilRefreshed(stage, count, began + LATEST_MS);
  await report(stage, members, `${count} overdue connections come back`, began);
  await worker.stop();
}

async function untilRefreshed({ provider }: Stage, count: number, latest: number): Promise<void> {
  let told = 0;
  while (provider.tokenRequests('refresh_token') < count && Date.now() < latest) {
    await pause(1_000);
    if (++told % 30 === 0) say(`${provider.tokenRequests('refresh_token')} of ${count} refreshed`);
  }
  await pause(10_000);
}

async function report({ parts }: Stage, members: readonly Member[], what: string, from?: number): Promise<void> {
  const due: number[] = [];
  let [refreshed, late] = [0, 0];
  for (const { ref, expiresAt } of members) {
    const now = await parts.registry.connections.get(ref);
    if (now?.issuedAt == null || now.generation < 2) continue;
    refreshed++;
    const at = Date.parse(now.issuedAt);
    // Dead before anybody could come back: not late by our doing.
    if (at > expiresAt && (from === undefined || expiresAt > from)) late++;
    if (from !== undefined) {
      due.push(at - from);
    } else due.push(at - (expiresAt - 5 * MINUTE_MS));
  }
  row(what, [
    `${refreshed} of ${members.length} refreshed, ${late} after their end`,
    from === undefined
      ? `against the last moment of their buffer: p50 ${seconds(percentile(due, 50))}, p99 ${seconds(percentile(due, 99))}, latest ${seconds(Math.max(...due))}`
      : `p50 ${seconds(percentile(due, 50))}, p99 ${seconds(percentile(due, 99))} after the start; ${inOrder(due)} % in the order of expiry`,
  ]);
}

/** Of members a tenth of the fleet apart, how many were refreshed in their order. */
function inOrder(times: readonly number[]): number {
  const apart = Math.max(1, Math.floor(times.length / 10));
  const pairs = times.slice(apart).map((at, index) => at >= times[index]!);
  return Math.round((pairs.filter(Boolean).length / pairs.length) * 100);
}

const SCENES: Readonly<Record<string, (stage: Stage, count: number, minutes: number) => Promise<void>>> = {
  calls,
  parked,
  expiry,
  return: comeBack,
};

async function main(): Promise<void> {
  const [name = '', count = '1000', minutes = '10'] = process.argv.slice(2);
  const scene = SCENES[name];
  if (scene === undefined) throw new Error(`npm run bench -- scale ${Object.keys(SCENES).join('|')} [count] [minutes]`);
  const stage = await setStage({ [CLIENT]: { secret: SECRET } });
  say(
    `${name}: ${count}, tenant ${TENANT}, on ${stage.env['BENCH_DATABASE_URL'] ? 'PostgreSQL' : 'the embedded database'}`,
  );
  try {
    await scene(stage, Number(count), Number(minutes));
  } finally {
    await stage.stop();
  }
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
