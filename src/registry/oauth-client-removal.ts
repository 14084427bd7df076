/** How an OAuth client for a component ends: nobody uses it any more, what was granted through it is revoked, it is gone. */
import { sql, type Kysely } from 'kysely';
import type { NewEvent } from './contract';
import { notFound } from './errors';
import { appendEvent } from './events';
import { clientUse } from './oauth-client-reads';
import { inUse } from './oauth-client-writes';
import { oweEffect } from './outbox';
import type { Tables } from './schema';

/** A flow that is being made locks the same row: it sees this client published, or this sees the flow. */
export async function markDeleting(db: Kysely<Tables>, tenant: string, id: string, event: NewEvent): Promise<void> {
  const client = await db
    .selectFrom('oauth_clients')
    .select('id')
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .where('status', '=', 'published')
    .where('component', 'is not', null)
    .forUpdate()
    .executeTakeFirst();
  if (client === undefined) throw notFound('OAuth client', { tenant, client: id });
  const { flows } = await clientUse(db, tenant, id);
  if (flows.length > 0) throw inUse(tenant, id, flows);
  await db
    .updateTable('oauth_clients')
    .set({ status: 'deleting', updated_at: sql<string>`now()` })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .execute();
  await freezeConnections(db, tenant, id, event);
  const { by, traceId } = event;
  await oweEffect(db, tenant, { kind: 'oauth_client.remove', subject: id, by, traceId });
  await appendEvent(db, tenant, null, event);
}

export async function disconnect(
  db: Kysely<Tables>,
  tenant: string,
  id: string,
  event: NewEvent,
  limit: number,
): Promise<readonly string[]> {
  await freezeConnections(db, tenant, id, event);
  const rows = await throughClient(db, tenant, id)
    .where('connections.revoking_since', 'is not', null)
    .orderBy('connections.id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

export async function recordDeleted(db: Kysely<Tables>, tenant: string, id: string, event: NewEvent): Promise<void> {
  const done = await db
    .updateTable('oauth_clients')
    .set({ status: 'deleted', secret_id: null, updated_at: sql<string>`now()` })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .where('status', '=', 'deleting')
    .executeTakeFirst();
  if (done.numUpdatedRows === 0n) return;
  await db.deleteFrom('client_secrets').where('tenant', '=', tenant).where('client', '=', id).execute();
  await appendEvent(db, tenant, null, event);
}

/** As `freeze` of one connection, for all through a client: no reader serves them any more, a revocation is owed. */
async function freezeConnections(db: Kysely<Tables>, tenant: string, client: string, event: NewEvent): Promise<void> {
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
      reason: 'OAUTH_CLIENT_UNUSABLE',
      evidence: null,
      since: sql<string>`now()`,
      state_version: sql<number>`state_version + 1`,
    })
    .where('tenant', '=', tenant)
    .where('frozen_at', 'is', null)
    .where('id', 'in', throughClient(db, tenant, client))
    .returning('id')
    .execute();
  for (const { id } of frozen) await appendEvent(db, tenant, id, { ...event, type: 'connection.frozen' });
}

const throughClient = (db: Kysely<Tables>, tenant: string, client: string) =>
  db
    .selectFrom('connections')
    .innerJoin('integrations', (join) =>
      join
        .onRef('integrations.tenant', '=', 'connections.tenant')
        .onRef('integrations.id', '=', 'connections.integration_id'),
    )
    .select('connections.id')
    .where('connections.tenant', '=', tenant)
    .where('integrations.oauth_client_id', '=', client);
