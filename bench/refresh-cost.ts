/**
 * What a refresh costs, in CPU of the worker and of Temporal, beside a bare workflow of one timer and one activity at the
 * same rate on the same server; and what a thousand waiting connections hold in memory.
 */
import { join } from 'node:path';
import { startChild, type Child } from '../src/cli/dev/child';
import { packageFolder } from '../src/cli/dev/package-folder';
import { connectionWorkflowId } from '../src/connection/ids';
import { CLIENT, inLanes, makeFleet, SECRET, startRuns, type Member } from './stage/fleet';
import { cpuSeconds, pause, residentMb, say, setStage, type Stage } from './stage/stage';

const RATE = Number(process.argv[2] ?? 10);
const LIFETIME_SECONDS = 40;
/** Due a quarter of the lifetime before its end, and on average a twentieth earlier. */
const PERIOD_MS = LIFETIME_SECONDS * 1000 * 0.7;
const COUNT = Math.round((RATE * PERIOD_MS) / 1000);
const WARM_UP_MS = 45_000;
const WINDOW_MS = 120_000;
const BUILT = join(packageFolder(), 'dist');

interface Cost {
  readonly what: string;
  readonly perSecond: number;
  readonly temporalMs: number;
  readonly workerMs: number;
}

async function window(what: string, stage: Stage, worker: Child, done: () => number): Promise<Cost> {
  say(`${what}: warming up …`);
  await pause(WARM_UP_MS);
  const before = { temporal: cpuSeconds(stage.temporal.pid), worker: cpuSeconds(worker.pid), done: done() };
  await pause(WINDOW_MS);
  const turns = done() - before.done;
  return {
    what,
    perSecond: turns / (WINDOW_MS / 1000),
    temporalMs: ((cpuSeconds(stage.temporal.pid) - before.temporal) * 1000) / turns,
    workerMs: ((cpuSeconds(worker.pid) - before.worker) * 1000) / turns,
  };
}

async function ours(stage: Stage): Promise<{ cost: Cost; events: number; memory: string[] }> {
  const worker = await startChild({
    script: join(BUILT, 'src', 'cli', 'main.js'),
    args: ['worker'],
    env: stage.env,
    ready: 'ready',
    log: say,
  });
  try {
    const memory = await memoryOf(stage, worker);
    stage.provider.tokenLifetime(LIFETIME_SECONDS);
    const soon = Date.now() + 20_000;
    const members = await makeFleet(stage, {
      count: COUNT,
      from: 100_000,
      lifetimeSeconds: LIFETIME_SECONDS,
      expiresAt: (index) => soon + ((index % COUNT) / COUNT) * PERIOD_MS,
    });
    await startRuns(stage, members);
    const cost = await window('a refresh', stage, worker, () => stage.provider.tokenRequests('refresh_token'));
    return { cost, memory, events: await eventsPerRefresh(stage, members) };
  } finally {
    await worker.stop();
  }
}

/** Of the runs that are there now: events of a run over the refreshes in it. */
async function eventsPerRefresh({ parts }: Stage, members: readonly Member[]): Promise<number> {
  const [before, refreshes] = [{ events: 0 }, { count: 0 }];
  for (const { ref } of members.slice(0, 5)) {
    const { events } = await parts.temporal.workflow.getHandle(connectionWorkflowId(ref)).fetchHistory();
    const names = (events ?? []).map(({ activityTaskScheduledEventAttributes: a }) => a?.activityType?.name);
    const first = names.indexOf('refreshTokenSet');
    const last = names.lastIndexOf('refreshTokenSet');
    before.events += last - first;
    refreshes.count += names.filter((name) => name === 'refreshTokenSet').length - 1;
  }
  return before.events / refreshes.count;
}

const WAITING = 1_000;

async function memoryOf(stage: Stage, worker: Child): Promise<string[]> {
  const far = Date.now() + 10 * 3_600_000;
  const rows: string[] = [];
  let before = { worker: 0, temporal: 0 };
  for (const [turn, label] of ['first', 'second'].entries()) {
    const members = await makeFleet(stage, {
      count: WAITING,
      from: turn * WAITING,
      lifetimeSeconds: 36_000,
      expiresAt: () => far,
    });
    await startRuns(stage, members);
    // Loaded, and waiting on its timer.
    await inLanes(members.slice(-20), 4, async ({ ref }) => {
      await stage.parts.connections.describe(ref);
    });
    await pause(5_000);
    const now = { worker: residentMb(worker.pid), temporal: residentMb(stage.temporal.pid) };
    rows.push(
      `| ${label} ${WAITING} connections | ${(now.worker - before.worker).toFixed(0)} MB | ${(now.temporal - before.temporal).toFixed(0)} MB |`,
    );
    before = now;
  }
  return rows;
}

async function bare(stage: Stage): Promise<Cost> {
  let done = 0;
  const worker = await startChild({
    script: join(BUILT, 'bench', 'bare', 'worker.js'),
    env: stage.env,
    ready: 'ready',
    log: (line) => {
      const [, count] = /^done (\d+)/.exec(line) ?? [];
      if (count !== undefined) done = Number(count);
    },
  });
  try {
    await inLanes(
      Array.from({ length: COUNT }, (_, index) => index),
      16,
      async (index) => {
        await stage.parts.temporal.workflow.start('bare', {
          workflowId: `bare-${index}`,
          taskQueue: 'bare',
          args: [PERIOD_MS],
        });
      },
    );
    return await window('a bare timer and activity', stage, worker, () => done);
  } finally {
    await worker.stop();
  }
}

/** A server of its own for each, so that neither pays for the other's past. */
async function on<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = await setStage({ [CLIENT]: { secret: SECRET } });
  try {
    return await work(stage);
  } finally {
    await stage.stop();
  }
}

async function main(): Promise<void> {
  say(
    `${COUNT} workflows, one turn every ${PERIOD_MS / 1000} s each: about ${RATE}/s; two windows of ${WINDOW_MS / 1000} s`,
  );
  const plain = await on(bare);
  const { cost, events, memory } = await on(ours);
  process.stdout.write(
    '| What | Per second | Temporal, ms CPU | Worker, ms CPU | Sum |\n| --- | --- | --- | --- | --- |\n',
  );
  for (const { what, perSecond, temporalMs, workerMs } of [plain, cost]) {
    process.stdout.write(
      `| ${what} | ${perSecond.toFixed(1)} | ${temporalMs.toFixed(1)} | ${workerMs.toFixed(1)} | ${(temporalMs + workerMs).toFixed(1)} |\n`,
    );
  }
  const ratio = (cost.temporalMs + cost.workerMs) / (plain.temporalMs + plain.workerMs);
  process.stdout.write(`\nratio ${ratio.toFixed(2)}; ${events.toFixed(1)} events per refresh\n\n`);
  process.stdout.write(`| Memory | Worker | Temporal |\n| --- | --- | --- |\n${memory.join('\n')}\n`);
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
