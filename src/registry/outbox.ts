/** Effects owed: what must follow a change is written with it, and taken from here until it has happened. */
import { sql, type Kysely, type SelectQueryBuilder } from 'kysely';
import type { Effect, EffectKind, Outbox } from './contract-platform';
import { withReason } from './events';
import type { Tables } from './schema';

type Owed = Pick<Effect, 'kind' | 'subject' | 'by' | 'traceId' | 'auditReason'> & Partial<Pick<Effect, 'facts'>>;

/** Inside the transaction of its cause. @param tenant the one the subject belongs to */
export async function oweEffect(
  db: Kysely<Tables>,
  tenant: string,
  { kind, subject, facts, by, traceId, auditReason }: Owed,
): Promise<void> {
  const told = withReason(facts, auditReason);
  await db
    .insertInto('outbox')
    .values({ tenant, kind, subject, facts: told === undefined ? null : JSON.stringify(told), by, trace_id: traceId })
    .execute();
}

/**
 * Wake the connections of integrations that changed; a frozen one waits for nothing.
 * @param integrations ids, or a query of ids: there may be more than should come here
 */
export async function oweNudges(
  db: Kysely<Tables>,
  tenant: string,
  integrations: readonly string[] | SelectQueryBuilder<Tables, 'integrations', { id: string }>,
  { by, traceId }: Pick<Effect, 'by' | 'traceId'>,
  facts?: Effect['facts'],
): Promise<void> {
  const owed = facts === undefined ? null : JSON.stringify(facts);
  await db
    .insertInto('outbox')
    .columns(['tenant', 'kind', 'subject', 'facts', 'by', 'trace_id'])
    .expression((of) =>
      of
        .selectFrom('connections')
        .select(({ val }) => [
          'tenant',
          val<EffectKind>('connection.nudge').as('kind'),
          'id',
          sql<Effect['facts'] | null>`${owed}::jsonb`.as('facts'),
          val(by).as('by'),
          val(traceId).as('trace_id'),
        ])
        .where('tenant', '=', tenant)
        .where('integration_id', 'in', integrations)
        .where('frozen_at', 'is', null)
        .orderBy('id'),
    )
    .execute();
}

const reasonIn = (facts: Effect['facts'] | null): string | undefined => {
  const reason = facts?.['audit_reason'];
  return typeof reason === 'string' ? reason : undefined;
};

export function outboxRepository(db: Kysely<Tables>): Outbox {
  return {
    // Locked rows are another taker's; the lease keeps what was taken from the next one, and brings back what was lost.
    async take(limit, leaseMs, tenants) {
      const rows = await db
        .updateTable('outbox')
        .set((eb) => ({
          attempts: eb('attempts', '+', 1),
          due_at: sql<string>`now() + make_interval(secs => ${leaseMs / 1000} * least(power(2, attempts), 64))`,
        }))
        .where('due_at', '<=', sql<string>`now()`)
        .where('position', 'in', (of) =>
          of
            .selectFrom('outbox as owed')
            .select('owed.position')
            .where('owed.due_at', '<=', sql<string>`now()`)
            .$if(tenants !== undefined, (query) => query.where('owed.tenant', 'in', tenants ?? []))
            .orderBy('owed.due_at')
            .orderBy('owed.position')
            .limit(limit)
            .forUpdate()
            .skipLocked(),
        )
        .returningAll()
        .execute();
      return rows
        .sort((a, b) => Number(BigInt(a.position) - BigInt(b.position)))
        .map(({ tenant, position, kind, subject, facts, by, trace_id, attempts }) => ({
          tenant,
          position,
          kind,
          subject,
          facts: facts ?? {},
          by,
          traceId: trace_id,
          auditReason: reasonIn(facts),
          attempts,
        }));
    },

    async done({ tenant, position }) {
      await db.deleteFrom('outbox').where('tenant', '=', tenant).where('position', '=', position).execute();
    },
  };
}
