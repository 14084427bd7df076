/** What goes wrong, and when: drawn from one seed. */
import type { ScriptedAnswer } from '../../src/testing/scripted-provider';
import type { Chaos, ChaosOptions, Unit } from './world';

export type Point =
  'request in flight' | 'committed, answer on its way' | 'just after an answer' | 'no refresh under way';
export const POINTS: readonly Point[] = [
  'request in flight',
  'committed, answer on its way',
  'just after an answer',
  'no refresh under way',
];

export interface Kill {
  readonly at: number;
  readonly unit: string;
  readonly kind: Unit['kind'];
  readonly point: Point;
  /** Clients whose refresh it may have hit. */
  readonly hit: readonly string[];
}

/** mulberry32: one seed, one run of luck. */
export function randomOf(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const JUST_AFTER_MS = 400;
const ROUND_MINUTES = 10;
const ANSWERS: readonly ScriptedAnswer[] = [
  { status: 503 },
  { status: 429, headers: { 'retry-after': '5' } },
  { delayMs: 8_000 },
  { delayMs: 1_500 },
  { dropConnection: 'after_commit' },
  { dropConnection: 'before_commit' },
];

/** Something everything stands on was away. */
export interface Outage {
  readonly from: number;
  until: number;
}

export interface Trouble {
  readonly kills: readonly Kill[];
  readonly outages: readonly Outage[];
  /** Ends when the time is over and everything runs again. */
  readonly over: Promise<void>;
}

export function makeTrouble(chaos: Chaos, options: ChaosOptions, log: (line: string) => void): Trouble {
  const { minutes, seed, oddAnswerMs = 3_000, outages: away = true } = options;
  const random = randomOf(seed);
  const kills: Kill[] = [];
  const outages: Outage[] = [];
  const from = Date.now();
  const end = from + minutes * 60_000;
  const left = (): boolean => Date.now() < end;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

  async function kill(): Promise<void> {
    while (left()) {
      // Requests are on their way for milliseconds: most kills wait for one.
      await pause(3_000 + random() * 4_000);
      const choice = random();
      if (choice < 0.4) await until(() => pointOf(chaos).point === 'committed, answer on its way', 4_000);
      else if (choice < 0.8) await until(() => pointOf(chaos).hit.length > 0, 4_000);
      const living = chaos.units.filter(({ child }) => child !== undefined);
      const unit = living[Math.floor(random() * living.length)];
      const child = unit?.child;
      if (!unit || !child) continue;
      kills.push({ at: Date.now(), unit: unit.name, kind: unit.kind, ...pointOf(chaos) });
      unit.child = undefined;
      child.kill('SIGKILL');
      await child.ended;
      void again(unit, 300 + random() * 1_000);
    }
  }

  /** A unit that cannot start while Temporal or the database is away is started again. */
  async function again(unit: Unit, ms: number): Promise<void> {
    for (let wait = ms; unit.child === undefined; wait = 2_000) {
      await pause(wait);
      await unit.start().catch(() => undefined);
    }
  }

  async function misbehave(): Promise<void> {
    while (left()) {
      await pause(oddAnswerMs * (0.5 + random()));
      const answer = ANSWERS[Math.floor(random() * ANSWERS.length)];
      if (answer) chaos.provider.respondNext(answer);
    }
  }

  async function at(share: number, what: string, ms: number, away: (ms: number) => Promise<void>): Promise<void> {
    await pause(from + share * (end - from) - Date.now());
    log(`${what} goes away for ${ms / 1000} s`);
    const outage: Outage = { from: Date.now(), until: Infinity };
    outages.push(outage);
    await away(ms);
    outage.until = Date.now();
    log(`${what} is back`);
  }

  /** What everything stands on goes away one after the other, again in every ten minutes. */
  const rounds = away ? Math.ceil(minutes / ROUND_MINUTES) : 0;
  const outagesOf = (round: number): Promise<void>[] => [
    at((round + 0.2) / rounds, 'the vault', 15_000, (ms) => chaos.vaultAway(ms)),
    at((round + 0.35) / rounds, 'Temporal', 3_000, (ms) => chaos.temporalAway(ms)),
    at((round + 0.55) / rounds, 'PostgreSQL', 8_000, (ms) => chaos.databaseAway(ms)),
    at((round + 0.75) / rounds, 'Temporal', 3_000, (ms) => chaos.temporalAway(ms)),
  ];

  const over = Promise.all([
    kill(),
    misbehave(),
    ...Array.from({ length: rounds }, (_, round) => outagesOf(round)).flat(),
  ]).then(async () => {
    for (const unit of chaos.units) await until(() => unit.child !== undefined, 120_000);
  });
  return { kills, outages, over };
}

/** Where the refreshes stand, by the server's ledger. */
function pointOf({ provider }: Chaos): Pick<Kill, 'point' | 'hit'> {
  const now = Date.now();
  const recent = provider.ledger(200);
  const open = recent.filter(({ endedAt }) => endedAt === undefined);
  const committed = open.filter((entry) => entry.committed);
  const ended = recent.filter(({ endedAt = 0, committed: did }) => did && now - endedAt < JUST_AFTER_MS);
  const clients = (entries: typeof recent): string[] => entries.map(({ clientId }) => clientId);
  if (committed.length > 0) return { point: 'committed, answer on its way', hit: clients(committed) };
  if (open.length > 0) return { point: 'request in flight', hit: clients(open) };
  if (ended.length > 0) return { point: 'just after an answer', hit: clients(ended) };
  return { point: 'no refresh under way', hit: [] };
}

export async function until(holds: () => boolean, withinMs: number): Promise<boolean> {
  for (const end = Date.now() + withinMs; Date.now() < end;) {
    if (holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return holds();
}
