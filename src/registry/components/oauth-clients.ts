/** OAuth clients: read, paused and resumed. What makes and ends those of components stands in files of their own. */
import type { Kysely } from 'kysely';
import type { OAuthClients } from '../contract-platform';
import { unfinishedDeletions } from '../deletions';
import { clientUse, componentClient, componentClients } from './oauth-client-reads';
import { disconnect, markDeleting, recordDeleted } from './oauth-client-removal';
import { abandon, nameSecret, prepareChange, publish, reserve } from './oauth-client-writes';
import { toOAuthClientRow } from '../rows';
import type { Tables } from '../schema';

export function oauthClientsRepository(db: Kysely<Tables>): OAuthClients {
  return {
    async get(tenant, id) {
      const row = await db
        .selectFrom('oauth_clients')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return row && toOAuthClientRow(row);
    },

    async pause(tenant, id, until, code) {
      await db
        .updateTable('oauth_clients')
        .set({ paused_until: until, paused_code: code })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where(({ or, eb }) => or([eb('paused_until', 'is', null), eb('paused_until', '<', until)]))
        .execute();
    },

    async resume(tenant, id) {
      await db
        .updateTable('oauth_clients')
        .set({ paused_until: null, paused_code: null })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .execute();
    },

    listForComponents: (tenant, filter = {}) => componentClients(db, tenant, filter),
    getForComponent: (tenant, id) => componentClient(db, tenant, id),
    reserve: (client) => db.transaction().execute((transaction) => reserve(transaction, client)),
    publish: (client) => db.transaction().execute((transaction) => publish(transaction, client)),
    nameSecret: (tenant, id, secret) =>
      db.transaction().execute((transaction) => nameSecret(transaction, tenant, id, secret)),
    prepareChange: (change) => db.transaction().execute((transaction) => prepareChange(transaction, change)),
    abandon: (tenant, id, secret) =>
      db.transaction().execute((transaction) => abandon(transaction, tenant, id, secret)),
    use: (tenant, id) => clientUse(db, tenant, id),
    markDeleting: (tenant, id, event) =>
      db.transaction().execute((transaction) => markDeleting(transaction, tenant, id, event)),
    disconnect: (tenant, id, event, limit) =>
      db.transaction().execute((transaction) => disconnect(transaction, tenant, id, event, limit)),

    async unwell(tenant, id, { size, after }) {
      const rows = await db
        .selectFrom('connections')
        .innerJoin('integrations', (join) =>
          join
            .onRef('integrations.tenant', '=', 'connections.tenant')
            .onRef('integrations.id', '=', 'connections.integration_id'),
        )
        .select('connections.id')
        .where('connections.tenant', '=', tenant)
        .where('integrations.oauth_client_id', '=', id)
        .where('connections.frozen_at', 'is', null)
        .where('connections.state', 'not in', ['active', 'pending_consent'])
        .$if(after !== undefined, (query) => query.where('connections.id', '>', after ?? ''))
        .orderBy('connections.id')
        .limit(size)
        .execute();
      return rows.map((row) => row.id);
    },

    async secretIds(tenant, id) {
      const rows = await db
        .selectFrom('client_secrets')
        .select('id')
        .where('tenant', '=', tenant)
        .where('client', '=', id)
        .orderBy('set_at')
        .execute();
      return rows.map((row) => row.id);
    },

    recordDeleted: (tenant, id, event) =>
      db.transaction().execute((transaction) => recordDeleted(transaction, tenant, id, event)),
    unfinishedDeletions: (limit, tenants, after) => unfinishedDeletions(db, 'oauth_clients', limit, tenants, after),

    retiredSecrets: (before, limit, tenants) =>
      db
        .selectFrom('client_secrets')
        .select(['tenant', 'client', 'id'])
        .where('retired_at', '<', before)
        .$if(tenants !== undefined, (query) => query.where('tenant', 'in', tenants ?? []))
        .orderBy('retired_at')
        .limit(limit)
        .execute(),

    unpublishedSecrets: (before, limit, tenants) =>
      db
        .selectFrom('client_secrets')
        .innerJoin('oauth_clients', (join) =>
          join
            .onRef('oauth_clients.tenant', '=', 'client_secrets.tenant')
            .onRef('oauth_clients.id', '=', 'client_secrets.client'),
        )
        // An integration through a component's client does not change its secret.
        .leftJoin('integrations', (join) =>
          join
            .onRef('integrations.tenant', '=', 'oauth_clients.tenant')
            .onRef('integrations.oauth_client_id', '=', 'oauth_clients.id')
            .on('oauth_clients.component', 'is', null),
        )
        .select(['client_secrets.tenant', 'client_secrets.client', 'client_secrets.id'])
        .select('integrations.id as integration')
        .where('client_secrets.fingerprint', 'is', null)
        .where('client_secrets.retired_at', 'is', null)
        .where('client_secrets.set_at', '<', before)
        .$if(tenants !== undefined, (query) => query.where('client_secrets.tenant', 'in', tenants ?? []))
        .orderBy('client_secrets.set_at')
        .limit(limit)
        .execute(),

    async forgetSecret(tenant, client, id) {
      await db
        .deleteFrom('client_secrets')
        .where('tenant', '=', tenant)
        .where('client', '=', client)
        .where('id', '=', id)
        .where('retired_at', 'is not', null)
        .execute();
    },
  };
}
