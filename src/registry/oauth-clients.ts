import type { Kysely } from 'kysely';
import type { Registry } from './contract';
import { toOAuthClientRow } from './rows';
import type { Tables } from './schema';

export function oauthClientsRepository(db: Kysely<Tables>): Registry['oauthClients'] {
  return {
    async get(tenant, id) {
      const row = await db
        .selectFrom('oauth_clients')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && toOAuthClientRow(row);
    },

    async pause(tenant, id, until, code) {
      await db
        .updateTable('oauth_clients')
        .set({ paused_until: until, paused_code: code })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where(({ or, eb }) => or([eb('paused_until', 'is', null), eb('paused_until', '<', until)]))
        .execute();
    },

    async resume(tenant, id) {
      await db
        .updateTable('oauth_clients')
        .set({ paused_until: null, paused_code: null })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .execute();
    },
  };
}
