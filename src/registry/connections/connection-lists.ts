/** Pages of connections, and what their words need: a fixed number of statements a page, whatever its size. */
import type { Expression, ExpressionBuilder, Kysely, SqlBool } from 'kysely';
import type { IntegrationSettings } from '../../connection/messages';
import { isOwnProvider } from '../../connection/ids';
import { decidersOf } from '../../connection/who';
import type { ConnectionContext, ConnectionFilter, ConnectionRow, Page } from '../contract';
import { providerOf } from '../integrations/providers';
import { toConnectionRow, toIntegrationRow, toOAuthClientRow } from '../rows';
import type { ConnectionsTable, Tables } from '../schema';
import { componentsNow, settingsNow, unusableFor } from '../integrations/settings-now';

/** What a connection's row repeats of its integration, to be found by. */
export function listColumns(
  settings: IntegrationSettings,
): Pick<ConnectionsTable, 'preset' | 'environment' | 'customer_reference'> {
  const { preset, environment, customer_reference = null } = settings;
  return { preset, environment, customer_reference };
}

const EQUAL = {
  state: 'state',
  preset: 'preset',
  environment: 'environment',
  owner: 'owner',
  customerReference: 'customer_reference',
  integration: 'integration_id',
} as const satisfies Partial<Record<keyof ConnectionFilter, keyof ConnectionsTable>>;

/** Each condition has an index of its own (migration 0005). */
function conditions(eb: ExpressionBuilder<Tables, 'connections'>, filter: ConnectionFilter): Expression<SqlBool>[] {
  const { who, expiresBefore, account } = filter;
  const equal = (Object.keys(EQUAL) as (keyof typeof EQUAL)[]).flatMap((name) => {
    const value = filter[name];
    return value === undefined ? [] : [eb(EQUAL[name], '=', value)];
  });
  return [
    ...equal,
    ...(who === undefined ? [] : [eb(eb.fn.coalesce('reason', 'recovery', 'state'), 'in', decidersOf(who))]),
    ...(expiresBefore === undefined ? [] : [eb('expires_at', '<', expiresBefore)]),
    ...(account === undefined ? [] : [eb.or([eb('account_id', '=', account), eb('account_label', '=', account)])]),
  ];
}

export async function listConnections(
  db: Kysely<Tables>,
  tenant: string,
  { size, after }: Page,
  filter: ConnectionFilter = {},
): Promise<readonly ConnectionRow[]> {
  const rows = await db
    .selectFrom('connections')
    .selectAll()
    .where('tenant', '=', tenant)
    .$if(after !== undefined, (query) => query.where('id', '>', after ?? ''))
    .where((eb) => eb.and(conditions(eb, filter)))
    .orderBy('id')
    .limit(size)
    .execute();
  return rows.map(toConnectionRow);
}

/** Statements by primary key: none of the rows changes its keys. One more for each own provider they go through. */
export async function contextsOf(
  db: Kysely<Tables>,
  tenant: string,
  connections: readonly ConnectionRow[],
): Promise<readonly ConnectionContext[]> {
  if (connections.length === 0) return [];
  const integrations = await db
    .selectFrom('integrations')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('id', 'in', [...new Set(connections.map(({ integrationId }) => integrationId))])
    .execute();
  if (integrations.length === 0) return [];
  const clients = await db
    .selectFrom('oauth_clients')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('id', 'in', [...new Set(integrations.map(({ oauth_client_id }) => oauth_client_id))])
    .execute();
  const components = await componentsNow(db, integrations);
  const own = [...new Set(integrations.map(({ settings }) => settings.preset).filter(isOwnProvider))];
  const providers = new Map(await Promise.all(own.map(async (id) => [id, await providerOf(db, tenant, id)] as const)));
  const integrationBy = new Map(integrations.map((row) => [row.id, row]));
  const clientBy = new Map(clients.map((row) => [row.id, row]));
  return connections.flatMap((connection): ConnectionContext[] => {
    const integration = integrationBy.get(connection.integrationId);
    const client = integration && clientBy.get(integration.oauth_client_id);
    // Removed between the statements: no longer there to be shown.
    if (!integration || !client) return [];
    const component = components.get(integration.component ?? '');
    const settings = settingsNow(integration, client, component);
    const provider = providers.get(settings.preset);
    return [
      {
        connection,
        integration: toIntegrationRow({ ...integration, settings }),
        client: toOAuthClientRow(client),
        unusable: unusableFor(integration, client, component),
        ...(provider && { provider }),
      },
    ];
  });
}
