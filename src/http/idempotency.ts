/**
 * `Idempotency-Key` on every POST but those that say otherwise: the second request under a key does nothing again.
 *
 * A key belongs to principal, tenant and path. Of the body only an HMAC is kept, by which nobody can guess it who reads the
 * table alone; of the answer only where the resource is: a repeat is answered with the resource as it is now, read under the
 * caller's own permissions. What has no address, as a consent link, was shown once and is not shown again. A request that
 * failed did nothing: its key is free.
 */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SECOND } from '../connection/clocks';
import { DurableOAuthError } from '../errors';
import type { ClaimedBefore, IdempotentRequest } from '../registry/contract';
import { Secret } from '../vault/secret';
import { canonicalJson } from './canonical-json';
import type { App, AppDeps } from './deps';
import { ProblemError } from './problem';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A POST that is repeatable by itself, or has a key of its own in the body, takes no Idempotency-Key. */
    idempotency?: false;
  }
  interface FastifyRequest {
    /** What to complete or release when the answer is there. */
    claim: IdempotentRequest | null;
  }
}

const KEY = /^[\x21-\x7e]{1,255}$/;
const RETRY_AFTER_SECONDS = 5;
/** No handler takes that long: who holds the key has died, and what it did is not known. */
const LOST_AFTER_MS = 120 * SECOND;
/** Secret by name: not even an HMAC of them is kept. */
const SECRET_MEMBER = /(^|_)(secret|token|password|passphrase|assertion|credential|key)s?$/;

export const isSecretMember = (name: string): boolean => SECRET_MEMBER.test(name);

/** Registered behind the guard. A vault that is silent is the answer: nothing is done that could be done twice. */
export function idempotency(app: App, { registry: { idempotency: registry }, fingerprint }: AppDeps): void {
  app.decorateRequest('claim', null);
  app.addHook('preHandler', async (request, reply) => {
    const named = keyIn(request);
    if (named === undefined) return undefined;
    const text = canonicalJson({ body: request.body ?? null }, (name) => !isSecretMember(name));
    const wanted = { ...named, bodyHash: await fingerprint(new Secret(text)) };
    const before = await registry.claim(wanted);
    if (before === undefined) {
      request.claim = wanted;
      return undefined;
    }
    const same = before.bodyHash === wanted.bodyHash || before.bodyHash === hashOf(text);
    if (!same) throw new DurableOAuthError('IDEMPOTENCY_KEY_REUSED');
    if (before.status === null) throw stillRunning(before, reply);
    return repeat(app, request, reply, before);
  });
  app.addHook('onSend', async ({ claim, log, id: traceId }, reply, payload) => {
    if (claim === null) return payload;
    const status = reply.statusCode;
    try {
      if (status >= 300) await registry.release(claim);
      else await registry.complete(claim, { status, location: locationOf(reply, payload) });
    } catch {
      // The work is done and is answered. A repeat hears that nothing is known of it, and does nothing twice.
      log.warn({ traceId, status }, 'an idempotency key could not be settled');
    }
    return payload;
  });
}

/** Rows that the version before wrote hold this, of the same text: a repeat that meets the upgrade is still a repeat. */
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

function keyIn({
  method,
  routeOptions,
  headers,
  principal,
  url,
}: FastifyRequest): Omit<IdempotentRequest, 'bodyHash'> | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || method !== 'POST' || routeOptions.config.idempotency === false || !principal)
    return undefined;
  if (typeof key !== 'string' || !KEY.test(key)) {
    const detail = '1 to 255 visible ASCII characters';
    throw new ProblemError([{ code: 'SYNTAX_INVALID', detail, header: 'Idempotency-Key' }]);
  }
  const path = (url.split('?')[0] ?? url).replace(/\/$/, '');
  return { tenant: principal.tenant, principal: principal.email, path, key };
}

function stillRunning({ claimedAt }: ClaimedBefore, reply: FastifyReply): DurableOAuthError {
  if (Date.parse(claimedAt) > Date.now() - LOST_AFTER_MS) {
    reply.header('retry-after', RETRY_AFTER_SECONDS);
    return new DurableOAuthError('IDEMPOTENCY_IN_PROGRESS');
  }
  return new DurableOAuthError('IDEMPOTENCY_OUTCOME_UNKNOWN');
}

async function repeat(
  app: App,
  { headers }: FastifyRequest,
  reply: FastifyReply,
  { status, location }: ClaimedBefore,
): Promise<FastifyReply> {
  if (location === null) throw new DurableOAuthError('IDEMPOTENCY_ANSWER_WITHHELD');
  const { authorization, accept, 'accept-language': language } = headers;
  const now = await app.inject({
    url: location,
    headers: {
      ...(authorization && { authorization }),
      ...(accept && { accept }),
      ...(language && { 'accept-language': language }),
    },
  });
  const type = now.headers['content-type'];
  // What was accepted at first is created by now.
  reply.code(now.statusCode === 200 ? Math.min(status ?? 201, 201) : now.statusCode);
  reply.headers({ location, 'idempotency-replayed': 'true', ...(type && { 'content-type': type }) });
  return reply.send(now.body);
}

function locationOf(reply: FastifyReply, payload: unknown): string | null {
  const location = reply.getHeader('location');
  if (typeof location === 'string') return location;
  if (typeof payload !== 'string' || payload === '') return null;
  const { data } = JSON.parse(payload) as { data?: { links?: { self?: string } } };
  return data?.links?.self ?? null;
}
