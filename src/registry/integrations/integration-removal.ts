/** How an integration ends: nobody uses it any more, its connections are revoked, its own client goes with it. */
import { sql, type Kysely } from 'kysely';
import { originIn } from '../../connection/messages';
import { DurableOAuthError } from '../../errors';
import { freezeConnections, unfinished } from '../connections/connection-removal';
import type { NewEvent, Registry } from '../contract';
import { notFound } from '../errors';
import { appendEvent } from '../events';
import { releaseFingerprints } from './fingerprints';
import { endClient } from '../components/oauth-client-removal';
import { oweEffect } from '../outbox';
import type { Tables } from '../schema';

type Integrations = Registry['integrations'];

/** Any version of any flow counts. */
export async function integrationUse(db: Kysely<Tables>, tenant: string, id: string): ReturnType<Integrations['use']> {
  const flows = await db
    .selectFrom('flow_connections')
    .innerJoin('flows', (join) =>
      join.onRef('flows.tenant', '=', 'flow_connections.tenant').onRef('flows.id', '=', 'flow_connections.flow'),
    )
    .select(['flows.id', 'flows.name'])
    .distinct()
    .where('flow_connections.tenant', '=', tenant)
    .where('flow_connections.connection', 'in', connectionsOf(db, tenant, id))
    .orderBy('flows.id')
    .limit(100)
    .execute();
  return { flows };
}

/** A flow that is being made holds the same row: it sees this integration published, or this sees the flow. */
export async function markDeleting(db: Kysely<Tables>, tenant: string, id: string, event: NewEvent): Promise<void> {
  const integration = await db
    .selectFrom('integrations')
    .select('oauth_client_id')
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .where('status', '=', 'published')
    .forUpdate()
    .executeTakeFirst();
  if (integration === undefined) throw notFound('integration', { tenant, integration: id });
  const { flows } = await integrationUse(db, tenant, id);
  if (flows.length > 0) {
    const named = flows.map((flow) => flow.id).join(', ');
    throw new DurableOAuthError('IN_USE', 'Flows use the integration', { tenant, integration: id, flows: named });
  }
  await db
    .updateTable('integrations')
    .set({ status: 'deleting' })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .execute();
  const client = integration.oauth_client_id;
  if (await lockOwnClient(db, tenant, client, id)) {
    await db
      .updateTable('oauth_clients')
      .set({ status: 'deleting', updated_at: sql<string>`now()` })
      .where('tenant', '=', tenant)
      .where('id', '=', client)
      .execute();
  }
  await freezeConnections(db, tenant, connectionsOf(db, tenant, id).$asScalar(), 'INTEGRATION_DELETED', event);
  // Those that were revoked before cannot be connected again either.
  await db
    .updateTable('connections')
    .set({ reason: 'INTEGRATION_DELETED' })
    .where('tenant', '=', tenant)
    .where('integration_id', '=', id)
    .execute();
  await oweEffect(db, tenant, { kind: 'integration.remove', subject: id, ...originIn(event) });
  await appendEvent(db, tenant, null, event);
}

export async function disconnect(
  db: Kysely<Tables>,
  tenant: string,
  id: string,
  event: NewEvent,
  limit: number,
): Promise<readonly string[]> {
  const chosen = connectionsOf(db, tenant, id).$asScalar();
  await freezeConnections(db, tenant, chosen, 'INTEGRATION_DELETED', event);
  return unfinished(db, tenant, chosen, limit);
}

export async function ownSecrets(
  db: Kysely<Tables>,
  tenant: string,
  id: string,
): ReturnType<Integrations['ownSecrets']> {
  const client = await db
    .selectFrom('integrations')
    .innerJoin('oauth_clients', (join) =>
      join
        .onRef('oauth_clients.tenant', '=', 'integrations.tenant')
        .onRef('oauth_clients.id', '=', 'integrations.oauth_client_id'),
    )
    .select(['oauth_clients.id', 'oauth_clients.secret_id'])
    .where('integrations.tenant', '=', tenant)
    .where('integrations.id', '=', id)
    .where('oauth_clients.component', 'is', null)
    .where('oauth_clients.status', '=', 'deleting')
    .executeTakeFirst();
  if (client === undefined) return [];
  const ids = await secretsOf(db, tenant, client);
  return ids.map((secret) => ({ client: client.id, id: secret }));
}

/** One that came with the save is on no list. */
async function secretsOf(
  db: Kysely<Tables>,
  tenant: string,
  client: { readonly id: string; readonly secret_id: string | null },
): Promise<string[]> {
  const listed = await db
    .selectFrom('client_secrets')
    .select('id')
    .where('tenant', '=', tenant)
    .where('client', '=', client.id)
    .execute();
  return [...new Set([...listed.map((row) => row.id), ...(client.secret_id === null ? [] : [client.secret_id])])];
}

/** What a save made, as if it had never been. @returns as `integrations.remove` */
export async function undoSave(
  db: Kysely<Tables>,
  tenant: string,
  id: string,
  event: NewEvent,
  destroyed?: readonly string[],
): Promise<boolean> {
  const integration = await db
    .selectFrom('integrations')
    .select('oauth_client_id')
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    // One that is being deleted is kept: its connections are revoked first.
    .where('status', '=', 'published')
    .forUpdate()
    .executeTakeFirst();
  if (integration === undefined) return true;
  const client = integration.oauth_client_id;
  const goes = await lockOwnClient(db, tenant, client, id);
  if (goes && destroyed !== undefined && (await hasOther(db, tenant, client, destroyed))) return false;
  for (const connection of await connectionsOf(db, tenant, id).execute()) {
    await appendEvent(db, tenant, connection.id, event);
    await releaseFingerprints(db, tenant, connection.id);
  }
  // Connections go with their integration, links and waiters with their connection.
  await db.deleteFrom('integrations').where('tenant', '=', tenant).where('id', '=', id).execute();
  if (goes) await db.deleteFrom('oauth_clients').where('tenant', '=', tenant).where('id', '=', client).execute();
  return true;
}

async function hasOther(
  db: Kysely<Tables>,
  tenant: string,
  id: string,
  destroyed: readonly string[],
): Promise<boolean> {
  const client = await db
    .selectFrom('oauth_clients')
    .select(['id', 'secret_id'])
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return (await secretsOf(db, tenant, client)).some((secret) => !destroyed.includes(secret));
}

export async function recordDeleted(db: Kysely<Tables>, tenant: string, id: string, event: NewEvent): Promise<void> {
  const done = await db
    .updateTable('integrations')
    .set({ status: 'deleted' })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .where('status', '=', 'deleting')
    .returning('oauth_client_id')
    .executeTakeFirst();
  if (done === undefined) return;
  const client = done.oauth_client_id;
  if (await lockOwnClient(db, tenant, client, id)) await endClient(db, tenant, client);
  const connections = await connectionsOf(db, tenant, id).execute();
  // What a server without revocation goes on to accept may be pasted again.
  for (const connection of connections) await releaseFingerprints(db, tenant, connection.id);
  await appendEvent(db, tenant, null, event);
}

/**
 * Locked before it is judged: an integration that is being registered for it holds the row until it is visible.
 * @returns whether the client goes with the integration: it was made by its save, and no other integration uses it
 */
async function lockOwnClient(
  db: Kysely<Tables>,
  tenant: string,
  client: string,
  integration: string,
): Promise<boolean> {
  const locked = await db
    .selectFrom('oauth_clients')
    .select('id')
    .where('tenant', '=', tenant)
    .where('id', '=', client)
    // One that was made for a component is its own master.
    .where('component', 'is', null)
    .forUpdate()
    .execute();
  const others = await db
    .selectFrom('integrations')
    .select('id')
    .where('tenant', '=', tenant)
    .where('oauth_client_id', '=', client)
    .where('id', '!=', integration)
    .limit(1)
    .execute();
  return locked.length > 0 && others.length === 0;
}

const connectionsOf = (db: Kysely<Tables>, tenant: string, integration: string) =>
  db.selectFrom('connections').select('id').where('tenant', '=', tenant).where('integration_id', '=', integration);
