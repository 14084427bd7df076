import { sql, type Kysely } from 'kysely';
import {
  adoptGrant,
  freeze,
  quarantine,
  recordRevoked,
  recordToken,
  recordTransition,
  release,
} from './connection-writes';
import { isOwnProvider } from '../connection/ids';
import type { Registry } from './contract';
import { providerOf } from './providers';
import { toConnectionRow, toIntegrationRow, toOAuthClientRow } from './rows';
import type { Tables } from './schema';
import { componentNow, settingsNow, unusableFor } from './settings-now';

export function connectionsRepository(db: Kysely<Tables>): Registry['connections'] {
  const row = (tenant: string, id: string) =>
    db.selectFrom('connections').selectAll().where('tenant', '=', tenant).where('id', '=', id).executeTakeFirst();

  return {
    async get({ tenant, connection }) {
      const found = await row(tenant, connection);
      return found && toConnectionRow(found);
    },

    async list(tenant, { size, after }, { integration, state, customerReference } = {}) {
      const rows = await db
        .selectFrom('connections')
        .selectAll()
        .where('tenant', '=', tenant)
        .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
        .$if(integration !== undefined, (query) => query.where('integration_id', '=', integration ?? ''))
        .$if(state !== undefined, (query) => query.where('state', '=', state ?? 'active'))
        .$if(customerReference !== undefined, (query) =>
          query.where('integration_id', 'in', (of) =>
            of
              .selectFrom('integrations')
              .select('integrations.id')
              .where('integrations.tenant', '=', tenant)
              .where((eb) => eb.ref('integrations.settings', '->>').key('customer_reference'), '=', customerReference),
          ),
        )
        .orderBy('id')
        .limit(size)
        .execute();
      return rows.map(toConnectionRow);
    },

    // Statements by primary key: none of the rows changes its keys.
    async context({ tenant, connection }) {
      const found = await row(tenant, connection);
      if (found === undefined) return undefined;
      const integration = await db
        .selectFrom('integrations')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('id', '=', found.integration_id)
        .executeTakeFirst();
      if (integration === undefined) return undefined;
      const client = await db
        .selectFrom('oauth_clients')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('id', '=', integration.oauth_client_id)
        .executeTakeFirst();
      if (client === undefined) return undefined;
      const component = integration.component === null ? undefined : await componentNow(db, integration.component);
      const { preset } = integration.settings;
      const provider = isOwnProvider(preset) ? await providerOf(db, tenant, preset) : undefined;
      return {
        connection: toConnectionRow(found),
        integration: toIntegrationRow({ ...integration, settings: settingsNow(integration, client, component) }),
        client: toOAuthClientRow(client),
        unusable: unusableFor(tenant, client, component),
        ...(provider && { provider }),
      };
    },

    recordTransition: (ref, projection) =>
      db.transaction().execute((transaction) => recordTransition(transaction, ref, projection)),
    recordToken: (ref, token, refreshedAt, nextAttemptAt) => recordToken(db, ref, token, refreshedAt, nextAttemptAt),
    adoptGrant: (ref, adoption) => db.transaction().execute((transaction) => adoptGrant(transaction, ref, adoption)),
    freeze: (ref, event) => db.transaction().execute((transaction) => freeze(transaction, ref, event)),
    recordRevoked: (ref, event, grant) =>
      db.transaction().execute((transaction) => recordRevoked(transaction, ref, event, grant)),

    quarantine: (ref, event) => db.transaction().execute((transaction) => quarantine(transaction, ref, event)),
    release: (ref, event) => db.transaction().execute((transaction) => release(transaction, ref, event)),

    async overdue(before, limit, tenants, after) {
      // To the millisecond, as the cursor knows it; those that never expire come last.
      const expiry = sql<string>`coalesce(date_trunc('milliseconds', expires_at), 'infinity')`;
      const rows = await db
        .selectFrom('connections')
        .select(['tenant', 'id as connection', 'expires_at as expiresAt'])
        // LEAST leaves NULLs out: a connection that waits for its first consent has only a deadline, a frozen one only the
        // revocation that is not finished.
        .where((eb) => eb.fn('least', ['next_attempt_at', 'consent_deadline', 'revoking_since']), '<', before)
        .$if(tenants !== undefined, (query) => query.where('tenant', 'in', tenants ?? []))
        .$if(after !== undefined, (query) =>
          query.where(
            sql<boolean>`(${expiry}, tenant, id) > (coalesce(${after?.expiresAt ?? null}::timestamptz, 'infinity'), ${after?.tenant ?? ''}, ${after?.connection ?? ''})`,
          ),
        )
        .orderBy(expiry)
        .orderBy('tenant')
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows;
    },
  };
}
