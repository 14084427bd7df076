/** Deletions that were begun and are not finished, for housekeeping. */
import type { Kysely } from 'kysely';
import type { TenantAndId } from './contract';
import type { Tables } from './schema';

const EFFECT = { integrations: 'integration.remove', oauth_clients: 'oauth_client.remove' } as const;

/** As long as the effect is owed, nobody has begun with it: whoever asked for it is to be named. */
export function unfinishedDeletions(
  db: Kysely<Tables>,
  table: keyof typeof EFFECT,
  limit: number,
  tenants?: readonly string[],
  after?: TenantAndId,
): Promise<readonly TenantAndId[]> {
  return (
    db
      .selectFrom(db.dynamic.table(table).as('it'))
      .select(['it.tenant', 'it.id'])
      .where('it.status', '=', 'deleting')
      // An integration's own client goes with it.
      .$if(table === 'oauth_clients', (query) => query.where('it.component', 'is not', null))
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('outbox')
              .select('outbox.position')
              .whereRef('outbox.tenant', '=', 'it.tenant')
              .whereRef('outbox.subject', '=', 'it.id')
              .where('outbox.kind', '=', EFFECT[table]),
          ),
        ),
      )
      .$if(tenants !== undefined, (query) => query.where('it.tenant', 'in', tenants ?? []))
      .where(({ eb, refTuple, tuple }) =>
        eb(refTuple('it.tenant', 'it.id'), '>', tuple(after?.tenant ?? '', after?.id ?? '')),
      )
      .orderBy('it.tenant')
      .orderBy('it.id')
      .limit(limit)
      .execute()
  );
}
