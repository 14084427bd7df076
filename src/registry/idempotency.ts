import { sql, type Kysely } from 'kysely';
import type { IdempotentRequest, Registry } from './contract';
import type { Tables } from './schema';

export function idempotencyRepository(db: Kysely<Tables>): Registry['idempotency'] {
  return {
    async claim(request) {
      const { tenant, principal, path, key, bodyHash } = request;
      await db
        .deleteFrom('idempotency_keys')
        .where('tenant', '=', tenant)
        .where('created_at', '<', sql<string>`now() - interval '24 hours'`)
        .execute();
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('idempotency_keys')
        .values({ tenant, principal, path, key, body_hash: bodyHash })
        .onConflict((conflict) => conflict.columns(['tenant', 'principal', 'path', 'key']).doNothing())
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows === 1n) return undefined;
      const row = await db
        .selectFrom('idempotency_keys')
        .select(['body_hash', 'status', 'location', 'created_at'])
        .where('tenant', '=', tenant)
        .where('principal', '=', principal)
        .where('path', '=', path)
        .where('key', '=', key)
        .executeTakeFirst();
      // Released between the two statements: the next attempt may have it.
      if (row === undefined) return { bodyHash, status: null, location: null, claimedAt: new Date().toISOString() };
      return { bodyHash: row.body_hash, status: row.status, location: row.location, claimedAt: row.created_at };
    },

    async complete(request, { status, location }) {
      await db
        .updateTable('idempotency_keys')
        .set({ status, location })
        .where(({ and }) => and(columnsOf(request)))
        .where('tenant', '=', request.tenant)
        .execute();
    },

    async release(request) {
      await db
        .deleteFrom('idempotency_keys')
        .where(({ and }) => and(columnsOf(request)))
        .where('tenant', '=', request.tenant)
        .where('status', 'is', null)
        .execute();
    },
  };
}

const columnsOf = ({ principal, path, key }: IdempotentRequest): { principal: string; path: string; key: string } => ({
  principal,
  path,
  key,
});
