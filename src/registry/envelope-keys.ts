import { sql, type Kysely } from 'kysely';
import type { Registry } from './contract';
import type { Tables } from './schema';

export function envelopeKeysRepository(db: Kysely<Tables>): Registry['envelopeKeys'] {
  return {
    list: () =>
      db
        .selectFrom('envelope_keys')
        .select(['kid', 'public_jwk as publicJwk', 'created_at as createdAt'])
        .where('destroyed_at', 'is', null)
        .orderBy('created_at', 'desc')
        .orderBy('kid', 'desc')
        .execute(),

    async destroyed() {
      const rows = await db
        .selectFrom('envelope_keys')
        .select('kid')
        .where('destroyed_at', 'is not', null)
        .orderBy('kid')
        .execute();
      return rows.map(({ kid }) => kid);
    },

    async insert(kid, publicJwk) {
      await db
        .insertInto('envelope_keys')
        .values({ kid, public_jwk: JSON.stringify(publicJwk) })
        .onConflict((conflict) => conflict.column('kid').doNothing())
        .execute();
    },

    async markDestroyed(kid) {
      await db
        .updateTable('envelope_keys')
        .set({ destroyed_at: sql<string>`now()` })
        .where('kid', '=', kid)
        .where('destroyed_at', 'is', null)
        .execute();
    },
  };
}
