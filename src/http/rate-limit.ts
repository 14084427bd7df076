/** One budget per API key over all routes behind the guard, counted by each process on its own. Routes may have stricter ones. */
import { DurableOAuthError } from '../errors';
import type { App } from './deps';

/** Registered behind the guard: before it, nobody is known whose budget this could be. */
export function limitRate(app: App, perMinute: number): void {
  const count = app.createRateLimit({ max: perMinute, timeWindow: '1 minute' });
  app.addHook('onRequest', async (request, reply) => {
    const spent = await count(request);
    if (spent.isAllowed || !spent.isExceeded) return;
    reply.header('retry-after', spent.ttlInSeconds);
    throw new DurableOAuthError('TOO_MANY_REQUESTS');
  });
}
