import { sql, type Kysely } from 'kysely';
import { contextsOf, listConnections } from './connection-lists';
import {
  adoptGrant,
  change,
  freeze,
  quarantine,
  recordRevoked,
  recordToken,
  recordTransition,
  release,
} from './connection-writes';
import type { Registry } from '../contract';
import { toConnectionRow } from '../rows';
import type { Tables } from '../schema';

export function connectionsRepository(db: Kysely<Tables>): Registry['connections'] {
  const row = (tenant: string, id: string) =>
    db.selectFrom('connections').selectAll().where('tenant', '=', tenant).where('id', '=', id).executeTakeFirst();

  return {
    async get({ tenant, connection }) {
      const found = await row(tenant, connection);
      return found && toConnectionRow(found);
    },

    list: (tenant, page, filter) => listConnections(db, tenant, page, filter),
    contexts: (tenant, rows) => contextsOf(db, tenant, rows),

    async context({ tenant, connection }) {
      const found = await row(tenant, connection);
      return found && (await contextsOf(db, tenant, [toConnectionRow(found)]))[0];
    },

    change: (ref, changes, event, base) =>
      db.transaction().execute((transaction) => change(transaction, ref, changes, event, base)),
    recordTransition: (ref, projection) =>
      db.transaction().execute((transaction) => recordTransition(transaction, ref, projection)),
    recordToken: (ref, token, refreshedAt, nextAttemptAt) => recordToken(db, ref, token, refreshedAt, nextAttemptAt),
    adoptGrant: (ref, adoption) => db.transaction().execute((transaction) => adoptGrant(transaction, ref, adoption)),
    freeze: (ref, event) => db.transaction().execute((transaction) => freeze(transaction, ref, event)),
    recordRevoked: (ref, event, grant) =>
      db.transaction().execute((transaction) => recordRevoked(transaction, ref, event, grant)),

    quarantine: (ref, event) => db.transaction().execute((transaction) => quarantine(transaction, ref, event)),
    release: (ref, event) => db.transaction().execute((transaction) => release(transaction, ref, event)),

    async overdue(before, limit, tenants, after) {
      // To the millisecond, as the cursor knows it; those that never expire come last.
      const expiry = sql<string>`coalesce(date_trunc('milliseconds', expires_at), 'infinity')`;
      const rows = await db
        .selectFrom('connections')
        .select(['tenant', 'id as connection', 'expires_at as expiresAt'])
        // LEAST leaves NULLs out: a connection that waits for its first consent has only a deadline, a frozen one only the
        // revocation that is not finished.
        .where((eb) => eb.fn('least', ['next_attempt_at', 'consent_deadline', 'revoking_since']), '<', before)
        .$if(tenants !== undefined, (query) => query.where('tenant', 'in', tenants ?? []))
        .$if(after !== undefined, (query) =>
          query.where(
            sql<boolean>`(${expiry}, tenant, id) > (coalesce(${after?.expiresAt ?? null}::timestamptz, 'infinity'), ${after?.tenant ?? ''}, ${after?.connection ?? ''})`,
          ),
        )
        .orderBy(expiry)
        .orderBy('tenant')
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows;
    },
  };
}
