/** Entity tags (RFC 9110 section 8.8.3): who changes a resource can say which representation they changed. */
import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { DurableOAuthError } from '../errors';
import { canonicalJson } from './canonical-json';
import type { App } from './deps';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * A GET of one resource whose answer carries an ETag and may be a 304; never a route that hands out a token. False on
     * a PATCH of what no GET shows: it has no ETag that an If-Match could name.
     */
    conditional?: boolean;
  }
}

/** @param representation the resource object of an answer: what is under `data` */
export function etagOf(representation: object): string {
  return `"${createHash('sha256').update(canonicalJson(representation)).digest('base64url').slice(0, 22)}"`;
}

/**
 * Refuse a change of a representation that is not the one the caller knows; without If-Match there is nothing to refuse.
 * @param current the resource object as a GET with the same Accept-Language would answer it now
 * @returns whether the caller named one: then the write must be over that one, too
 * @throws PRECONDITION_FAILED
 */
export function requireMatch({ headers }: Pick<FastifyRequest, 'headers'>, current: object): boolean {
  const wanted = headers['if-match'];
  if (wanted === undefined) return false;
  if (!names(wanted, etagOf(current), 'strong')) throw new DurableOAuthError('PRECONDITION_FAILED');
  return wanted.trim() !== '*';
}

/** Tag the answers of `conditional` routes, and answer 304 to who holds the current one. */
export function entityTags(app: App): void {
  app.addHook('preSerialization', async (request, reply, payload) => {
    const { data } = (payload ?? {}) as { data?: object };
    if (request.routeOptions.config.conditional && reply.statusCode === 200 && data) reply.header('etag', etagOf(data));
    return payload;
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const tag = reply.getHeader('etag');
    const held = request.headers['if-none-match'];
    if (typeof tag !== 'string' || held === undefined || !names(held, tag, 'weak')) return payload;
    reply.code(304).removeHeader('content-type');
    return null;
  });
}

/** RFC 9110 section 8.8.3.2: the strong comparison takes no weak tag. */
function names(header: string, tag: string, comparison: 'strong' | 'weak'): boolean {
  if (header.trim() === '*') return true;
  const listed = header.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return listed.some((one) => (comparison === 'weak' ? one.replace(/^W\//, '') : one) === tag);
}
