import { sql, type Kysely } from 'kysely';
import { DurableOAuthError } from '../../errors';
import type { ProviderRow, Providers } from '../contract-providers';
import { notFound } from '../errors';
import { appendEvent } from '../events';
import { oweNudges } from '../outbox';
import { toProviderRow } from '../rows';
import type { Tables } from '../schema';

/** As many users of a provider as are named. */
const NAMED = 100;

export async function providerOf(db: Kysely<Tables>, tenant: string, id: string): Promise<ProviderRow | undefined> {
  const row = await db
    .selectFrom('providers')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && toProviderRow(row);
}

export function providersRepository(db: Kysely<Tables>): Providers {
  return {
    create: ({ tenant, id, base, preset, event }) =>
      db.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('providers')
          .values({ tenant, id, base, preset: JSON.stringify(preset) })
          .execute();
        await appendEvent(transaction, tenant, null, event);
      }),

    get: (tenant, id) => providerOf(db, tenant, id),

    async list(tenant, { size, after }) {
      const rows = await db
        .selectFrom('providers')
        .selectAll()
        .where('tenant', '=', tenant)
        .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
        .orderBy('id')
        .limit(size)
        .execute();
      return rows.map(toProviderRow);
    },

    change: (tenant, id, { from, to, event }) =>
      db.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom('providers')
          .select(sql<boolean>`preset = ${JSON.stringify(from)}::jsonb`.as('unchanged'))
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          .forUpdate()
          .executeTakeFirst();
        if (row === undefined) throw unknown(tenant, id);
        if (!row.unchanged) return false;
        await transaction
          .updateTable('providers')
          .set({ preset: JSON.stringify(to), updated_at: sql<string>`now()` })
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          .execute();
        await appendEvent(transaction, tenant, null, event);
        await oweNudges(transaction, tenant, usersOf(transaction, tenant, id), event);
        return true;
      }),

    use: (tenant, id) =>
      usersOf(db, tenant, id)
        .select((eb) => eb.ref('settings', '->>').key('label').as('label'))
        .orderBy('id')
        .limit(NAMED)
        .execute(),

    remove: (tenant, id, event) =>
      db.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom('providers')
          .select('id')
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          .forUpdate()
          .executeTakeFirst();
        if (row === undefined) throw unknown(tenant, id);
        if ((await usersOf(transaction, tenant, id).limit(1).executeTakeFirst()) !== undefined) {
          throw new DurableOAuthError('IN_USE', 'Integrations use the provider', { provider: id });
        }
        await transaction.deleteFrom('providers').where('tenant', '=', tenant).where('id', '=', id).execute();
        await appendEvent(transaction, tenant, null, event);
      }),
  };
}

const unknown = (tenant: string, provider: string): Error => notFound('provider', { tenant, provider });

/** Ids of the integrations made from it. */
const usersOf = (db: Kysely<Tables>, tenant: string, id: string) =>
  db
    .selectFrom('integrations')
    .select('id')
    .where('tenant', '=', tenant)
    .where((eb) => eb.ref('settings', '->>').key('preset'), '=', id)
    // One that is being deleted is still revoked by it.
    .where('status', '!=', 'deleted');
