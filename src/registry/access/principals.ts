import { randomBytes } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import { idFrom } from '../../connection/ids';
import { DurableOAuthError } from '../../errors';
import type { NewEvent } from '../contract';
import type { PrincipalKind, Principals } from '../contract-access';
import { notFound, refuseOther } from '../errors';
import { appendEvent, originFor } from '../events';
import { lastToAdminister, lockTenant } from './role-grants';
import type { Tables } from '../schema';

const SHOWN = ['tenant', 'id', 'email', 'kind', 'created_at as createdAt'] as const;

export function principalsRepository(db: Kysely<Tables>): Principals {
  return {
    async ensure(tenant, email) {
      const id = idFrom('pr', randomBytes(17));
      await insertOrRevive(db, { tenant, id, email, kind: 'user' });
      return db
        .selectFrom('principals')
        .select(['id', 'email'])
        .where('tenant', '=', tenant)
        .where('email', '=', email)
        .executeTakeFirstOrThrow();
    },

    create: (principal, event) =>
      db.transaction().execute(async (transaction) => {
        const row = await insertOrRevive(transaction, principal);
        if (row === undefined) {
          throw new DurableOAuthError('ALREADY_EXISTS', 'A principal has this e-mail address');
        }
        await appendEvent(transaction, principal.tenant, null, withFact(event, row.id));
        return row;
      }),

    get: (tenant, id) => present(db, tenant).where('id', '=', id).executeTakeFirst(),

    list: (tenant, { size, after }) =>
      present(db, tenant)
        .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
        .orderBy('id')
        .limit(size)
        .execute(),

    changeEmail: (tenant, id, email, event, base) =>
      db.transaction().execute(async (transaction) => {
        const before = await present(transaction, tenant).where('id', '=', id).forUpdate().executeTakeFirst();
        if (before === undefined) throw notFound('principal', { tenant, principal: id });
        refuseOther(before, base, { tenant, principal: id });
        await transaction
          .updateTable('principals')
          .set({ email })
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          .execute();
        await appendEvent(transaction, tenant, null, event);
      }),

    remove: (tenant, id, event) =>
      db.transaction().execute(async (transaction) => {
        await lockTenant(transaction, tenant);
        const { numUpdatedRows } = await transaction
          .updateTable('principals')
          .set({ removed_at: sql`now()` })
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          .where('removed_at', 'is', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) throw notFound('principal', { tenant, principal: id });
        const gone = await transaction
          .deleteFrom('role_grants')
          .where('principal_tenant', '=', tenant)
          .where('principal', '=', id)
          .returning(['tenant', 'role'])
          .execute();
        if (await lastToAdminister(transaction, tenant, gone)) {
          throw new DurableOAuthError('IN_USE', 'Nobody could administer the tenant without this principal');
        }
        await transaction
          .updateTable('api_keys')
          .set({ revoked_at: sql`now()` })
          .where('tenant', '=', tenant)
          .where('principal', '=', id)
          .where('revoked_at', 'is', null)
          .execute();
        // Its own tenant, and each one that had let it in.
        const told = new Set([tenant, ...gone.flatMap((grant) => grant.tenant ?? [])]);
        const { type, facts } = event;
        for (const one of told)
          await appendEvent(transaction, one, null, { type, facts, ...originFor(one, tenant, event) });
      }),
  };
}

const present = (db: Kysely<Tables>, tenant: string) =>
  db.selectFrom('principals').select(SHOWN).where('tenant', '=', tenant).where('removed_at', 'is', null);

/** @returns undefined when the e-mail is that of one who is there */
function insertOrRevive(
  db: Kysely<Tables>,
  principal: { tenant: string; id: string; email: string; kind: PrincipalKind },
) {
  return db
    .insertInto('principals')
    .values(principal)
    .onConflict((conflict) =>
      conflict
        .columns(['tenant', 'email'])
        .doUpdateSet({ removed_at: null, kind: principal.kind })
        .where('principals.removed_at', 'is not', null),
    )
    .returning(SHOWN)
    .executeTakeFirst();
}

/** A principal that is there again has another id than the one it was asked for with. */
const withFact = (event: NewEvent, principal: string): NewEvent => ({
  ...event,
  facts: { ...event.facts, principal },
});
