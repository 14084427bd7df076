/** Components as resources. */
import type { z } from 'zod';
import { DurableOAuthError } from '../../errors';
import type { Registry } from '../../registry/contract';
import type { ComponentRow, ManifestFacts } from '../../registry/contract-platform';
import { showEnvVars } from './env-vars';
import type { component } from '../schemas/component';
import { componentPath, oauthClientPath } from '../paths';

type Component = z.output<typeof component>;

/** @param tenant who looks */
export function toComponent(row: ComponentRow, tenant: string): Component {
  const { id, manifest, client } = row;
  const own = row.tenant === tenant;
  return {
    type: 'component',
    id,
    attributes: {
      title: row.title,
      description: manifest.description,
      access: row.access,
      team: own ? (row.team ?? undefined) : undefined,
      version: row.version,
      use_oauth_client: manifest.useOAuthClient,
      legacy_oauth: manifest.legacyOAuth,
      oauth2: manifest.oauth2 && toEndpoints(manifest.oauth2),
      env_vars: showEnvVars(row, own),
      functions: [...manifest.functions],
      created_at: row.createdAt,
    },
    relationships: {
      // One out of env vars is shown as those.
      ...(client?.legacy === false && {
        oauth_client: {
          links: { related: oauthClientPath(tenant, client.id) },
          data: { type: 'oauth-client', id: client.id },
        },
      }),
      ...(own && { versions: { links: { related: `${componentPath(tenant, id)}/versions` } } }),
    },
    links: { self: componentPath(tenant, id) },
  };
}

/** @throws NOT_FOUND for one of another tenant too, whoever may see it */
export async function ownComponent(registry: Registry, tenant: string, id: string): Promise<ComponentRow> {
  const row = await registry.components.get(tenant, id);
  if (row?.tenant !== tenant) throw new DurableOAuthError('NOT_FOUND');
  return row;
}

function toEndpoints(oauth2: NonNullable<ManifestFacts['oauth2']>): Component['attributes']['oauth2'] {
  const { authUri, tokenUri, scopes, clientAuth } = oauth2;
  return { auth_uri: authUri, token_uri: tokenUri, scopes: [...scopes], client_auth: clientAuth };
}
