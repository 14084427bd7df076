/**
 * The state model of a connection: one pure function from a record and an event to the next record (design 5).
 * The workflow asks what to do next, does it, and reports what happened; nothing else changes the record.
 */
import type { ErrorCode } from '../errors';
import {
  DAY,
  epoch,
  HOUR,
  isDead,
  iso,
  refreshDueAt,
  refreshNotBefore,
  renewableFrom,
  retryDelayMs,
  SECOND,
  youthMs,
  type Surroundings,
} from './clocks';
import type { Ambiguity, Carried, EnsureFresh } from './messages';
import { retryAfterAmbiguity } from './rotation';
import type { ConnectionState, Display, FailureFacts, Policy, Recovery, TokenFacts } from './types';

/** What an activity says of the newest token set. */
export interface Report {
  readonly token: TokenFacts;
  readonly policy: Policy;
  readonly display: Display;
  readonly grantedAt: string;
}

export type CoreEvent =
  /** A refresh succeeded, or a newer generation was found. */
  | { readonly type: 'refreshed'; readonly report: Report }
  | {
      readonly type: 'refresh_failed';
      readonly failure: FailureFacts;
      readonly evidence: string;
      /** When the attempt began, ISO 8601; absent = now. */
      readonly begunAt?: string;
    }
  /** The provider's answer is kept sealed until the vault takes it. */
  | { readonly type: 'escrowed'; readonly evidence: string }
  | { readonly type: 'grant_adopted'; readonly report: Report; readonly consent: string }
  /** A consent brought no refresh token, but the account is the same: the old grant is to be proved by one refresh. */
  | { readonly type: 'keep_requested'; readonly consent: string }
  /** A caller holds this generation and needs another. */
  | { readonly type: 'asked'; readonly generation: number; readonly why: EnsureFresh['why'] }
  /** Something it depends on changed; with `refresh`, so that what works may not be renewed any more. */
  | { readonly type: 'nudged'; readonly refresh?: boolean }
  | { readonly type: 'frozen'; readonly reason: 'REVOKED_HERE' | 'OAUTH_CLIENT_UNUSABLE' }
  /** The registry answered a projection with its version. */
  | { readonly type: 'recorded'; readonly stateVersion: number; readonly applied: boolean }
  | { readonly type: 'time_passed' };

export const FINGERPRINTS = 4;
export const DELIVERIES = 16;
/** Generations in a row that the API must refuse while young before we say so. */
const REFUSALS = 3;

export function apply(c: Carried, event: CoreEvent, around: Surroundings): Carried {
  switch (event.type) {
    case 'refreshed':
      return afterSuccess(c, event.report, around);
    case 'grant_adopted':
      return afterAdoption(c, event.report, event.consent, around);
    case 'keep_requested':
      return afterKeep(delivered(c, event.consent), around);
    case 'refresh_failed':
      return afterFailure(c, event, around);
    case 'escrowed':
      return afterFailure(c, { failure: NOT_STORED, evidence: event.evidence }, around);
    case 'asked':
      return afterQuestion(c, event.generation, event.why, around);
    case 'nudged':
      if (needsCorrection(c)) return { ...c, nextAttemptAt: iso(around.now) };
      return event.refresh ? afterChange(c, around) : c;
    case 'frozen':
      return move(
        { ...c, frozen: true, nextAttemptAt: null, ambiguous: undefined },
        { state: 'disconnected', recovery: 'reconnect', reason: event.reason },
        around,
      );
    case 'recorded':
      // A reset or restarted run may lag behind the registry; it continues from the maximum, so it is not deaf.
      return event.applied
        ? { ...c, owed: undefined, event: undefined }
        : { ...c, stateVersion: Math.max(c.stateVersion, event.stateVersion) + 1, owed: true };
    case 'time_passed':
      return afterTime(c, around);
  }
}

// ── success ───────────────────────────────────────────────────────────────────────────────────────────────────────

function withReport(c: Carried, { token, policy, display, grantedAt }: Report, around: Surroundings): Carried {
  const fresh: Carried = {
    ...c,
    grant: token.grant,
    generation: token.generation,
    issuedAt: token.issuedAt,
    expiresAt: token.expiresAt,
    lifetimeSeconds: token.lifetimeSeconds,
    refreshable: token.refreshable,
    scope: token.scope,
    policy,
    display,
    grantedAt,
    usedAt: token.issuedAt,
    failures: 0,
    failingSince: undefined,
    ambiguous: undefined,
  };
  const due = refreshDueAt(fresh, policy, around);
  return { ...fresh, nextAttemptAt: due === undefined ? null : iso(due) };
}

function afterSuccess(c: Carried, report: Report, around: Surroundings): Carried {
  if (c.frozen) return c;
  // A generation that nobody refused breaks the row of refusals.
  const refusals = c.refusals !== undefined && c.refusals.generation === c.generation ? c.refusals : undefined;
  const next = withReport({ ...c, refusals }, report, around);
  return (refusals?.count ?? 0) >= REFUSALS
    ? move(next, { state: 'degraded', reason: 'API_REFUSES_FRESH_TOKENS' }, around)
    : move({ ...next, evidence: undefined }, { state: 'active' }, around);
}

function afterAdoption(c: Carried, report: Report, consent: string, around: Surroundings): Carried {
  const thawed: Carried = {
    ...delivered(c, consent),
    frozen: false,
    fingerprints: [],
    refusals: undefined,
    evidence: undefined,
    consentDeadline: undefined,
  };
  return move(withReport(thawed, report, around), { state: 'active' }, around);
}

function afterKeep(c: Carried, around: Surroundings): Carried {
  if (c.frozen || c.grant === null) return c;
  // The old refresh token was refused before and is never sent again: this consent brought nothing to go on with.
  if (c.state === 'reauth_required') return move(c, { state: c.state, reason: 'REFRESH_TOKEN_MISSING' }, around);
  return { ...c, nextAttemptAt: iso(around.now) };
}

function delivered(c: Carried, consent: string): Carried {
  return { ...c, deliveries: [...c.deliveries.filter((id) => id !== consent), consent].slice(-DELIVERIES) };
}

// ── failure ───────────────────────────────────────────────────────────────────────────────────────────────────────

const NOT_STORED: FailureFacts = { class: 'TRANSIENT', code: 'STORAGE_UNREACHABLE' };

type Failed = Pick<Extract<CoreEvent, { type: 'refresh_failed' }>, 'failure' | 'evidence' | 'begunAt'>;

function afterFailure(c: Carried, { failure, evidence, begunAt }: Failed, around: Surroundings): Carried {
  if (c.frozen) return c;
  const failures = c.failures + 1;
  const failingSince = c.failingSince ?? iso(around.now);
  const policy = failure.policy ?? c.policy;
  // Client credentials have no consent to renew: a refused grant is a setting to correct.
  const kind = failure.class === 'REAUTH' && policy.grantType === 'client_credentials' ? 'CONFIG' : failure.class;
  const known: Carried = {
    ...c,
    policy,
    failures,
    failingSince,
    evidence: {
      id: evidence,
      at: iso(around.now),
      class: kind,
      httpStatus: failure.httpStatus,
      oauthError: failure.oauthError,
      requestId: failure.requestId,
      attempt: failures,
    },
  };
  const dead = isDead(c.expiresAt, around.now) || c.generation === 0;
  switch (kind) {
    case 'REAUTH':
      return failure.code === 'CONSENT_OUTDATED'
        ? move({ ...known, nextAttemptAt: null }, { state: 'reauth_required', reason: failure.code }, around)
        : afterRefusal(known, failure, around);
    case 'AMBIGUOUS':
      return afterAmbiguity(known, begunAt ?? iso(around.now), dead, around);
    case 'CONFIG': {
      const delay = dead
        ? Math.max(HOUR, (failure.retryAfterSeconds ?? 0) * SECOND)
        : retryDelayMs(failures, around.now - epoch(failingSince), failure.retryAfterSeconds, around);
      return move(
        { ...known, nextAttemptAt: iso(around.now + delay) },
        dead
          ? { state: 'disconnected', recovery: 'after_fix', reason: failure.code }
          : { state: 'degraded', reason: failure.code },
        around,
      );
    }
    case 'TRANSIENT':
    case 'BLOCKED': {
      const delay = retryDelayMs(failures, around.now - epoch(failingSince), failure.retryAfterSeconds, around);
      // A retry of an ambiguous refresh that did not get through keeps its place in the rotation table.
      const after = around.now + delay;
      const at = known.ambiguous ? retryAfterAmbiguity(known, known.ambiguous, around, after) : after;
      return move({ ...known, nextAttemptAt: iso(at) }, outage(dead, failure.code), around);
    }
  }
}

function afterRefusal(c: Carried, failure: FailureFacts, around: Surroundings): Carried {
  const fingerprints =
    failure.fingerprint === undefined ? c.fingerprints : [...c.fingerprints, failure.fingerprint].slice(-FINGERPRINTS);
  const reason: ErrorCode =
    c.ambiguous !== undefined ? 'ROTATION_LOST' : limitReached(c, around.now) ? 'AUTHORIZATION_EXPIRED' : failure.code;
  return move(
    { ...c, fingerprints, ambiguous: undefined, nextAttemptAt: null },
    { state: 'reauth_required', reason },
    around,
  );
}

function afterAmbiguity(c: Carried, begunAt: string, dead: boolean, around: Surroundings): Carried {
  const before = c.ambiguous?.generation === c.generation ? c.ambiguous : undefined;
  const ambiguous: Ambiguity = before
    ? { ...before, retries: before.retries + 1 }
    : { since: begunAt, generation: c.generation, retries: 0 };
  const known: Carried = { ...c, ambiguous };
  const next: Carried = { ...known, nextAttemptAt: iso(retryAfterAmbiguity(known, ambiguous, around)) };
  // With a dead token its one retry comes at once and decides; only a spent retry is an outage.
  return move(next, outage(dead && ambiguous.retries > 0, 'REFRESH_OUTCOME_UNKNOWN'), around);
}

function outage(dead: boolean, reason: ErrorCode): Target {
  return dead ? { state: 'disconnected', recovery: 'automatic', reason } : { state: 'degraded', reason };
}

/** Whether the provider's documented idle or absolute limit explains a refusal. */
function limitReached(c: Carried, now: number): boolean {
  const { idleLimitSeconds: idle, absoluteLimitSeconds: absolute } = c.policy;
  const since = (text: string | undefined): number => (text === undefined ? 0 : now - epoch(text));
  return (
    (idle !== undefined && since(c.usedAt) >= idle * SECOND) ||
    (absolute !== undefined && since(c.grantedAt) >= absolute * SECOND - DAY)
  );
}

// ── callers, corrections, time ────────────────────────────────────────────────────────────────────────────────────

function afterQuestion(c: Carried, generation: number, why: EnsureFresh['why'], around: Surroundings): Carried {
  // Somebody else has a newer one; or no attempt can help; or a failed one has its own clock (Retry-After).
  if (generation < c.generation || !canRefresh(c) || c.failures > 0) return c;
  const youngUntil = c.issuedAt === undefined ? 0 : epoch(c.issuedAt) + youthMs(c.lifetimeSeconds);
  if (why === 'refused' && around.now < youngUntil) return afterYoungRefusal(c, around);
  const may = why === 'asked' && around.now >= renewableFrom(c, c.policy);
  const due = why === 'refused' || may || wantsRefresh(c, around.now);
  return due ? { ...c, nextAttemptAt: iso(around.now) } : c;
}

/** Inside the buffer. Without jitter: a reader asks only when its own clock says so. */
function wantsRefresh(c: Carried, now: number): boolean {
  const due = refreshDueAt(c, { ...c.policy, refresh: 'proactive' }, { now, random: () => 0 });
  return c.generation === 0 || (due !== undefined && due <= now);
}

/** What works may not be renewed any more, or not be used where the API is now: found out at once, as far as the provider lets us. */
function afterChange(c: Carried, around: Surroundings): Carried {
  if (endsWithItsToken(c)) return move(c, { state: 'reauth_required', reason: 'CONSENT_OUTDATED' }, around);
  if (!canRefresh(c) || c.failures > 0) return c;
  const from = c.issuedAt === undefined ? 0 : refreshNotBefore(c.issuedAt, c.policy);
  return { ...c, nextAttemptAt: iso(Math.max(around.now, from)) };
}

function afterYoungRefusal(c: Carried, around: Surroundings): Carried {
  if (c.refusals?.generation === c.generation) return c;
  const inARow = c.refusals !== undefined && c.refusals.generation === c.generation - 1;
  const refusals = { generation: c.generation, count: inARow ? c.refusals.count + 1 : 1 };
  const next: Carried = { ...c, refusals };
  return refusals.count >= REFUSALS
    ? move(next, { state: 'degraded', reason: 'API_REFUSES_FRESH_TOKENS' }, around)
    : next;
}

function needsCorrection(c: Carried): boolean {
  // Nobody refused that grant: with the settings it was given under it is as good as before.
  if (c.state === 'reauth_required' && c.reason === 'CONSENT_OUTDATED') return !c.frozen;
  return c.failures > 0 && (c.evidence?.class === 'CONFIG' || c.evidence?.class === 'BLOCKED') && canRefresh(c);
}

function afterTime(c: Carried, around: Surroundings): Carried {
  if (!isDead(c.expiresAt, around.now)) return c;
  // Nothing can renew it: without a refresh token the end of the access token is the end of the consent (000-26).
  if (endsWithItsToken(c)) return move(c, { state: 'reauth_required', reason: 'REFRESH_TOKEN_MISSING' }, around);
  if (c.state !== 'degraded' || c.failures === 0) return c;
  if (c.evidence?.class === 'CONFIG') {
    const next: Carried = { ...c, nextAttemptAt: iso(around.now + HOUR) };
    return move(next, { state: 'disconnected', recovery: 'after_fix', reason: c.reason }, around);
  }
  // An ambiguous refresh whose one retry is due this moment decides by that retry.
  if (c.ambiguous?.retries === 0 && c.nextAttemptAt !== null && epoch(c.nextAttemptAt) <= around.now) return c;
  return move(c, { state: 'disconnected', recovery: 'automatic', reason: c.reason }, around);
}

/** A grant of a person without refresh token. */
export function endsWithItsToken(c: Carried): boolean {
  const works = c.state === 'active' || c.state === 'degraded';
  return works && c.generation > 0 && !c.refreshable && c.policy.grantType !== 'client_credentials';
}

/** Whether asking the provider may help at all. */
export function canRefresh(c: Carried): boolean {
  if (c.frozen || c.state === 'reauth_required' || c.state === 'pending_consent') return false;
  return c.refreshable || c.policy.grantType === 'client_credentials';
}

// ── the move ──────────────────────────────────────────────────────────────────────────────────────────────────────

interface Target {
  readonly state: ConnectionState;
  readonly recovery?: Recovery;
  readonly reason?: ErrorCode;
}

/** Every recorded change passes here: `since` moves only when state or reason do, the version always. */
function move(c: Carried, to: Target, around: Surroundings): Carried {
  const same = c.state === to.state && c.reason === to.reason && c.recovery === to.recovery;
  if (same && c.evidence === undefined) return c;
  return {
    ...c,
    state: to.state,
    recovery: to.recovery,
    reason: to.reason,
    since: same ? c.since : iso(around.now),
    stateVersion: c.stateVersion + 1,
    owed: true,
    event: same ? c.event : eventOf(c.state, to),
  };
}

/** noun.participle, for the event log. */
function eventOf(from: ConnectionState, to: Target): string {
  switch (to.state) {
    case 'active':
      return from === 'pending_consent' ? 'connection.activated' : 'connection.recovered';
    case 'degraded':
      return 'connection.degraded';
    case 'reauth_required':
      return to.reason === 'ROTATION_LOST' ? 'grant.lost' : 'grant.refused';
    case 'disconnected':
      return to.recovery === 'reconnect' ? 'connection.revoked' : 'connection.disconnected';
    case 'pending_consent':
      return 'consent.requested';
  }
}
