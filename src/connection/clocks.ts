/** The clocks of a connection: when a refresh is due, when it is tried again, when a token no longer serves. Pure. */
import type { Carried, Tuning } from './messages';
import type { Policy } from './types';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** What the core needs of the outside: the clock, one random number in [0, 1) per use, and test tuning. */
export interface Surroundings {
  readonly now: number;
  readonly random: () => number;
  readonly tuning?: Tuning;
}

export const iso = (ms: number): string => new Date(ms).toISOString();
export const epoch = (text: string): number => Date.parse(text);

/**
 * How long before expiry a refresh is due, in milliseconds: `min(L/2, max(5 s, min(300 s, L/4)))`.
 *
 * A configured buffer is honoured literally. One that is not shorter than the lifetime would make every new token due on
 * arrival, so half the lifetime takes its place: that is the breaker of the hot loop (C10).
 */
export function refreshBufferMs(lifetimeMs: number, policy: Pick<Policy, 'refreshBufferSeconds'>): number {
  if (policy.refreshBufferSeconds !== undefined) {
    const literal = policy.refreshBufferSeconds * SECOND;
    return literal < lifetimeMs ? literal : lifetimeMs / 2;
  }
  return Math.min(lifetimeMs / 2, Math.max(5 * SECOND, Math.min(300 * SECOND, lifetimeMs / 4)));
}

/** A token that lives no longer than this is not served: `min(10 s, L/10)`. */
export function serveFloorMs(lifetimeMs: number): number {
  return Math.min(10 * SECOND, lifetimeMs / 10);
}

/**
 * How long nothing may refresh (Temporal or its database away) without a token that cannot be served, milliseconds;
 * undefined where no clock refreshes: a token of unknown lifetime, `on_demand`.
 */
export function outageSlackMs(lifetimeSeconds: number | null, policy: Policy): number | undefined {
  if (lifetimeSeconds === null || policy.refresh !== 'proactive') return undefined;
  const lifetime = lifetimeSeconds * SECOND;
  return refreshBufferMs(lifetime, policy) - serveFloorMs(lifetime);
}

/** A generation younger than this is not refreshed on a caller's word: `min(60 s, L/4)`. */
export function youthMs(lifetimeSeconds: number | null): number {
  return lifetimeSeconds === null ? MINUTE : Math.min(MINUTE, (lifetimeSeconds * SECOND) / 4);
}

/** From when on a person may have a newer generation before this one is due: not young, and taken by the provider. */
export function renewableFrom(token: Pick<Carried, 'issuedAt' | 'lifetimeSeconds'>, policy: Policy): number {
  if (token.issuedAt === undefined) return 0;
  return Math.max(epoch(token.issuedAt) + youthMs(token.lifetimeSeconds), refreshNotBefore(token.issuedAt, policy));
}

/** When the provider ends the authorization, used or not, and when it does so unless it is used; undefined = not known. */
export function authorizationEnds(
  { grantedAt, usedAt }: { readonly grantedAt: string | null; readonly usedAt: string | null },
  policy: Pick<Policy, 'grantType' | 'idleLimitSeconds' | 'absoluteLimitSeconds'>,
): { readonly idle?: string; readonly absolute?: string } {
  if (policy.grantType === 'client_credentials') return {};
  const after = (from: string | null, seconds: number | undefined): string | undefined =>
    from === null || seconds === undefined ? undefined : iso(epoch(from) + seconds * SECOND);
  return { idle: after(usedAt, policy.idleLimitSeconds), absolute: after(grantedAt, policy.absoluteLimitSeconds) };
}

type TokenClock = Pick<Carried, 'issuedAt' | 'expiresAt' | 'lifetimeSeconds' | 'refreshable' | 'usedAt'>;

/**
 * When the next proactive refresh is due (epoch ms): expiry − buffer − jitter, jitter only earlier and at most
 * `min(L/10, 10 min)`, never before the provider's minimum interval has passed. With `on_demand`, and for tokens of
 * unknown lifetime, only the keep-alive at half of the provider's idle limit. undefined = nothing is due by the clock.
 */
export function refreshDueAt(token: TokenClock, policy: Policy, around: Surroundings): number | undefined {
  if (!token.refreshable || token.issuedAt === undefined) return undefined;
  const due: number[] = [];
  if (policy.refresh === 'proactive' && token.expiresAt !== null && token.lifetimeSeconds !== null) {
    const lifetime = token.lifetimeSeconds * SECOND;
    const jitter = Math.min(lifetime / 10, 10 * MINUTE) * around.random() * (around.tuning?.jitter ?? 1);
    due.push(epoch(token.expiresAt) - refreshBufferMs(lifetime, policy) - jitter);
  }
  if (policy.idleLimitSeconds !== undefined && policy.grantType !== 'client_credentials') {
    due.push(epoch(token.usedAt ?? token.issuedAt) + (policy.idleLimitSeconds * SECOND) / 2);
  }
  if (due.length === 0) return undefined;
  return Math.max(Math.min(...due), refreshNotBefore(token.issuedAt, policy));
}

/** Providers that refuse an early refresh name a minimum interval. */
export function refreshNotBefore(issuedAt: string, { minRefreshIntervalSeconds = 0 }: Policy): number {
  return epoch(issuedAt) + minRefreshIntervalSeconds * SECOND;
}

/**
 * The pause before the next attempt after `failures` attempts in a row failed, in milliseconds: 5 s doubling to 5 min,
 * full jitter (at least 1 s, so that nobody hammers), hourly after 6 hours. The provider's Retry-After wins and is never
 * undercut.
 */
export function retryDelayMs(
  failures: number,
  failingForMs: number,
  retryAfterSeconds: number | undefined,
  around: Surroundings,
): number {
  const spread = around.random() * (around.tuning?.jitter ?? 1);
  if (retryAfterSeconds !== undefined) return retryAfterSeconds * SECOND * (1 + spread / 10);
  if (failingForMs > 6 * HOUR) return HOUR * (1 + spread / 10);
  const base = around.tuning?.retryBaseMs ?? 5 * SECOND;
  const ceiling = Math.min(5 * MINUTE, base * 2 ** Math.min(failures - 1, 16));
  const floor = Math.min(SECOND, base);
  return floor + Math.max(0, ceiling - floor) * (around.tuning?.jitter === 0 ? 1 : around.random());
}

/** Whether an access token has died; one of unknown lifetime never does by the clock. */
export function isDead(expiresAt: string | null, now: number): boolean {
  return expiresAt !== null && epoch(expiresAt) <= now;
}
