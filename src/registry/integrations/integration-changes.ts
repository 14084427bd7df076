/** Integrations as they hold now, and how their settings and their own OAuth client change together. */
import type { Kysely, Selectable, SelectQueryBuilder } from 'kysely';
import { isDeepStrictEqual } from 'node:util';
import type { IntegrationSettings } from '../../connection/messages';
import { listColumns } from '../connections/connection-lists';
import type { IntegrationAndSecret, IntegrationChange } from '../contract';
import { notFound } from '../errors';
import { appendEvent } from '../events';
import { changeClient } from '../components/oauth-client-writes';
import { oweNudges } from '../outbox';
import { toIntegrationAndSecret } from '../rows';
import type { ClientSecretsTable, IntegrationsTable, OAuthClientsTable, Tables } from '../schema';
import { componentsNow, settingsNow } from './settings-now';

type Found = Selectable<IntegrationsTable> &
  Pick<Selectable<OAuthClientsTable>, 'client_id' | 'secret_id'> & {
    set_at: Selectable<ClientSecretsTable>['set_at'] | null;
  };

/** Those that people see, each beside its OAuth client: a page is one statement, and one more where any goes through a component. */
export const withClients = (
  db: Kysely<Tables>,
  tenant: string,
): SelectQueryBuilder<Tables, 'integrations' | 'oauth_clients', Found> =>
  db
    .selectFrom('integrations')
    .innerJoin('oauth_clients', (join) =>
      join
        .onRef('oauth_clients.tenant', '=', 'integrations.tenant')
        .onRef('oauth_clients.id', '=', 'integrations.oauth_client_id'),
    )
    .selectAll('integrations')
    .select(['oauth_clients.client_id', 'oauth_clients.secret_id'])
    .select((eb) =>
      eb
        .selectFrom('client_secrets')
        .select('set_at')
        .where('client_secrets.tenant', '=', tenant)
        .whereRef('client_secrets.client', '=', 'oauth_clients.id')
        .whereRef('client_secrets.id', '=', 'oauth_clients.secret_id')
        .as('set_at'),
    )
    .where('integrations.tenant', '=', tenant)
    .where('integrations.status', '=', 'published');

export async function asTheyAre(db: Kysely<Tables>, rows: readonly Found[]): Promise<IntegrationAndSecret[]> {
  const components = await componentsNow(db, rows);
  return rows.map((row) =>
    toIntegrationAndSecret({ ...row, settings: settingsNow(row, row, components.get(row.component ?? '')) }, row),
  );
}

/** Locks the integration before its client, as its removal does. */
export async function changeIntegration(
  db: Kysely<Tables>,
  tenant: string,
  id: string,
  { from, base, to, secret, event }: IntegrationChange,
): Promise<{ outdated: number } | undefined> {
  // By itself: a join that has waited for the lock shows the client as it was before.
  await db
    .selectFrom('integrations')
    .select('id')
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .forUpdate()
    .execute();
  const elsewhere = isElsewhere(from, to);
  // The answer to an earlier attempt was lost; a deletion that has begun since still needs the secret.
  if (secret !== undefined && (await isCurrent(db, tenant, id, secret.id))) {
    return { outdated: await outdated(db, tenant, id, elsewhere) };
  }
  const row = await withClients(db, tenant).where('integrations.id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('integration', { tenant, integration: id });
  const [now] = await asTheyAre(db, [row]);
  if (!isDeepStrictEqual(written(now?.settings), written(from))) return undefined;
  // A rotation leaves the settings as they were.
  if (base !== undefined && row.secret_id !== base.secretId) return undefined;
  const settings = { ...row.settings, ...membersChanged(from, to) };
  await db
    .updateTable('integrations')
    .set({ settings: JSON.stringify(settings) })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .execute();
  if (secret !== undefined || from.client_id !== to.client_id) {
    await changeClient(db, tenant, row.oauth_client_id, { clientId: to.client_id, before: row.secret_id, secret });
  }
  await db
    .updateTable('connections')
    // What lists find connections by. Another server, or another client of it, may call the same account otherwise
    // (OpenID Connect Core section 8): whose it is is asked anew.
    .set({ ...listColumns(settings), ...(elsewhere && { account_id: null }) })
    .where('tenant', '=', tenant)
    .where('integration_id', '=', id)
    .execute();
  await appendEvent(db, tenant, null, event);
  const renewed = elsewhere || originOf(from.api_base_url) !== originOf(to.api_base_url);
  await oweNudges(db, tenant, [id], event, renewed ? { refresh: true } : undefined);
  return { outdated: await outdated(db, tenant, id, elsewhere) };
}

/** Whatever the status of the integration. */
async function isCurrent(db: Kysely<Tables>, tenant: string, id: string, secret: string): Promise<boolean> {
  const found = await db
    .selectFrom('integrations')
    .innerJoin('oauth_clients', (join) =>
      join
        .onRef('oauth_clients.tenant', '=', 'integrations.tenant')
        .onRef('oauth_clients.id', '=', 'integrations.oauth_client_id'),
    )
    .select('oauth_clients.id')
    .where('integrations.tenant', '=', tenant)
    .where('integrations.id', '=', id)
    .where('oauth_clients.secret_id', '=', secret)
    .executeTakeFirst();
  return found !== undefined;
}

/** Whether what was granted before is worth nothing with the settings after. */
function isElsewhere(from: IntegrationSettings, to: IntegrationSettings): boolean {
  return from.client_id !== to.client_id || originOf(from.endpoints.token) !== originOf(to.endpoints.token);
}

const originOf = (url: string): string => new URL(url).origin;

/** Connections that hold what a person granted before the change; client credentials are granted anew by themselves. */
async function outdated(db: Kysely<Tables>, tenant: string, id: string, elsewhere: boolean): Promise<number> {
  if (!elsewhere) return 0;
  const { count } = await db
    .selectFrom('connections')
    .innerJoin('integrations', (join) =>
      join
        .onRef('integrations.tenant', '=', 'connections.tenant')
        .onRef('integrations.id', '=', 'connections.integration_id'),
    )
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('connections.tenant', '=', tenant)
    .where('connections.integration_id', '=', id)
    .where('connections.grant_id', 'is not', null)
    .where('connections.frozen_at', 'is', null)
    .where((eb) => eb.ref('integrations.settings', '->>').key('grant_type'), '!=', 'client_credentials')
    .executeTakeFirstOrThrow();
  return Number(count);
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
