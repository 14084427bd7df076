import type { Kysely } from 'kysely';
import { DurableOAuthError } from '../errors';
import type { Registry } from './contract';
import type { Tables } from './schema';

export function tenantsRepository(db: Kysely<Tables>): Registry['tenants'] {
  return {
    async create(tenant, name) {
      const made = await db
        .insertInto('tenants')
        .values({ id: tenant, name })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (made.numInsertedOrUpdatedRows === 0n) {
        throw new DurableOAuthError('ALREADY_EXISTS', 'A tenant of that name exists', { tenant });
      }
    },

    async ids() {
      const rows = await db.selectFrom('tenants').select('id').orderBy('id').execute();
      return rows.map(({ id }) => id);
    },

    get: (tenant) => db.selectFrom('tenants').select(['id', 'name']).where('id', '=', tenant).executeTakeFirst(),
  };
}
