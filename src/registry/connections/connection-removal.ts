/** Connections whose OAuth client or integration goes: frozen together, then revoked one by one. */
import { sql, type Expression, type Kysely } from 'kysely';
import type { ErrorCode } from '../../errors';
import type { NewEvent } from '../contract';
import { appendEvent } from '../events';
import type { Tables } from '../schema';

/**
 * As `freeze` of one connection, for many: no reader serves them any more, a revocation is owed.
 * @param chosen a statement that gives their ids
 */
export async function freezeConnections(
  db: Kysely<Tables>,
  tenant: string,
  chosen: Expression<string>,
  reason: ErrorCode,
  event: NewEvent,
): Promise<void> {
  const frozen = await db
    .updateTable('connections')
    .set({
      frozen_at: sql<string>`now()`,
      revoking_since: sql<string>`now()`,
      next_attempt_at: null,
      consent_deadline: null,
      usable: false,
      state: 'disconnected',
      recovery: 'reconnect',
      reason,
      evidence: null,
      since: sql<string>`now()`,
      state_version: sql<number>`state_version + 1`,
    })
    .where('tenant', '=', tenant)
    .where('frozen_at', 'is', null)
    .where('id', 'in', chosen)
    .returning('id')
    .execute();
  for (const { id } of frozen) await appendEvent(db, tenant, id, { ...event, type: 'connection.frozen' });
}

/** @returns those whose revocation is not finished, `limit` at most */
export async function unfinished(
  db: Kysely<Tables>,
  tenant: string,
  chosen: Expression<string>,
  limit: number,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('connections')
    .select('id')
    .where('tenant', '=', tenant)
    .where('id', 'in', chosen)
    .where('revoking_since', 'is not', null)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}
