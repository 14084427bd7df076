/** What to do when a refresh was sent and its answer lost: the table of design 6, by the preset's rotation mode. Pure. */
import { epoch, retryDelayMs, SECOND, serveFloorMs, type Surroundings } from './clocks';
import type { Ambiguity, Carried } from './messages';

/** Kept back from a documented grace, for clocks that differ and requests that travel. */
const GRACE_MARGIN_MS = 5 * SECOND;

/**
 * When the same refresh token may be sent again (epoch ms).
 *
 * - none, old stays valid, until the new one is used: freely, with the usual back-off.
 * - grace: at once while the grace lasts, afterwards as strict.
 * - unknown: once, at once: most unknown servers have a short grace, and the lost pair is useless anyway.
 * - strict: not before the living access token is nearly at its end (2 × floor): a reuse may end the whole
 *   authorization, the access token included. Then once.
 *
 * A spent retry leaves nothing to protect: it goes on like a provider that does not answer.
 */
export function retryAfterAmbiguity(c: Carried, ambiguity: Ambiguity, around: Surroundings): number {
  const backOff = around.now + retryDelayMs(Math.max(1, c.failures), 0, undefined, around);
  const { mode, graceSeconds = 0 } = c.policy.rotation;
  if (mode === 'none' || mode === 'old_stays_valid' || mode === 'until_used') return backOff;
  if (mode === 'grace' && around.now - epoch(ambiguity.since) < graceSeconds * SECOND - GRACE_MARGIN_MS) {
    return around.now;
  }
  if (mode === 'unknown' && ambiguity.retries === 0) return around.now;
  if (c.expiresAt !== null) {
    const last = epoch(c.expiresAt) - 2 * serveFloorMs((c.lifetimeSeconds ?? 0) * SECOND);
    if (last > around.now) return last;
  }
  return ambiguity.retries === 0 ? around.now : backOff;
}
