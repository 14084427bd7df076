/** What a save leaves in the registry: all rows and the event, or nothing. */
import { sql, type Kysely } from 'kysely';
import { isOwnProvider } from '../../connection/ids';
import { DurableOAuthError } from '../../errors';
import { listColumns } from '../connections/connection-lists';
import type { Registration } from '../contract';
import { appendEvent } from '../events';
import { reserveFingerprint } from './fingerprints';
import type { Tables } from '../schema';

/**
 * Insert what is not there yet, inside the caller's transaction. Of several that race, one inserts and tells the event.
 * @throws ALREADY_EXISTS when an id is taken by something else, OAUTH_CLIENT_UNUSABLE when the own provider it names is gone
 */
export async function register(db: Kysely<Tables>, registration: Registration): Promise<void> {
  const { tenant, integration, connection, fingerprint, event } = registration;
  await holdProvider(db, registration);
  if (registration.component === undefined) await insertClient(db, registration);
  else await lockClient(db, registration, registration.component);
  const isNew = await insertIntegration(db, registration);
  if (isNew) await insertConnection(db, registration);
  if (!(await isRegistered(db, registration))) {
    throw new DurableOAuthError('ALREADY_EXISTS', 'The id of the integration, its client or connection is taken', {
      tenant,
      integration,
      connection,
    });
  }
  if (fingerprint !== undefined) await reserveFingerprint(db, tenant, fingerprint, connection);
  if (isNew) await appendEvent(db, tenant, connection, event);
}

/** Its removal looks for integrations under its own lock: either it sees this one, or this one sees that it is gone. */
async function holdProvider(db: Kysely<Tables>, { tenant, settings: { preset } }: Registration): Promise<void> {
  if (!isOwnProvider(preset)) return;
  const held = await db
    .selectFrom('providers')
    .select('id')
    .where('tenant', '=', tenant)
    .where('id', '=', preset)
    .forShare()
    .executeTakeFirst();
  if (held === undefined) throw new DurableOAuthError('OAUTH_CLIENT_UNUSABLE', 'The provider is gone', { preset });
}

async function insertClient(db: Kysely<Tables>, { tenant, client, settings }: Registration): Promise<void> {
  await db
    .insertInto('oauth_clients')
    .values({ tenant, id: client.id, client_id: settings.client_id, label: client.label, secret_id: client.secretId })
    .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
    .execute();
}

/** Held until the integration is visible: a client that is being deleted sees it, or is seen here. */
async function lockClient(db: Kysely<Tables>, { tenant, client }: Registration, component: string): Promise<void> {
  const locked = await db
    .selectFrom('oauth_clients')
    .select('id')
    .where('tenant', '=', tenant)
    .where('id', '=', client.id)
    .where('component', '=', component)
    .where('status', '=', 'published')
    .forShare()
    .executeTakeFirst();
  if (locked === undefined) {
    throw new DurableOAuthError('OAUTH_CLIENT_UNUSABLE', 'The OAuth client is gone', { tenant, client: client.id });
  }
}

async function insertIntegration(db: Kysely<Tables>, registration: Registration): Promise<boolean> {
  const { tenant, integration, client, settings, component } = registration;
  const inserted = await db
    .insertInto('integrations')
    .values({ tenant, id: integration, oauth_client_id: client.id, settings: JSON.stringify(settings), component })
    .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}

async function insertConnection(db: Kysely<Tables>, registration: Registration): Promise<void> {
  const { tenant, integration, connection, grant, token, account, state, about = {} } = registration;
  await db
    .insertInto('connections')
    .values({
      ...listColumns(registration.settings),
      tenant,
      id: connection,
      integration_id: integration,
      grant_id: grant,
      generation: token?.generation ?? 0,
      issued_at: token?.issuedAt ?? null,
      expires_at: token?.expiresAt ?? null,
      lifetime_seconds: token?.lifetimeSeconds ?? null,
      scope: token?.scope ?? '',
      refreshable: token?.refreshable ?? false,
      state,
      state_version: 0,
      next_attempt_at: registration.nextAttemptAt,
      usable: grant !== null,
      account_id: account?.id ?? null,
      account_label: account?.label ?? null,
      granted_at: registration.grantedAt ?? null,
      consent_deadline: registration.consentDeadline ?? null,
      owner: about.owner ?? null,
      region: about.region ?? null,
      account_role: about.account_role ?? null,
    })
    .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
    .execute();
}

/** Whether the rows are those of this very save. The grant's id is the save's: another save made another one. */
async function isRegistered(db: Kysely<Tables>, registration: Registration): Promise<boolean> {
  const { tenant, integration, connection, client, settings, grant, component } = registration;
  const row = await db
    .selectFrom('integrations')
    .innerJoin('connections', (join) =>
      join
        .onRef('connections.tenant', '=', 'integrations.tenant')
        .onRef('connections.integration_id', '=', 'integrations.id'),
    )
    .innerJoin('oauth_clients', (join) =>
      join
        .onRef('oauth_clients.tenant', '=', 'integrations.tenant')
        .onRef('oauth_clients.id', '=', 'integrations.oauth_client_id'),
    )
    .select('integrations.id')
    .where('integrations.tenant', '=', tenant)
    .where('integrations.id', '=', integration)
    .where('integrations.settings', '=', sql<typeof settings>`${JSON.stringify(settings)}::jsonb`)
    .where('connections.id', '=', connection)
    .where('connections.grant_id', 'is not distinct from', grant)
    .where('oauth_clients.id', '=', client.id)
    // What a component's client holds may change at any time; it is not this save's.
    .$if(component === undefined, (query) =>
      query
        .where('oauth_clients.client_id', '=', settings.client_id)
        .where('oauth_clients.secret_id', 'is not distinct from', client.secretId),
    )
    .executeTakeFirst();
  return row !== undefined;
}
