/** What to do when a refresh was sent and its answer lost: the table of design 6, by the preset's rotation mode. Pure. */
import { epoch, retryDelayMs, SECOND, serveFloorMs, type Surroundings } from './clocks';
import type { Ambiguity, Carried } from './messages';
import type { Rotation } from './types';

/** Whether a refresh may spend the refresh token that is sent: a copy of it from a backup is then not to be trusted. */
export const spendsRefreshToken = ({ mode }: Rotation): boolean => mode !== 'none' && mode !== 'old_stays_valid';

/** Kept back from a documented grace, for clocks that differ and requests that travel. */
const GRACE_MARGIN_MS = 5 * SECOND;

/**
 * When the same refresh token may be sent again (epoch ms).
 *
 * - none, old stays valid, until the new one is used: freely, with the usual back-off.
 * - grace: once at once, then with the usual back-off, while the grace lasts; afterwards as strict.
 * - unknown: once, at once: most unknown servers have a short grace, and the lost pair is useless anyway.
 * - strict: once, when nothing is left to protect (`protectedUntil`).
 *
 * A spent retry leaves nothing to protect: it goes on like a provider that does not answer.
 * @param earliest epoch ms; default: at once for the first retry, else after the usual back-off
 */
export function retryAfterAmbiguity(c: Carried, ambiguity: Ambiguity, around: Surroundings, earliest?: number): number {
  const backOff = around.now + retryDelayMs(Math.max(1, c.failures), 0, undefined, around);
  const { mode } = c.policy.rotation;
  const freely = mode === 'none' || mode === 'old_stays_valid' || mode === 'until_used';
  const at = earliest ?? (freely || ambiguity.retries > 0 ? backOff : around.now);
  return Math.max(at, protectedUntil(c, ambiguity, at));
}

/**
 * Until when a refresh token whose answer was lost must not be sent again, were it sent at `at` (both epoch ms): a server
 * without grace may answer a reuse by ending the whole authorization, the living access token included. So not before
 * that token is nearly at its end (2 × floor). 0 = nothing forbids it.
 */
export function protectedUntil(c: Carried, ambiguity: Ambiguity, at: number): number {
  const { mode, graceSeconds = 0 } = c.policy.rotation;
  if (mode === 'none' || mode === 'old_stays_valid' || mode === 'until_used') return 0;
  if (mode === 'grace' && at - epoch(ambiguity.since) < graceSeconds * SECOND - GRACE_MARGIN_MS) return 0;
  if (mode === 'unknown' && ambiguity.retries === 0) return 0;
  return c.expiresAt === null ? 0 : epoch(c.expiresAt) - 2 * serveFloorMs((c.lifetimeSeconds ?? 0) * SECOND);
}
