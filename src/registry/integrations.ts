import type { Kysely, Selectable } from 'kysely';
import type { IntegrationRow, Registry } from './contract';
import { appendEvent } from './events';
import { releaseFingerprints } from './fingerprints';
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
        .executeTakeFirst();
      return row && now(db, row);
    },

    async list(tenant, { size, after }, { customerReference } = {}) {
      const rows = await db
        .selectFrom('integrations')
        .selectAll()
        .where('tenant', '=', tenant)
        .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
        .$if(customerReference !== undefined, (query) =>
          query.where((eb) => eb.ref('settings', '->>').key('customer_reference'), '=', customerReference),
        )
        .orderBy('id')
        .limit(size)
        .execute();
      return Promise.all(rows.map((row) => now(db, row)));
    },

    register: (registration) => db.transaction().execute((transaction) => register(transaction, registration)),

    remove: (tenant, id, event) =>
      db.transaction().execute(async (transaction) => {
        const integration = await transaction
          .selectFrom('integrations')
          .select('oauth_client_id')
          .where('tenant', '=', tenant)
          .where('id', '=', id)
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
        await removeUnusedClient(transaction, tenant, integration.oauth_client_id);
      }),
  };
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

/** Locked before it is judged: an integration that is being registered for it holds the row until it is visible. */
async function removeUnusedClient(db: Kysely<Tables>, tenant: string, client: string): Promise<void> {
  const locked = await db
    .selectFrom('oauth_clients')
    .select('id')
    .where('tenant', '=', tenant)
    .where('id', '=', client)
    // One that was made for a component is its own master.
    .where('component', 'is', null)
    .forUpdate()
    .execute();
  const users = await db
    .selectFrom('integrations')
    .select('id')
    .where('tenant', '=', tenant)
    .where('oauth_client_id', '=', client)
    .limit(1)
    .execute();
  if (locked.length === 0 || users.length > 0) return;
  await db.deleteFrom('oauth_clients').where('tenant', '=', tenant).where('id', '=', client).execute();
}
