import { randomBytes } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import { idFrom } from '../connection/ids';
import { originIn, type Origin } from '../connection/messages';
import type { NewEvent } from './contract';
import type { Events } from './contract-access';
import { toEventRow } from './rows';
import type { Tables } from './schema';

/**
 * Inside the transaction of the change that the event tells.
 * @param id of an event that may be told again; once it is there, nothing is appended
 */
export async function appendEvent(
  db: Kysely<Tables>,
  tenant: string,
  connection: string | null,
  { type, by, traceId, auditReason, facts }: NewEvent,
  id = idFrom('ev', randomBytes(17)),
): Promise<void> {
  const told = withReason(facts, auditReason);
  await db
    .insertInto('connection_events')
    .values({
      tenant,
      id,
      connection,
      type,
      by,
      trace_id: traceId,
      facts: told === undefined ? null : JSON.stringify(told),
    })
    .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
    .execute();
}

/** As another tenant is told: who works for one, and why, is no other one's business. @param own whose people did it */
export const originFor = (tenant: string, own: string, origin: Origin): Origin =>
  tenant === own ? originIn(origin) : { by: 'system', traceId: origin.traceId };

/** Reasons of the system's own are facts too: they are called otherwise. */
export const withReason = (facts: NewEvent['facts'], auditReason: string | undefined): NewEvent['facts'] =>
  auditReason === undefined ? facts : { ...facts, audit_reason: auditReason };

/**
 * Positions are taken before they can be seen: a transaction under way may hold a lower one than the newest that is seen.
 * Settled = written by a transaction older than every one that writes now. No transaction of ours lasts a minute, and a
 * foreign one must not hold a follower up for longer.
 */
const settled = sql<boolean>`(age(xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)
  OR at < now() - interval '1 minute')`;

export function eventsRepository(db: Kysely<Tables>): Events {
  const after = (tenant: string, id: string | undefined, newestFirst = false) =>
    db
      .selectFrom('connection_events')
      .selectAll()
      .where('tenant', '=', tenant)
      .$if(id !== undefined, (query) =>
        query.where('position', newestFirst ? '<' : '>', (last) =>
          last
            .selectFrom('connection_events as last')
            .select('last.position')
            .where('last.tenant', '=', tenant)
            .where('last.id', '=', id ?? ''),
        ),
      )
      .orderBy('position', newestFirst ? 'desc' : 'asc');

  return {
    append: (tenant, connection, event, id) => appendEvent(db, tenant, connection, event, id),

    async list(tenant, connection, page, { type, newestFirst } = {}) {
      const rows = await after(tenant, page.after, newestFirst)
        .$if(connection !== undefined, (query) => query.where('connection', '=', connection ?? ''))
        .$if(type !== undefined, (query) => query.where('type', '=', type ?? ''))
        .limit(page.size)
        .execute();
      return rows.map(toEventRow);
    },

    async get(tenant, id) {
      const row = await db
        .selectFrom('connection_events')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && toEventRow(row);
    },

    async settledAfter(tenant, id, limit) {
      const rows = await after(tenant, id).where(settled).limit(limit).execute();
      return rows.map(toEventRow);
    },

    async newestSettled(tenant) {
      const row = await db
        .selectFrom('connection_events')
        .select('id')
        .where('tenant', '=', tenant)
        .where(settled)
        .orderBy('position', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row?.id;
    },
  };
}
