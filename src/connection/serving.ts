/** What a reader does with the newest token set it holds (design 5, "Clocks and serving"). Pure. */
import { epoch, refreshBufferMs, SECOND, serveFloorMs } from './clocks';
import type { Policy, TokenFacts } from './types';

/**
 * - `serve`: lives longer than the buffer.
 * - `join`: inside the buffer: join (or start) the refresh for at most 3 s, then serve the newest there is.
 * - `wait`: at or below the floor: wait for a refresh until the caller's deadline, else refuse.
 */
export type Serving = 'serve' | 'join' | 'wait';

export function servingOf(
  token: Pick<TokenFacts, 'expiresAt' | 'lifetimeSeconds'>,
  policy: Pick<Policy, 'refreshBufferSeconds'>,
  now: number,
): Serving {
  if (token.expiresAt === null) return 'serve';
  const remaining = epoch(token.expiresAt) - now;
  const lifetime = (token.lifetimeSeconds ?? 0) * SECOND;
  if (remaining > refreshBufferMs(lifetime, policy)) return 'serve';
  return remaining > serveFloorMs(lifetime) ? 'join' : 'wait';
}
