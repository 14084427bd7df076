/** A connection's record out of registry row and vault: how a run starts from its ref alone. Pure. */
import type { ErrorCode } from '../errors';
import { epoch, iso, refreshDueAt, SECOND, type Surroundings } from './clocks';
import type { Carried } from './messages';
import { protectedUntil } from './rotation';
import { endsWithItsToken } from './transitions';
import type { ConnectionState, Display, Evidence, Policy, Recovery, TokenFacts } from './types';

/** What the registry row and the vault say. */
export interface Found {
  readonly frozen: boolean;
  readonly state: ConnectionState;
  readonly recovery?: Recovery;
  readonly reason?: ErrorCode;
  readonly since: string;
  readonly evidence?: Evidence;
  readonly stateVersion: number;
  readonly policy: Policy;
  readonly display: Display;
  readonly token?: TokenFacts;
  readonly grant?: string;
  readonly grantedAt?: string;
  readonly refreshedAt?: string;
  readonly consentDeadline?: string;
  /** Generation the row knows; the vault's may be newer. */
  readonly generation: number;
}

/** Between the send and our noticing that its answer is lost. */
const LONGEST_ATTEMPT_MS = 45 * SECOND;

/**
 * - The vault wins: a generation newer than the row's proves that a refresh succeeded after the row was written.
 * - A row newer than the vault keeps its number: what the vault holds was spent, and a refresh must not spend it again.
 * - A row that says REFRESH_OUTCOME_UNKNOWN is all that is left of an ambiguous refresh: its caution is kept.
 * - A failing connection is tried at once: whoever starts a run wants to know.
 */
export function recordOf(found: Found, around: Surroundings): Carried {
  const { token } = found;
  const base: Carried = {
    v: 1,
    stateVersion: found.stateVersion,
    state: found.state,
    recovery: found.recovery,
    reason: found.reason,
    since: found.since,
    evidence: found.evidence,
    grant: found.grant ?? null,
    generation: token === undefined ? 0 : Math.max(token.generation, found.generation),
    issuedAt: token?.issuedAt,
    expiresAt: token?.expiresAt ?? null,
    lifetimeSeconds: token?.lifetimeSeconds ?? null,
    refreshable: token?.refreshable ?? false,
    scope: token?.scope ?? '',
    policy: found.policy,
    display: found.display,
    frozen: found.frozen,
    nextAttemptAt: null,
    failures: found.evidence?.attempt ?? 0,
    failingSince: found.evidence === undefined ? undefined : found.since,
    fingerprints: [],
    deliveries: [],
    consentDeadline: found.consentDeadline,
    grantedAt: found.grantedAt,
    usedAt: found.refreshedAt ?? token?.issuedAt,
  };
  if (found.frozen || found.state === 'pending_consent') return base;
  if (token === undefined) return withoutToken(base, found.generation, around);
  if (token.generation > found.generation) return healthy(base, around);
  if (found.state === 'reauth_required') return base;
  if (found.state === 'active') return scheduled(base, around);
  const ambiguous =
    found.reason === 'REFRESH_OUTCOME_UNKNOWN'
      ? { since: iso(epoch(found.since) - LONGEST_ATTEMPT_MS), generation: token.generation, retries: 0 }
      : undefined;
  return { ...base, ambiguous, nextAttemptAt: iso(around.now) };
}

function scheduled(c: Carried, around: Surroundings): Carried {
  const due = refreshDueAt(c, c.policy, around);
  return { ...c, nextAttemptAt: due === undefined ? null : iso(Math.max(due, around.now)) };
}

function healthy(c: Carried, around: Surroundings): Carried {
  const clean: Carried = {
    ...c,
    state: 'active',
    recovery: undefined,
    reason: undefined,
    evidence: undefined,
    since: iso(around.now),
    failures: 0,
    failingSince: undefined,
    stateVersion: c.stateVersion + 1,
    owed: true,
  };
  return scheduled(clean, around);
}

/**
 * Client credentials need no grant. A grant the row knows and the vault does not is a store that is not the one it was put
 * into: an outage, until somebody mends it or consents anew. A connection that never had one needs a person.
 */
function withoutToken(c: Carried, generation: number, around: Surroundings): Carried {
  if (c.policy.grantType === 'client_credentials') return { ...c, refreshable: true, nextAttemptAt: iso(around.now) };
  if (c.state === 'reauth_required') return c;
  if (c.grant !== null && generation > 0) {
    return {
      ...c,
      generation,
      refreshable: true,
      state: 'disconnected',
      recovery: 'automatic',
      reason: 'STORAGE_UNREACHABLE',
      since: iso(around.now),
      failures: Math.max(1, c.failures),
      failingSince: c.failingSince ?? iso(around.now),
      nextAttemptAt: iso(around.now),
      stateVersion: c.stateVersion + 1,
      owed: true,
    };
  }
  return {
    ...c,
    state: 'reauth_required',
    recovery: undefined,
    reason: 'GRANT_REFUSED',
    since: iso(around.now),
    stateVersion: c.stateVersion + 1,
    owed: true,
  };
}

/** What a run does next. */
export type Step =
  | { readonly do: 'refresh' }
  | { readonly do: 'record' }
  | { readonly do: 'expire_consent' }
  | { readonly do: 'watch_expiry' }
  /** Until a message comes, or `untilMs` (epoch); undefined = a message only. */
  | { readonly do: 'wait'; readonly untilMs?: number; readonly why: string };

/** A due time may pass unused (no worker ran): a retry that was harmless then may not be any more. */
function attemptTime(c: Carried, now: number): number | undefined {
  if (c.nextAttemptAt === null) return undefined;
  const at = epoch(c.nextAttemptAt);
  return c.ambiguous ? Math.max(at, protectedUntil(c, c.ambiguous, Math.max(at, now))) : at;
}

/** @param recordAt epoch ms before which an owed projection is not tried again */
export function nextStep(c: Carried, now: number, recordAt: number): Step {
  if (c.owed && recordAt <= now) return { do: 'record' };
  const attemptAt = attemptTime(c, now);
  if (attemptAt !== undefined && attemptAt <= now && !c.frozen) return { do: 'refresh' };
  const pending = c.state === 'pending_consent' && c.consentDeadline !== undefined;
  if (pending && epoch(c.consentDeadline) <= now) return { do: 'expire_consent' };
  const fading = (c.state === 'degraded' && c.failures > 0) || endsWithItsToken(c);
  const watched = fading && c.expiresAt !== null ? epoch(c.expiresAt) : undefined;
  if (watched !== undefined && watched <= now) return { do: 'watch_expiry' };

  const waits: { at: number; why: string }[] = [];
  if (attemptAt !== undefined) waits.push({ at: attemptAt, why: c.failures > 0 ? 'next attempt' : 'refresh due' });
  if (pending) waits.push({ at: epoch(c.consentDeadline), why: 'end of the wait for consent' });
  if (watched !== undefined) waits.push({ at: watched, why: 'access token expires' });
  if (c.owed) waits.push({ at: recordAt, why: 'record the state' });
  const first = waits.sort((a, b) => a.at - b.at)[0];
  return { do: 'wait', untilMs: first?.at, why: first?.why ?? 'a message' };
}
