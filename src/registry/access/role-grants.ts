import type { Kysely } from 'kysely';
import { DurableOAuthError } from '../../errors';
import type { RoleGrants } from '../contract-access';
import { notFound } from '../errors';
import { appendEvent } from '../events';
import type { Tables } from '../schema';

/** Roles of which a tenant must keep one, or nobody there could let anybody in. */
const ADMINISTERING = ['operator', 'tenant_admin'];

const SHOWN = [
  'id',
  'tenant',
  'principal_tenant as principalTenant',
  'principal',
  'role',
  'permission',
  'granted_by as grantedBy',
  'granted_at as grantedAt',
] as const;

export function roleGrantsRepository(db: Kysely<Tables>): RoleGrants {
  return {
    create: ({ id, tenant, principalTenant, principal, role, permission, grantedBy }, event) =>
      db.transaction().execute(async (transaction) => {
        // Locked, so that a removal that is under way takes this grant with it.
        const holder = await transaction
          .selectFrom('principals')
          .select('id')
          .where('tenant', '=', principalTenant)
          .where('id', '=', principal)
          .where('removed_at', 'is', null)
          .forShare()
          .executeTakeFirst();
        if (holder === undefined) throw notFound('principal', { tenant: principalTenant, principal });
        const row = await transaction
          .insertInto('role_grants')
          .values({
            id,
            tenant,
            principal_tenant: principalTenant,
            principal,
            role,
            permission,
            granted_by: grantedBy,
          })
          .returning(SHOWN)
          .executeTakeFirstOrThrow();
        await appendEvent(transaction, tenant ?? principalTenant, null, event);
        return row;
      }),

    holders: (tenant) =>
      db
        .selectFrom('role_grants')
        .innerJoin('principals', (join) =>
          join
            .onRef('principals.tenant', '=', 'role_grants.principal_tenant')
            .onRef('principals.id', '=', 'role_grants.principal'),
        )
        .select(['principals.email', 'role_grants.role', 'role_grants.permission'])
        .where('role_grants.tenant', '=', tenant)
        .where('principals.removed_at', 'is', null)
        .orderBy('principals.email')
        .execute(),

    ofPrincipal: (principalTenant, principal) =>
      db
        .selectFrom('role_grants')
        .select(SHOWN)
        .where('principal_tenant', '=', principalTenant)
        .where('principal', '=', principal)
        .execute(),

    list: (tenant, { size, after }) =>
      db
        .selectFrom('role_grants')
        .select(SHOWN)
        .where('tenant', '=', tenant)
        .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
        .orderBy('id')
        .limit(size)
        .execute(),

    remove: (tenant, id, event) =>
      db.transaction().execute(async (transaction) => {
        await lockTenant(transaction, tenant);
        const gone = await transaction
          .deleteFrom('role_grants')
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          .returning(['tenant', 'role', 'permission', 'principal', 'principal_tenant'])
          .executeTakeFirst();
        if (gone === undefined) throw notFound('role grant', { tenant, grant: id });
        if (await lastToAdminister(transaction, tenant, [gone])) {
          throw new DurableOAuthError('IN_USE', 'Nobody could administer the tenant without this grant');
        }
        const { principal, principal_tenant, role, permission } = gone;
        const facts = { ...event.facts, principal, principal_tenant, role, permission };
        await appendEvent(transaction, tenant, null, { ...event, facts });
      }),
  };
}

/** Two who remove each other at once would both find the other one still there. What refers to the tenant goes on. */
export async function lockTenant(db: Kysely<Tables>, tenant: string): Promise<void> {
  await db.selectFrom('tenants').select('id').where('id', '=', tenant).forNoKeyUpdate().execute();
}

/** Whether the grants that were just removed were the last ones to administer the tenant. */
export async function lastToAdminister(
  db: Kysely<Tables>,
  tenant: string,
  removed: readonly { readonly tenant: string | null; readonly role: string | null }[],
): Promise<boolean> {
  const concerned = removed.some(({ tenant: where, role }) => where === tenant && ADMINISTERING.includes(role ?? ''));
  if (!concerned) return false;
  const left = await db
    .selectFrom('role_grants')
    .select('id')
    .where('tenant', '=', tenant)
    .where('role', 'in', ADMINISTERING)
    .limit(1)
    .execute();
  return left.length === 0;
}
