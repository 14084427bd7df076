/**
 * What one API key may ask for, counted by each process on its own: requests in a minute over all routes behind the guard
 * (routes may have stricter budgets), and event streams that are open at once.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DurableOAuthError } from '../errors';
import { principalOf } from './access/auth';
import type { App } from './deps';

const STREAMS_AT_ONCE = 20;
/** By then every stream was written to: one whose reader has gone is found out. */
const STREAM_RETRY_SECONDS = 15;

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

/** @returns counts the stream that a request opens, until its connection closes; throws TOO_MANY_REQUESTS */
export function limitStreams(): (request: FastifyRequest, reply: FastifyReply) => void {
  const open = new Map<string, number>();
  return (request, reply) => {
    const { key } = principalOf(request);
    const before = open.get(key) ?? 0;
    if (before >= STREAMS_AT_ONCE) {
      reply.header('retry-after', STREAM_RETRY_SECONDS);
      const attempted = `An API key may have ${STREAMS_AT_ONCE} event streams open at once: close one first`;
      throw new DurableOAuthError('TOO_MANY_REQUESTS', attempted);
    }
    open.set(key, before + 1);
    reply.raw.once('close', () => {
      const left = (open.get(key) ?? 1) - 1;
      if (left === 0) open.delete(key);
      else open.set(key, left);
    });
  };
}
