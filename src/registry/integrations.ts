import type { Kysely, Selectable } from 'kysely';
import { isDeepStrictEqual } from 'node:util';
import type { IntegrationSettings } from '../connection/messages';
import type { IntegrationRow, Registry } from './contract';
import { notFound } from './errors';
import { listColumns } from './connection-lists';
import { appendEvent } from './events';
import { releaseFingerprints } from './fingerprints';
import {
  disconnect,
  integrationUse,
  lockOwnClient,
  markDeleting,
  ownSecrets,
  recordDeleted,
} from './integration-removal';
import { oweNudges } from './outbox';
import { register } from './registration';
import { toIntegrationRow } from './rows';
import type { IntegrationsTable, Tables } from './schema';
import { componentNow, settingsNow } from './settings-now';

export function integrationsRepository(db: Kysely<Tables>): Registry['integrations'] {
  return {
    async get(tenant, id) {
      const row = await db
        .selectFrom('integrations')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('status', '=', 'published')
        .executeTakeFirst();
      return row && now(db, row);
    },

    async list(tenant, { size, after }, { customerReference, preset } = {}) {
      const rows = await db
        .selectFrom('integrations')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('status', '=', 'published')
        .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
        .$if(customerReference !== undefined, (query) =>
          query.where((eb) => eb.ref('settings', '->>').key('customer_reference'), '=', customerReference),
        )
        .$if(preset !== undefined, (query) =>
          query.where((eb) => eb.ref('settings', '->>').key('preset'), '=', preset ?? ''),
        )
        .orderBy('id')
        .limit(size)
        .execute();
      return Promise.all(rows.map((row) => now(db, row)));
    },

    register: (registration) => db.transaction().execute((transaction) => register(transaction, registration)),

    change: (tenant, id, { from, to, event }) =>
      db.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom('integrations')
          .selectAll()
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          .where('status', '=', 'published')
          .forUpdate()
          .executeTakeFirst();
        if (row === undefined) throw notFound('integration', { tenant, integration: id });
        const { settings } = await now(transaction, row);
        if (!isDeepStrictEqual(written(settings), written(from))) return false;
        const changed = { ...row.settings, ...membersChanged(from, to) };
        await transaction
          .updateTable('integrations')
          .set({ settings: JSON.stringify(changed) })
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          .execute();
        // What lists find connections by.
        await transaction
          .updateTable('connections')
          .set(listColumns(changed))
          .where('tenant', '=', tenant)
          .where('integration_id', '=', id)
          .execute();
        await appendEvent(transaction, tenant, null, event);
        await oweNudges(transaction, tenant, [id], event);
        return true;
      }),

    remove: (tenant, id, event) =>
      db.transaction().execute(async (transaction) => {
        const integration = await transaction
          .selectFrom('integrations')
          .select('oauth_client_id')
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          // One that is being deleted is kept: its connections are revoked first.
          .where('status', '=', 'published')
          .forUpdate()
          .executeTakeFirst();
        if (integration === undefined) return;
        const connections = await transaction
          .selectFrom('connections')
          .select('id')
          .where('tenant', '=', tenant)
          .where('integration_id', '=', id)
          .execute();
        for (const connection of connections) {
          await appendEvent(transaction, tenant, connection.id, event);
          await releaseFingerprints(transaction, tenant, connection.id);
        }
        // Connections go with their integration, links and waiters with their connection.
        await transaction.deleteFrom('integrations').where('tenant', '=', tenant).where('id', '=', id).execute();
        const client = integration.oauth_client_id;
        if (await lockOwnClient(transaction, tenant, client, id)) {
          await transaction.deleteFrom('oauth_clients').where('tenant', '=', tenant).where('id', '=', client).execute();
        }
      }),

    async isTaken(tenant, id) {
      const row = await db
        .selectFrom('integrations')
        .select('id')
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return row !== undefined;
    },

    use: (tenant, id) => integrationUse(db, tenant, id),
    markDeleting: (tenant, id, event) =>
      db.transaction().execute((transaction) => markDeleting(transaction, tenant, id, event)),
    disconnect: (tenant, id, event, limit) =>
      db.transaction().execute((transaction) => disconnect(transaction, tenant, id, event, limit)),
    ownSecrets: (tenant, id) => ownSecrets(db, tenant, id),
    recordDeleted: (tenant, id, event) =>
      db.transaction().execute((transaction) => recordDeleted(transaction, tenant, id, event)),
  };
}

/** As the column holds it: without what is undefined. */
const written = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

/** What belongs to a client or a component was read there, and is not copied by a change of something else. */
function membersChanged(from: IntegrationSettings, to: IntegrationSettings): Partial<IntegrationSettings> {
  const before: Readonly<Record<string, unknown>> = { ...from };
  return Object.fromEntries(
    Object.entries(to).filter(([name, value]) => !isDeepStrictEqual(written(value), written(before[name]))),
  );
}

async function now(db: Kysely<Tables>, row: Selectable<IntegrationsTable>): Promise<IntegrationRow> {
  const client = await db
    .selectFrom('oauth_clients')
    .select(['client_id', 'status', 'suspended_at'])
    .where('tenant', '=', row.tenant)
    .where('id', '=', row.oauth_client_id)
    .executeTakeFirst();
  const component = row.component === null ? undefined : await componentNow(db, row.component);
  return toIntegrationRow({ ...row, settings: settingsNow(row, client, component) });
}
