import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { idFrom } from '../connection/ids';
import type { NewEvent, Registry } from './contract';
import { toEventRow } from './rows';
import type { Tables } from './schema';

/** Inside the transaction of the change that the event tells. */
export async function appendEvent(
  db: Kysely<Tables>,
  tenant: string,
  connection: string | null,
  { type, by, traceId, facts }: NewEvent,
): Promise<void> {
  await db
    .insertInto('connection_events')
    .values({
      tenant,
      id: idFrom('ev', randomBytes(17)),
      connection,
      type,
      by,
      trace_id: traceId,
      facts: facts === undefined ? null : JSON.stringify(facts),
    })
    .execute();
}

export function eventsRepository(db: Kysely<Tables>): Registry['events'] {
  return {
    append: (tenant, connection, event) => appendEvent(db, tenant, connection, event),

    /** In the order of the log, oldest first: the last id of a page is where a follower goes on. */
    async list(tenant, connection, { size, after }) {
      const rows = await db
        .selectFrom('connection_events')
        .selectAll()
        .where('tenant', '=', tenant)
        .$if(connection !== undefined, (query) => query.where('connection', '=', connection ?? ''))
        .$if(after !== undefined, (query) =>
          query.where('position', '>', (last) =>
            last
              .selectFrom('connection_events as last')
              .select('last.position')
              .where('last.tenant', '=', tenant)
              .where('last.id', '=', after ?? ''),
          ),
        )
        .orderBy('position')
        .limit(size)
        .execute();
      return rows.map(toEventRow);
    },
  };
}
