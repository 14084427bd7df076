/** OAuth clients for components as they are seen by people, and what uses them. */
import type { Kysely } from 'kysely';
import type { ComponentClientRow, FlowUse } from '../contract-platform';
import { toOAuthClientRow } from '../rows';
import type { Tables } from '../schema';

/** Published clients that were made for a component, with what is shown beside them. */
function ofComponents(db: Kysely<Tables>, tenant: string) {
  return db
    .selectFrom('oauth_clients')
    .innerJoin('components', 'components.id', 'oauth_clients.component')
    .leftJoin('client_secrets', (join) =>
      join
        .onRef('client_secrets.tenant', '=', 'oauth_clients.tenant')
        .onRef('client_secrets.client', '=', 'oauth_clients.id')
        .onRef('client_secrets.id', '=', 'oauth_clients.secret_id'),
    )
    .selectAll('oauth_clients')
    .select([
      'components.tenant as component_tenant',
      'components.access',
      'components.removed_at',
      'client_secrets.set_at',
      'client_secrets.fingerprint',
    ])
    .where('oauth_clients.tenant', '=', tenant)
    .where('oauth_clients.status', '=', 'published');
}

type Found = Awaited<ReturnType<ReturnType<typeof ofComponents>['execute']>>[number];

function toComponentClientRow(tenant: string, row: Found): ComponentClientRow {
  return {
    ...toOAuthClientRow(row),
    component: row.component ?? '',
    componentGone: row.removed_at !== null || (row.component_tenant !== tenant && row.access !== 'global'),
    legacy: row.legacy,
    suspendedAt: row.suspended_at,
    secretSetAt: row.set_at,
    secretFingerprint: row.fingerprint,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export async function componentClients(
  db: Kysely<Tables>,
  tenant: string,
  { component, legacy = false }: { readonly component?: string; readonly legacy?: boolean },
): Promise<readonly ComponentClientRow[]> {
  const rows = await ofComponents(db, tenant)
    .where('oauth_clients.legacy', '=', legacy)
    .$if(component !== undefined, (query) => query.where('oauth_clients.component', '=', component ?? ''))
    .orderBy('oauth_clients.id')
    .execute();
  return rows.map((row) => toComponentClientRow(tenant, row));
}

export async function componentClient(
  db: Kysely<Tables>,
  tenant: string,
  id: string,
): Promise<ComponentClientRow | undefined> {
  const row = await ofComponents(db, tenant).where('oauth_clients.id', '=', id).executeTakeFirst();
  return row && toComponentClientRow(tenant, row);
}

/** Flows in any status and any version; a component that is gone is included by none that counts (002-40). */
export async function clientUse(db: Kysely<Tables>, tenant: string, id: string): Promise<FlowUse> {
  const client = await componentClient(db, tenant, id);
  if (client === undefined || client.componentGone) return { flows: [] };
  const flows = await db
    .selectFrom('flow_components')
    .innerJoin('flows', (join) =>
      join.onRef('flows.tenant', '=', 'flow_components.tenant').onRef('flows.id', '=', 'flow_components.flow'),
    )
    .select(['flows.id', 'flows.name'])
    .distinct()
    .where('flow_components.tenant', '=', tenant)
    .where('flow_components.component', '=', client.component)
    .orderBy('flows.id')
    .limit(100)
    .execute();
  return { flows };
}
