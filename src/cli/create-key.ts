/** API keys made at the database: the first one of an installation, and those of its operators. */
import { randomBytes } from 'node:crypto';
import { idFrom } from '../connection/ids';
import { DurableOAuthError } from '../errors';
import { createApiKey } from '../http/access/api-keys';
import { coveredBy } from '../http/access/permissions';
import type { Role } from '../http/access/roles';
import type { NewEvent, Registry } from '../registry/contract';
import { openRegistry } from '../registry/open';

export interface KeyOrder {
  /** Home of the principal, and where its roles hold; made when it does not exist. */
  readonly tenant: string;
  readonly email: string;
  /** Default: what the principal holds there; the role operator when that is nothing. */
  readonly roles?: readonly Role[];
  /** The role operator in every tenant. No API confers that. */
  readonly everywhere?: boolean;
  /** Scopes of the key (default: all that its principal may do). */
  readonly scopes?: readonly string[];
  readonly expiresAt?: string;
}

/**
 * Make tenant, principal and role grants when they are missing, and a key.
 * @returns the key, which nobody can read again
 */
export async function createKey(databaseUrl: string, order: KeyOrder): Promise<string> {
  const registry = await openRegistry({ url: databaseUrl });
  try {
    return await issueKey(registry, order);
  } finally {
    await registry.close();
  }
}

/** As `createKey`, in an open registry. @throws MEMBER_INVALID for a scope that names no permission */
export async function issueKey(registry: Registry, order: KeyOrder): Promise<string> {
  const { tenant, email, everywhere, scopes = ['tenants.*'], expiresAt } = order;
  const unknown = scopes.find((scope) => coveredBy(scope).length === 0);
  if (unknown !== undefined) throw new DurableOAuthError('MEMBER_INVALID', 'No permission has this name', { unknown });
  if ((await registry.tenants.get(tenant)) === undefined) await registry.tenants.create(tenant, tenant);
  const { id: principal } = await registry.principals.ensure(tenant, email);
  const held = await registry.roleGrants.ofPrincipal(tenant, principal);
  const isNew = !everywhere && !held.some(({ tenant: where }) => where === null || where === tenant);
  const roles: readonly Role[] = order.roles ?? (isNew ? ['operator'] : []);
  const wanted = [...roles.map((role) => ({ role, where: tenant })), ...(everywhere ? [OPERATOR_EVERYWHERE] : [])];
  for (const { role, where } of wanted) {
    if (held.some((grant) => grant.role === role && grant.tenant === where)) continue;
    const id = idFrom('rg', randomBytes(17));
    const grant = { id, tenant: where, principalTenant: tenant, principal, role, permission: null };
    const facts = { role_grant: id, principal, principal_tenant: tenant, role, everywhere: where === null };
    await registry.roleGrants.create({ ...grant, grantedBy: 'system' }, told('role_grant.created', facts));
  }
  const { key, prefix, hash } = createApiKey();
  const facts = { principal, api_key: prefix, scopes, expires_at: expiresAt };
  await registry.apiKeys.create({ tenant, principal, prefix, hash, scopes, expiresAt }, told('api_key.created', facts));
  return key.reveal();
}

const OPERATOR_EVERYWHERE = { role: 'operator', where: null } as const;

const told = (type: string, facts: NewEvent['facts']): NewEvent => ({
  type,
  by: 'system',
  traceId: randomBytes(16).toString('hex'),
  facts,
});
