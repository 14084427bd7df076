/**
 * The world around the pure core, small enough to be explored whole: an authorization server, a vault, the registry's row,
 * one refresh at a time and a worker that was given up but still runs. Times are milliseconds since the start.
 */
import { iso } from '../../src/connection/clocks';
import type { Carried } from '../../src/connection/messages';
import { recordOf } from '../../src/connection/start';
import type { Policy, Rotation, RotationMode, TokenFacts } from '../../src/connection/types';

/** Seconds; long enough that a heartbeat time-out is not the end of the token. */
export const LIFETIME = 600;
/** Seconds before its end at which an access token is no longer served: nothing is left to protect by two of them. */
export const FLOOR = 10;
const GRACE_SECONDS = 30;

/** What one successful refresh gave. The refresh token keeps its number where the server does not rotate. */
export interface Pair {
  readonly refresh: number;
  readonly grant: string;
  readonly at: number;
}

export interface ServerGrant {
  readonly account: string;
  alive: boolean;
  /** Refresh tokens by number: when each was replaced; undefined = current. */
  readonly tokens: Record<number, { replacedAt?: number }>;
}

/** A refresh on its way, in the words of design 6. */
export interface Attempt {
  phase: 'start' | 'ready' | 'sent' | 'answered' | 'kept' | 'stored';
  readonly grant: string;
  readonly generation: number;
  presented?: number;
  pair?: Pair;
  rotated?: boolean;
}

/** What the model leaves out, to see that the rules notice. */
export type Mutation = 'no fence' | 'no escrow' | 'engine retries' | 'no account check';

export interface World {
  readonly mode: RotationMode;
  readonly mutation?: Mutation;
  now: number;
  core: Carried;
  server: Record<string, ServerGrant>;
  nextToken: number;
  vaultUp: boolean;
  /** By grant, generation 1 first. */
  cells: Record<string, Pair[]>;
  destroyed: string[];
  row: { grant: string; generation: number; state: Carried['state']; reason?: Carried['reason']; frozen: boolean };
  attempt?: Attempt;
  /** A worker the engine gave up; it still runs. */
  zombie?: Attempt;
  /** A sealed answer the workflow holds until the vault takes it. */
  escrow?: { readonly grant: string; readonly generation: number; readonly pair: Pair };
  /** The grant that is being revoked, beside everything else. */
  revoking?: string;
  /** What was revoked must be gone in the end. */
  revoked: string[];
  newGrants: string[];
  /** How often each refresh token was presented. */
  presented: Record<number, number>;
  /** What was done to this world, to bound it and to excuse what nobody could help. */
  faults: {
    crash: number;
    lost: number;
    vault: number;
    revoke: number;
    consent: number;
    refused: number;
    reset: number;
  };
  /** An answer nobody holds any more: the one thing that may cost a consent. */
  excused: boolean;
  broken?: string;
}

export function policyOf(mode: RotationMode): Policy {
  const rotation: Rotation = mode === 'grace' ? { mode, graceSeconds: GRACE_SECONDS } : { mode };
  return { grantType: 'authorization_code', refresh: 'proactive', rotation, fallback: 'pause' };
}

export const around = (world: World) => ({ now: world.now, random: () => 0.5, tuning: { jitter: 0 } });

export function factsOf(pair: Pair, generation: number): TokenFacts {
  const times = { issuedAt: iso(pair.at), receivedAt: iso(pair.at), expiresAt: iso(pair.at + LIFETIME * 1000) };
  return { grant: pair.grant, generation, ...times, lifetimeSeconds: LIFETIME, scope: '', refreshable: true };
}

export const reportOf = (world: World, pair: Pair, generation: number) => ({
  token: factsOf(pair, generation),
  policy: policyOf(world.mode),
  display: { app: 'Shop' },
  grantedAt: iso(0),
});

export function newestIn(world: World, grant: string): { pair: Pair; generation: number } | undefined {
  const cells = world.cells[grant] ?? [];
  const pair = cells.at(-1);
  return pair && { pair, generation: cells.length };
}

/** A run started from its ref alone. */
export function loaded(world: World): Carried {
  const { row, mode } = world;
  const held = world.destroyed.includes(row.grant) ? undefined : newestIn(world, row.grant);
  return recordOf(
    {
      frozen: row.frozen,
      state: row.state,
      reason: row.reason,
      since: iso(world.now),
      stateVersion: world.core.stateVersion,
      generation: row.generation,
      policy: policyOf(mode),
      display: { app: 'Shop' },
      token: held && factsOf(held.pair, held.generation),
      grant: row.grant,
      evidence:
        row.state === 'active'
          ? undefined
          : { id: 'at', at: iso(world.now), class: 'TRANSIENT', attempt: Math.max(1, world.core.failures) },
    },
    around(world),
  );
}

export function begin(mode: RotationMode, mutation?: Mutation): World {
  const pair: Pair = { refresh: 1, grant: 'g1', at: 0 };
  const world: Omit<World, 'core'> & { core?: Carried } = {
    mode,
    mutation,
    now: 0,
    server: { g1: { account: 'ann', alive: true, tokens: { 1: {} } } },
    nextToken: 2,
    vaultUp: true,
    cells: { g1: [pair] },
    destroyed: [],
    row: { grant: 'g1', generation: 1, state: 'active', frozen: false },
    revoked: [],
    newGrants: [],
    presented: {},
    faults: { crash: 0, lost: 0, vault: 0, revoke: 0, consent: 0, refused: 0, reset: 0 },
    excused: false,
  };
  const first = { ...world, core: { stateVersion: 1, failures: 0 } as Carried };
  return { ...first, core: loaded(first) };
}

/**
 * Two worlds with one key go on alike: times count from now, what only names or counts without end is left out. Carrying
 * the record through JSON here is what continue-as-new does to it.
 */
export function keyOf(world: World): string {
  const { core, now } = world;
  const rel = (text: string | null | undefined): number | undefined =>
    text == null ? undefined : Math.max(-1, Math.round((Date.parse(text) - now) / 1000));
  const record = {
    state: core.state,
    recovery: core.recovery,
    reason: core.reason,
    kind: core.evidence?.class,
    grant: core.grant,
    generation: core.generation,
    expires: rel(core.expiresAt),
    issued: core.issuedAt && Math.max(-LIFETIME, Math.round((Date.parse(core.issuedAt) - now) / 1000)),
    next: rel(core.nextAttemptAt),
    failures: Math.min(core.failures, 4),
    ambiguous: core.ambiguous && [core.ambiguous.retries, rel(core.ambiguous.since)],
    fingerprints: core.fingerprints,
    refusals: core.refusals?.count,
    frozen: core.frozen,
    owed: core.owed,
  };
  const aged = (pair: Pair): unknown => [pair.refresh, Math.max(-LIFETIME - 1, Math.round((pair.at - now) / 1000))];
  const server = Object.entries(world.server).map(([grant, { account, alive, tokens }]) => [
    grant,
    account,
    alive,
    Object.entries(tokens).map(([token, { replacedAt }]) => [
      token,
      replacedAt === undefined ? 0 : Math.max(-GRACE_SECONDS - 1, Math.round((replacedAt - now) / 1000)),
    ]),
  ]);
  const { attempt, zombie, escrow, row, presented, faults, vaultUp, destroyed, revoking, revoked, newGrants } = world;
  const { excused } = world;
  const moving = [attempt, zombie].map(
    (one) => one && [one.phase, one.grant, one.generation, one.presented, one.pair?.refresh],
  );
  const cells = Object.entries(world.cells).map(([grant, pairs]) => [grant, pairs.map(aged)]);
  const rest = { row, presented, faults, vaultUp, destroyed, revoking, revoked, newGrants, excused };
  return JSON.stringify([record, server, moving, escrow?.pair.refresh, cells, rest]);
}
