/** How an OAuth client for a component ends: nobody uses it any more, what was granted through it is revoked, it is gone. */
import { sql, type Kysely } from 'kysely';
import { originIn } from '../../connection/messages';
import { freezeConnections, unfinished } from '../connections/connection-removal';
import type { NewEvent } from '../contract';
import { notFound } from '../errors';
import { appendEvent } from '../events';
import { clientUse } from './oauth-client-reads';
import { inUse } from './oauth-client-writes';
import { oweEffect } from '../outbox';
import type { Tables } from '../schema';

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
  await freezeConnections(db, tenant, throughClient(db, tenant, id).$asScalar(), 'OAUTH_CLIENT_UNUSABLE', event);
  await oweEffect(db, tenant, { kind: 'oauth_client.remove', subject: id, ...originIn(event) });
  await appendEvent(db, tenant, null, event);
}

export async function disconnect(
  db: Kysely<Tables>,
  tenant: string,
  id: string,
  event: NewEvent,
  limit: number,
): Promise<readonly string[]> {
  const chosen = throughClient(db, tenant, id).$asScalar();
  await freezeConnections(db, tenant, chosen, 'OAUTH_CLIENT_UNUSABLE', event);
  return unfinished(db, tenant, chosen, limit);
}

export async function recordDeleted(db: Kysely<Tables>, tenant: string, id: string, event: NewEvent): Promise<void> {
  if (await endClient(db, tenant, id)) await appendEvent(db, tenant, null, event);
}

/** Its secrets were destroyed: the row stays for those that name it. @returns false when that was known already */
export async function endClient(db: Kysely<Tables>, tenant: string, id: string): Promise<boolean> {
  const done = await db
    .updateTable('oauth_clients')
    .set({ status: 'deleted', secret_id: null, updated_at: sql<string>`now()` })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .where('status', '=', 'deleting')
    .executeTakeFirst();
  if (done.numUpdatedRows === 0n) return false;
  await db.deleteFrom('client_secrets').where('tenant', '=', tenant).where('client', '=', id).execute();
  return true;
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
