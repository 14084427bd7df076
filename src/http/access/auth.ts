/** Who calls: HTTP Basic `email:key` and Bearer `key` (RFC 7617, RFC 6750), both carriers of an API key. */
import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import type { Caller } from '../../client/contract';
import { isId } from '../../connection/ids';
import { DurableOAuthError } from '../../errors';
import type { Registry } from '../../registry/contract';
import type { PresentedKey } from '../../registry/contract-access';
import { isKeyOf, prefixOf } from './api-keys';
import type { App } from '../deps';
import type { Permission } from './permissions';
import { holdsSomewhere, isLetIn, placesOf, rightsIn, type Holder, type Place } from './rights';

export interface Principal extends Holder {
  /** Its home, which need not be the tenant of the path. */
  readonly tenant: string;
  readonly id: string;
  readonly email: string;
  /** Prefix of the key used. */
  readonly key: string;
}

type Ports = Pick<Registry, 'apiKeys' | 'roleGrants' | 'tenants'>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route that demands a permission. */
    principal: Principal | null;
    /** Why a person asks, in that person's words: the header `Audit-Reason`. */
    auditReason: string | undefined;
  }
}

/** How exact the last use of a key is. */
const LAST_USE_MS = 60_000;

/** Challenges of a 401 answer. */
export const CHALLENGES = ['Basic realm="durable-oauth", charset="UTF-8"', 'Bearer realm="durable-oauth"'];

/** Check caller, tenant and permission before a body is read, in this order: 401, 404, 403. */
export function guard(app: App, registry: Ports): void {
  app.decorateRequest('principal', null);
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.permission !== undefined) request.principal = await admit(registry, request);
  });
}

/**
 * Whether a request may go on, as things are now.
 * @throws UNAUTHENTICATED; NOT_FOUND for a tenant in which the principal has no grant, as for one that never was;
 *   FORBIDDEN, naming the permission
 */
export async function admit(registry: Ports, request: FastifyRequest): Promise<Principal> {
  const principal = await authenticate(request.headers.authorization, registry, request.log);
  const { permission, everywhere } = request.routeOptions.config;
  const { tenant, id, prefix } = request.params as { tenant?: string; id?: string; prefix?: string };
  // What cannot be an id is not looked for: databases choke on some of it.
  const named = [tenant, id, prefix].filter((one) => one !== undefined);
  if (!named.every(isId)) throw new DurableOAuthError('NOT_FOUND');
  if (tenant !== undefined && !(await isShown(tenant, principal, registry))) throw new DurableOAuthError('NOT_FOUND');
  if (permission !== undefined && !holds(principal, permission, everywhere ? null : tenant)) {
    throw new DurableOAuthError('FORBIDDEN', 'The principal or its API key lacks a permission', { permission });
  }
  return principal;
}

/** Demand what only some requests of a route need. @throws FORBIDDEN */
export function demand({ principal, params }: FastifyRequest, permission: Permission): void {
  const { tenant } = params as { tenant?: string };
  if (principal !== null && holds(principal, permission, tenant)) return;
  throw new DurableOAuthError('FORBIDDEN', 'The principal or its API key lacks a permission', { permission });
}

/** @throws UNAUTHENTICATED for every reason alike */
async function authenticate(header: string | undefined, registry: Ports, log: FastifyBaseLogger): Promise<Principal> {
  const given = credentialsIn(header);
  const prefix = given && prefixOf(given.key);
  const row = prefix === undefined ? undefined : await registry.apiKeys.find(prefix);
  const valid = given && row && isKeyOf(given.key, row.hash) && isInForce(row);
  if (!valid || (given.email !== undefined && given.email !== row.email)) {
    throw new DurableOAuthError('UNAUTHENTICATED');
  }
  recordUse(row, registry, log);
  const { tenant, principal: id, email, scopes } = row;
  return { tenant, id, email, key: row.prefix, scopes, grants: await registry.roleGrants.ofPrincipal(tenant, id) };
}

const isInForce = ({ revokedAt, removedAt, expiresAt }: PresentedKey): boolean =>
  revokedAt === null && removedAt === null && (expiresAt === null || Date.parse(expiresAt) > Date.now());

/** Nobody waits for it, and a request does not fail by it. */
function recordUse({ prefix, lastUsedAt }: PresentedKey, { apiKeys }: Ports, log: FastifyBaseLogger): void {
  if (lastUsedAt !== null && Date.parse(lastUsedAt) > Date.now() - LAST_USE_MS) return;
  apiKeys.recordUse(prefix).catch(() => log.warn({ key: prefix }, 'the last use of an API key was not recorded'));
}

/** Those who have rights in every tenant have them in those that exist. */
async function isShown(tenant: string, principal: Principal, { tenants }: Ports): Promise<boolean> {
  if (!isLetIn(principal, tenant)) return false;
  return placesOf(principal).includes(tenant) || (await tenants.get(tenant)) !== undefined;
}

/** @param place undefined: the path names no tenant, and one where the right holds is enough */
const holds = (principal: Principal, permission: Permission, place: Place | undefined): boolean =>
  place === undefined ? holdsSomewhere(principal, permission) : rightsIn(principal, place).has(permission);

/** The principal behind a request. */
export function principalOf({ principal }: FastifyRequest): Principal {
  if (principal === null) throw new DurableOAuthError('INTERNAL');
  return principal;
}

/** The principal and trace behind a request, and its reason where it says one, as callers of ports name them. */
export function callerOf(request: FastifyRequest): Caller {
  const { tenant, email } = principalOf(request);
  const { tenant: here } = request.params as { tenant?: string };
  // A guest is named with its home: it could bear the e-mail address of somebody here.
  const { id: traceId, auditReason } = request;
  return { by: tenant === here ? email : `${tenant}/${email}`, traceId, auditReason };
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
