/** What may happen next in a world: the steps of a refresh, the hours, and everything that may go wrong. */
import { iso, SECOND } from '../../src/connection/clocks';
import { nextStep } from '../../src/connection/start';
import { apply, canRefresh, type CoreEvent } from '../../src/connection/transitions';
import type { FailureFacts } from '../../src/connection/types';
import { around, FLOOR, loaded, newestIn, reportOf, type Attempt, type Pair, type World } from './world';

export interface Move {
  readonly story: string;
  readonly to: World;
}

export const LIMITS = { crash: 2, lost: 1, vault: 1, revoke: 1, consent: 1, refused: 1, reset: 1 } as const;
/** After this long the engine gives an attempt up (heartbeat time-out). */
const GIVEN_UP_MS = 25 * SECOND;

const copy = (world: World): World => structuredClone(world);

function become(world: World, event: CoreEvent): void {
  world.core = apply(world.core, event, around(world));
}

/** What the main loop does between two moves without anybody's help: project, notice the end of a token. */
function settle(world: World): World {
  for (let i = 0; i < 10; i++) {
    if (world.attempt || world.escrow) return world;
    if (world.revoking === world.row.grant && !world.core.frozen) {
      become(world, { type: 'frozen', reason: 'REVOKED_HERE' });
      continue;
    }
    const step = nextStep(world.core, world.now, 0);
    if (step.do === 'record') {
      const { state, reason } = world.core;
      world.row = { ...world.row, state, reason };
      become(world, { type: 'recorded', stateVersion: world.core.stateVersion, applied: true });
    } else if (step.do === 'watch_expiry') become(world, { type: 'time_passed' });
    else return world;
  }
  throw new Error('The main loop does not come to rest');
}

function failed(world: World, failure: FailureFacts, begun = world.now): void {
  world.attempt = undefined;
  become(world, { type: 'refresh_failed', failure, evidence: 'at', begunAt: iso(begun) });
}

const AMBIGUOUS: FailureFacts = { class: 'AMBIGUOUS', code: 'REFRESH_OUTCOME_UNKNOWN' };
const STORAGE: FailureFacts = { class: 'TRANSIENT', code: 'STORAGE_UNREACHABLE' };

function refreshed(world: World, grant: string): void {
  const held = newestIn(world, grant);
  world.attempt = undefined;
  world.escrow = undefined;
  if (!held) return;
  become(world, { type: 'refreshed', report: reportOf(world, held.pair, held.generation) });
  if (world.row.grant === grant) world.row = { ...world.row, generation: held.generation };
}

/** Create-only; of two sets for one generation the later wins, above the other. */
function put(world: World, grant: string, generation: number, pair: Pair): void {
  if (world.destroyed.includes(grant)) return;
  const cells = (world.cells[grant] ??= []);
  const there = cells[generation - 1];
  if (there === undefined) cells[generation - 1] = pair;
  else if (there.refresh === pair.refresh && there.at === pair.at) return;
  else if (world.mutation === 'no fence') {
    cells[generation - 1] = pair;
    world.broken = `generation ${generation} of ${grant} was overwritten`;
  } else if (cells.at(-1)!.at < pair.at) cells.push(pair);
}

/** The server's side of a refresh. Reuse of a replaced token ends the grant, as the strictest servers do. */
function commit(world: World, token: number): Pair | undefined {
  const [grant, it] = Object.entries(world.server).find(([, { tokens }]) => token in tokens)!;
  if (!it.alive) return undefined;
  const own = it.tokens[token]!;
  const at = world.now;
  if (world.mode === 'none') return { refresh: token, grant, at };
  const age = own.replacedAt === undefined ? undefined : at - own.replacedAt;
  const accepted =
    age === undefined ||
    world.mode === 'old_stays_valid' ||
    (world.mode === 'grace' && age < 30 * SECOND) ||
    (world.mode === 'until_used' && own.replacedAt !== -1);
  if (!accepted) {
    it.alive = false;
    return undefined;
  }
  // The first use of a successor ends its predecessors; another use of a predecessor ends the unused successor.
  for (const [name, other] of Object.entries(it.tokens)) {
    if (Number(name) === token) other.replacedAt ??= at;
    else if (world.mode === 'until_used') other.replacedAt = -1;
    else other.replacedAt ??= at;
  }
  it.tokens[world.nextToken] = {};
  return { refresh: world.nextToken++, grant, at };
}

// ── the steps of an attempt ───────────────────────────────────────────────────────────────────────────────────────

function present(world: World, attempt: Attempt): void {
  const token = attempt.presented!;
  const before = world.presented[token] ?? 0;
  world.presented[token] = before + 1;
  const remaining = world.core.expiresAt === null ? 0 : Date.parse(world.core.expiresAt) - world.now;
  const age = world.server[attempt.grant]?.tokens[token]?.replacedAt;
  const allowed =
    before === 0 ||
    world.mode === 'none' ||
    world.mode === 'old_stays_valid' ||
    world.mode === 'until_used' ||
    (world.mode === 'grace' && (age === undefined || world.now - age < 30 * SECOND)) ||
    (world.mode === 'unknown' && before === 1) ||
    // Two floors before the end of the access token nothing is left to protect.
    remaining <= 2 * FLOOR * SECOND ||
    // What was sent is known from Temporal alone until it is projected.
    world.faults.reset > 0;
  if (!allowed)
    world.broken = `refresh token ${token} was presented ${before + 1} times, ${remaining / 1000} s before its end`;
}

/** @returns where one step of an attempt leads; more than one world where the outside decides */
function progress(before: World, who: 'attempt' | 'zombie'): Move[] {
  const name = who === 'zombie' ? 'the worker that was given up' : 'the worker';
  const mine = who === 'attempt';
  const next = (story: string, change: (world: World, attempt: Attempt) => void): Move => {
    const world = copy(before);
    change(world, world[who]!);
    return { story: `${name} ${story}`, to: settle(world) };
  };
  const attempt = before[who]!;
  const end = (world: World): void => void (world[who] = undefined);
  switch (attempt.phase) {
    case 'start': {
      if (!before.vaultUp) return [next('cannot read the vault', (world) => failed(world, STORAGE))];
      if (before.destroyed.includes(attempt.grant))
        return [
          next('finds the grant destroyed', (world) => failed(world, { class: 'REAUTH', code: 'GRANT_REFUSED' })),
        ];
      const held = newestIn(before, attempt.grant)!;
      if (held.generation > attempt.generation)
        return [next('finds a newer generation', (world) => refreshed(world, attempt.grant))];
      if (before.core.fingerprints.includes(String(held.pair.refresh)))
        return [
          next('knows the refresh token as refused', (world) =>
            failed(world, { class: 'REAUTH', code: 'GRANT_REFUSED' }),
          ),
        ];
      return [
        next(`is ready to send refresh token ${held.pair.refresh}`, (_world, it) => {
          it.phase = 'ready';
          it.presented = held.pair.refresh;
        }),
      ];
    }
    case 'ready':
      return [
        next('sends', (world, it) => {
          it.phase = 'sent';
          present(world, it);
        }),
      ];
    case 'sent': {
      const answered = next('gets an answer', (world, it) => {
        it.pair = commit(world, it.presented!);
        it.rotated = it.pair?.refresh !== it.presented;
        it.phase = 'answered';
      });
      if (before.faults.lost >= LIMITS.lost) return [answered];
      const lost = next('loses the answer; the server has committed', (world, it) => {
        world.faults.lost++;
        const pair = commit(world, it.presented!);
        if (pair && pair.refresh !== it.presented) world.excused = true;
        failed(world, AMBIGUOUS);
      });
      return [answered, lost];
    }
    case 'answered': {
      if (attempt.pair !== undefined)
        return [
          next(
            attempt.rotated && before.mutation !== 'no escrow'
              ? 'seals the answer into its heartbeat'
              : 'goes on to store',
            (_world, it) => {
              it.phase = 'kept';
            },
          ),
        ];
      if (!mine) return [next('is refused; nobody listens', end)];
      const held = newestIn(before, attempt.grant);
      if (before.vaultUp && held && held.generation > attempt.generation)
        return [
          next('is refused, looks again and finds a newer generation', (world) => refreshed(world, attempt.grant)),
        ];
      return [
        next('is refused', (world) =>
          failed(world, { class: 'REAUTH', code: 'GRANT_REFUSED', fingerprint: String(attempt.presented) }),
        ),
      ];
    }
    case 'kept': {
      if (before.vaultUp)
        return [
          next(`stores generation ${attempt.generation + 1}`, (world, it) => {
            put(world, it.grant, it.generation + 1, it.pair!);
            it.phase = 'stored';
            if (!mine) end(world);
          }),
        ];
      return [
        next('cannot store', (world, it) => {
          if (!mine) return end(world);
          if (world.mutation === 'no escrow') return failed(world, STORAGE);
          world.escrow = { grant: it.grant, generation: it.generation + 1, pair: it.pair! };
          world.attempt = undefined;
          become(world, { type: 'escrowed', evidence: 'at' });
        }),
      ];
    }
    case 'stored':
      return [next('reports', (world) => refreshed(world, attempt.grant))];
  }
}

/** The engine gives the attempt up. `runs`: the worker lives on all the same. */
function givenUp(before: World, runs: boolean): Move[] {
  const attempt = before.attempt!;
  const { phase } = attempt;
  // A worker that was paused asks its budget before it sends; a send is over before the engine gives up.
  if (runs && (phase === 'start' || phase === 'ready' || phase === 'sent' || phase === 'stored' || before.zombie))
    return [];
  const worlds = phase === 'sent' && !runs ? [true, false] : [false];
  return worlds.map((committed) => {
    const world = copy(before);
    world.faults.crash++;
    if (committed) {
      const pair = commit(world, attempt.presented!);
      if (pair && pair.refresh !== attempt.presented) world.excused = true;
    }
    // The only copy of the answer dies, or is in a hand that nobody waits for any more.
    if (phase === 'answered' && attempt.rotated && attempt.pair) world.excused = true;
    world.now += GIVEN_UP_MS;
    if (runs) world.zombie = structuredClone(attempt);
    world.attempt = undefined;
    const how = `${runs ? 'the engine gives a living worker up' : 'SIGKILL'} (${phase}${committed ? ', the server commits' : ''})`;
    const beaten = (phase === 'kept' || phase === 'stored') && attempt.rotated && world.mutation !== 'no escrow';
    if (beaten) {
      world.escrow = { grant: attempt.grant, generation: attempt.generation + 1, pair: attempt.pair! };
      become(world, { type: 'escrowed', evidence: 'at' });
    } else if (world.mutation === 'engine retries') {
      world.attempt = { phase: 'start', grant: attempt.grant, generation: attempt.generation };
    } else {
      const held = newestIn(world, attempt.grant);
      if (held && held.generation > attempt.generation) refreshed(world, attempt.grant);
      else {
        // recoverRefresh probes the old access token of a strict server.
        if (world.mode === 'strict' && !world.server[attempt.grant]!.alive)
          world.core = { ...world.core, expiresAt: iso(world.now) };
        failed(world, AMBIGUOUS, world.now - GIVEN_UP_MS);
      }
    }
    return { story: how, to: settle(world) };
  });
}

// ── everything ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Moves that need no fault: how a world goes on when it is left in peace. */
export function calmMoves(world: World): Move[] {
  const moves: Move[] = [];
  const to = (story: string, change: (next: World) => void): void => {
    const next = copy(world);
    change(next);
    moves.push({ story, to: settle(next) });
  };
  if (world.zombie) moves.push(...progress(world, 'zombie'));
  if (world.revoking !== undefined && !world.attempt && world.vaultUp)
    to('the revocation is finished', (next) => {
      const grant = next.revoking!;
      next.server[grant]!.alive = false;
      next.destroyed = [...new Set([...next.destroyed, grant])];
      next.revoking = undefined;
      if (next.row.grant !== grant) return;
      next.escrow = undefined;
      if (!next.core.frozen) become(next, { type: 'frozen', reason: 'REVOKED_HERE' });
    });
  const frozen = world.revoking === world.row.grant;
  if (world.attempt) moves.push(...progress(world, 'attempt'));
  else if (world.newGrants.length > 0 && world.vaultUp && (frozen || !world.escrow))
    to(`grant ${world.newGrants[0]} is adopted`, (next) => {
      const grant = next.newGrants.shift()!;
      const old = next.row.grant;
      const held = newestIn(next, grant)!;
      next.escrow = undefined;
      next.row = { ...next.row, grant, generation: held.generation, frozen: false };
      become(next, { type: 'grant_adopted', consent: grant, report: reportOf(next, held.pair, held.generation) });
      // A revocation that goes on beside destroys its own.
      if (old !== next.revoking) next.destroyed = [...new Set([...next.destroyed, old])];
    });
  else if (world.escrow && !frozen) {
    if (world.vaultUp)
      to('the kept answer is stored', (next) => {
        const { grant, generation, pair } = next.escrow!;
        put(next, grant, generation, pair);
        refreshed(next, grant);
      });
  } else if (!frozen && !world.core.frozen) {
    const step = nextStep(world.core, world.now, 0);
    if (step.do === 'refresh')
      to('a refresh is due', (next) => {
        next.attempt = { phase: 'start', grant: next.row.grant, generation: next.core.generation };
      });
    else if (step.do === 'wait' && step.untilMs !== undefined) {
      const { untilMs, why } = step;
      to(`${Math.round((untilMs - world.now) / 1000)} s pass (${why})`, (next) => (next.now = untilMs));
    }
  }
  return moves;
}

export function allMoves(world: World): Move[] {
  const moves = calmMoves(world);
  const { faults, core } = world;
  const fault = (kind: keyof typeof LIMITS, story: string, change: (next: World) => void): void => {
    if (faults[kind] >= LIMITS[kind]) return;
    const next = copy(world);
    next.faults[kind]++;
    change(next);
    moves.push({ story, to: settle(next) });
  };
  if (world.attempt && faults.crash < LIMITS.crash) moves.push(...givenUp(world, false), ...givenUp(world, true));
  if (!world.vaultUp) moves.push({ story: 'the vault is back', to: { ...copy(world), vaultUp: true } });
  else fault('vault', 'the vault goes away', (next) => (next.vaultUp = false));
  if (!core.frozen && world.revoking === undefined)
    fault('revoke', 'the connection is revoked', (next) => {
      next.revoking = next.row.grant;
      next.row = { ...next.row, frozen: true };
      // What was consented to before goes with it.
      for (const grant of next.newGrants) next.server[grant]!.alive = false;
      next.revoked = [next.row.grant, ...next.newGrants];
      next.destroyed = [...next.destroyed, ...next.newGrants];
      next.newGrants = [];
    });
  if (canRefresh(core))
    fault('refused', 'a caller was answered 401', (next) =>
      become(next, { type: 'asked', generation: core.generation, why: 'refused' }),
    );
  if (world.vaultUp && (core.state === 'reauth_required' || core.frozen))
    for (const account of ['ann', 'bob']) {
      fault('consent', `${account} consents`, (next) => {
        const kept = account === 'ann' || next.mutation === 'no account check';
        if (!kept) return;
        next.server['g2'] = { account, alive: true, tokens: { [next.nextToken]: {} } };
        next.cells['g2'] = [{ refresh: next.nextToken++, grant: 'g2', at: next.now }];
        next.newGrants.push('g2');
      });
    }
  fault('reset', 'Temporal loses everything', (next) => {
    const unsaved = next.escrow ?? (next.attempt?.pair && next.attempt.rotated && next.attempt.phase !== 'stored');
    const open = next.attempt?.phase === 'sent';
    if (unsaved || open) next.excused = true;
    next.attempt = next.escrow = undefined;
    next.core = loaded(next);
    if (next.row.frozen && !next.destroyed.includes(next.row.grant)) next.revoking = next.row.grant;
  });
  return moves;
}
