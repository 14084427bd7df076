/** Settings of an integration as they hold now: what belongs to its OAuth client or its component is read there. */
import type { Kysely, Selectable } from 'kysely';
import type { IntegrationSettings } from '../../connection/messages';
import { fillTemplate } from '../../connection/template';
import type { ConnectionContext } from '../contract';
import type { ManifestFacts } from '../contract-platform';
import type { IntegrationsTable, OAuthClientsTable, Tables } from '../schema';

type Integration = Pick<Selectable<IntegrationsTable>, 'component' | 'settings'>;
type Client = Pick<Selectable<OAuthClientsTable>, 'client_id' | 'status' | 'suspended_at'>;

export interface ComponentNow {
  readonly tenant: string;
  readonly access: string;
  readonly env: Readonly<Record<string, string>>;
  readonly removed_at: string | null;
  readonly manifest: ManifestFacts;
}

/** The components that integrations name, at their current versions, by id. */
export async function componentsNow(
  db: Kysely<Tables>,
  integrations: readonly Pick<Integration, 'component'>[],
): Promise<ReadonlyMap<string, ComponentNow>> {
  const ids = [...new Set(integrations.flatMap(({ component }) => (component === null ? [] : [component])))];
  if (ids.length === 0) return new Map();
  const found = await db
    .selectFrom('component_versions')
    .innerJoin('components', (join) =>
      join
        .onRef('components.id', '=', 'component_versions.component')
        .onRef('components.tenant', '=', 'component_versions.tenant')
        .onRef('components.version', '=', 'component_versions.version'),
    )
    .select(['components.id', 'components.tenant', 'components.access', 'components.env', 'components.removed_at'])
    .select('manifest')
    .where('component_versions.component', 'in', ids)
    .execute();
  return new Map(found.map((component) => [component.id, component]));
}

export function settingsNow(
  { settings }: Integration,
  client: Pick<Client, 'client_id'> | undefined,
  component: ComponentNow | undefined,
): IntegrationSettings {
  const owned = client === undefined ? settings : { ...settings, client_id: client.client_id };
  const oauth2 = component?.manifest.oauth2;
  if (component === undefined || oauth2 === undefined) return owned;
  // What the component's owner set is not to be overridden: it may decide where secrets are sent.
  const values = { ...settings.fields, ...component.env };
  return {
    ...owned,
    endpoints: {
      ...settings.endpoints,
      authorization: fillTemplate(oauth2.authUri, values),
      token: fillTemplate(oauth2.tokenUri, values),
    },
    client_auth: oauth2.clientAuth,
    authorization_params: oauth2.authorizationParams,
  };
}

export function unusableFor(
  { tenant, status }: Pick<Selectable<IntegrationsTable>, 'tenant' | 'status'>,
  client: Client,
  component: ComponentNow | undefined,
): ConnectionContext['unusable'] {
  if (status !== 'published') return 'integration_gone';
  if (client.status === 'deleting' || client.status === 'deleted') return 'client_gone';
  if (component === undefined) return undefined;
  const hidden = component.tenant !== tenant && component.access !== 'global';
  if (component.removed_at !== null || hidden) return 'component_gone';
  return client.suspended_at === null ? undefined : 'client_suspended';
}
