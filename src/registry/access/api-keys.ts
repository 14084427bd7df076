import { sql, type Kysely } from 'kysely';
import type { ApiKeys } from '../contract-access';
import { notFound } from '../errors';
import { appendEvent } from '../events';
import type { Tables } from '../schema';

const SHOWN = [
  'api_keys.tenant',
  'api_keys.principal',
  'api_keys.prefix',
  'api_keys.label',
  'api_keys.permissions as scopes',
  'api_keys.created_at as createdAt',
  'api_keys.expires_at as expiresAt',
  'api_keys.last_used_at as lastUsedAt',
] as const;

export function apiKeysRepository(db: Kysely<Tables>): ApiKeys {
  return {
    create: ({ tenant, principal, prefix, hash, scopes, label, expiresAt }, event) =>
      db.transaction().execute(async (transaction) => {
        // Locked, so that a removal that is under way revokes this key too.
        const owner = await transaction
          .selectFrom('principals')
          .select('id')
          .where('tenant', '=', tenant)
          .where('id', '=', principal)
          .where('removed_at', 'is', null)
          .forShare()
          .executeTakeFirst();
        if (owner === undefined) throw notFound('principal', { tenant, principal });
        const row = await transaction
          .insertInto('api_keys')
          .values({ tenant, principal, prefix, hash, permissions: scopes, label, expires_at: expiresAt })
          .returning(SHOWN)
          .executeTakeFirstOrThrow();
        await appendEvent(transaction, tenant, null, event);
        return row;
      }),

    find: (prefix) =>
      db
        .selectFrom('api_keys')
        .innerJoin('principals', (join) =>
          join.onRef('principals.tenant', '=', 'api_keys.tenant').onRef('principals.id', '=', 'api_keys.principal'),
        )
        .select([
          ...SHOWN,
          'principals.email',
          'principals.removed_at as removedAt',
          'api_keys.hash',
          'api_keys.revoked_at as revokedAt',
        ])
        .where('api_keys.prefix', '=', prefix)
        .executeTakeFirst(),

    list: (tenant, principal, { size, after }) =>
      db
        .selectFrom('api_keys')
        .select([...SHOWN, 'api_keys.prefix as id'])
        .where('tenant', '=', tenant)
        .where('principal', '=', principal)
        .where('revoked_at', 'is', null)
        .$if(after !== undefined, (query) => query.where('prefix', '>', after ?? ''))
        .orderBy('prefix')
        .limit(size)
        .execute(),

    revoke: (tenant, principal, prefix, event) =>
      db.transaction().execute(async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('api_keys')
          .set({ revoked_at: sql`now()` })
          .where('tenant', '=', tenant)
          .where('principal', '=', principal)
          .where('prefix', '=', prefix)
          .where('revoked_at', 'is', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) throw notFound('API key', { tenant, principal });
        await appendEvent(transaction, tenant, null, event);
      }),

    async recordUse(prefix) {
      await db
        .updateTable('api_keys')
        .set({ last_used_at: sql`now()` })
        .where('prefix', '=', prefix)
        .where(({ or, eb }) =>
          or([eb('last_used_at', 'is', null), eb('last_used_at', '<', sql<string>`now() - interval '1 minute'`)]),
        )
        .execute();
    },
  };
}
