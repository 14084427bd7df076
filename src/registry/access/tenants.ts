import { sql, type Kysely } from 'kysely';
import { DurableOAuthError } from '../../errors';
import type { Tenants } from '../contract-access';
import { notFound, refuseOther } from '../errors';
import { appendEvent } from '../events';
import type { Tables } from '../schema';

const SHOWN = ['id', 'name', 'created_at as createdAt'] as const;

export function tenantsRepository(db: Kysely<Tables>): Tenants {
  return {
    create: (tenant, name, event) =>
      db.transaction().execute(async (transaction) => {
        const made = await transaction
          .insertInto('tenants')
          .values({ id: tenant, name })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        if (made.numInsertedOrUpdatedRows === 0n) {
          throw new DurableOAuthError('ALREADY_EXISTS', 'A tenant of that name exists', { tenant });
        }
        if (event) await appendEvent(transaction, tenant, null, event);
      }),

    get: (tenant) => db.selectFrom('tenants').select(SHOWN).where('id', '=', tenant).executeTakeFirst(),

    list: (among, { size, after }) =>
      db
        .selectFrom('tenants')
        .select(SHOWN)
        .$if(among !== undefined, (query) => query.where('id', '=', sql<string>`any(${among})`))
        .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
        .orderBy('id')
        .limit(size)
        .execute(),

    async ids() {
      const rows = await db.selectFrom('tenants').select('id').orderBy('id').execute();
      return rows.map(({ id }) => id);
    },

    rename: (tenant, name, event, base) =>
      db.transaction().execute(async (transaction) => {
        const before = await transaction
          .selectFrom('tenants')
          .select(SHOWN)
          .where('id', '=', tenant)
          // What refers to the tenant goes on.
          .forNoKeyUpdate()
          .executeTakeFirst();
        if (before === undefined) throw notFound('tenant', { tenant });
        refuseOther(before, base, { tenant });
        await transaction.updateTable('tenants').set({ name }).where('id', '=', tenant).execute();
        await appendEvent(transaction, tenant, null, event);
      }),
  };
}
