/** Who calls: HTTP Basic `email:key` and Bearer `key` (RFC 7617, RFC 6750), both carriers of an API key. */
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../client/contract';
import { isId } from '../connection/ids';
import { DurableOAuthError } from '../errors';
import type { Registry } from '../registry/contract';
import { isKeyOf, prefixOf } from './api-keys';
import type { App } from './deps';
import { permits, type Permission } from './permissions';

export interface Principal {
  readonly tenant: string;
  readonly email: string;
  /** Prefix of the key used. */
  readonly key: string;
  readonly permissions: readonly string[];
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route that demands a permission. */
    principal: Principal | null;
  }
}

/** Challenges of a 401 answer. */
export const CHALLENGES = ['Basic realm="durable-oauth", charset="UTF-8"', 'Bearer realm="durable-oauth"'];

/**
 * Check caller, tenant and permission before a body is read, in this order: 401, 404, 403. The tenant comes from the path
 * and must be the key's own.
 */
export function guard(app: App, registry: Registry): void {
  app.decorateRequest('principal', null);
  app.addHook('onRequest', async (request) => {
    const { permission } = request.routeOptions.config;
    if (permission === undefined) return;
    const principal = await authenticate(request.headers.authorization, registry.apiKeys);
    const { tenant, id } = request.params as { tenant: string; id?: string };
    // What cannot be an id is not looked for: databases choke on some of it.
    if (tenant !== principal.tenant || (id !== undefined && !isId(id))) throw new DurableOAuthError('NOT_FOUND');
    request.principal = principal;
    demand(request, permission);
  });
}

/** Demand what only some requests of a route need. @throws FORBIDDEN */
export function demand({ principal }: FastifyRequest, permission: Permission): void {
  if (principal !== null && permits(principal.permissions, permission)) return;
  throw new DurableOAuthError('FORBIDDEN', 'The API key lacks a permission', { permission });
}

/** @throws UNAUTHENTICATED for every reason alike */
export async function authenticate(header: string | undefined, keys: Registry['apiKeys']): Promise<Principal> {
  const given = credentialsIn(header);
  const prefix = given && prefixOf(given.key);
  const row = prefix === undefined ? undefined : await keys.find(prefix);
  const valid = given && row && isKeyOf(given.key, row.hash) && row.revokedAt === null;
  if (!valid || prefix === undefined || (given.email !== undefined && given.email !== row.email)) {
    throw new DurableOAuthError('UNAUTHENTICATED');
  }
  return { tenant: row.tenant, email: row.email, key: prefix, permissions: row.permissions };
}

/** The principal and trace behind a request, as callers of ports name them. */
export function callerOf({ principal, id }: FastifyRequest): Caller {
  if (principal === null) throw new DurableOAuthError('INTERNAL');
  return { by: principal.email, traceId: id };
}

function credentialsIn(header = ''): { email?: string; key: string } | undefined {
  const [scheme = '', value = '', ...rest] = header.trim().split(/ +/);
  if (rest.length > 0) return undefined;
  if (scheme.toLowerCase() === 'bearer') return { key: value };
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { email: text.slice(0, colon), key: text.slice(colon + 1) };
}
