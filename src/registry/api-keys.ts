import { sql, type Kysely } from 'kysely';
import type { Registry } from './contract';
import type { Tables } from './schema';

export function apiKeysRepository(db: Kysely<Tables>): Registry['apiKeys'] {
  return {
    async create({ tenant, principal, prefix, hash, permissions }) {
      await db.insertInto('api_keys').values({ tenant, principal, prefix, hash, permissions }).execute();
    },

    find: (prefix) =>
      db
        .selectFrom('api_keys')
        .innerJoin('principals', (join) =>
          join.onRef('principals.tenant', '=', 'api_keys.tenant').onRef('principals.id', '=', 'api_keys.principal'),
        )
        .select([
          'api_keys.tenant',
          'api_keys.principal',
          'principals.email',
          'api_keys.hash',
          'api_keys.permissions',
          'api_keys.revoked_at as revokedAt',
        ])
        .where('api_keys.prefix', '=', prefix)
        .executeTakeFirst(),

    holders: (tenant) =>
      db
        .selectFrom('api_keys')
        .innerJoin('principals', (join) =>
          join.onRef('principals.tenant', '=', 'api_keys.tenant').onRef('principals.id', '=', 'api_keys.principal'),
        )
        .select(['principals.email', 'api_keys.permissions'])
        .where('api_keys.tenant', '=', tenant)
        .where('api_keys.revoked_at', 'is', null)
        .where('principals.removed_at', 'is', null)
        .where((eb) =>
          eb.or([eb('api_keys.expires_at', 'is', null), eb('api_keys.expires_at', '>', sql<string>`now()`)]),
        )
        .orderBy('principals.email')
        .execute(),
  };
}
