/** Integrations as resources. Secrets have no column, so none can pass. */
import type { z } from 'zod';
import type { Catalogue } from '../../providers/preset';
import { displayName, findPreset, type OwnProvider } from '../../providers/resolve';
import type { IntegrationAndSecret, IntegrationRow } from '../../registry/contract';
import { componentPath, integrationPath, tenantsPath } from '../paths';
import type { integration } from '../schemas/integration';

type Integration = z.output<typeof integration>;

/** @param connections ids of its connections, where they are known */
export function toIntegration(row: IntegrationAndSecret, connections?: readonly string[]): Integration {
  const { tenant, id, settings } = row;
  const { endpoints, customer_reference, ...rest } = settings;
  return {
    type: 'integration',
    id,
    attributes: {
      ...rest,
      authorization_url: endpoints.authorization,
      token_url: endpoints.token,
      revocation_url: endpoints.revocation,
      identity_url: endpoints.identity,
      issuer: endpoints.issuer,
      tenant_id: customer_reference,
      client_secret_set_at: row.secretSetAt ?? undefined,
      created_at: row.createdAt,
    },
    relationships: {
      ...(row.component !== null && {
        component: {
          links: { related: componentPath(tenant, row.component) },
          data: { type: 'component', id: row.component },
        },
      }),
      connections: {
        links: { related: `${tenantsPath(tenant)}/connections?filter[integration]=${id}` },
        data: connections?.map((connection) => ({ type: 'connection', id: connection })),
      },
    },
    links: { self: integrationPath(tenant, id) },
  };
}

/** What people call the other side of an integration. */
export function appOf(
  { settings }: Pick<IntegrationRow, 'settings'>,
  catalogue: Catalogue,
  provider?: OwnProvider,
): string {
  const preset = findPreset(catalogue, settings.preset, provider);
  return preset ? displayName(settings, preset) : settings.label;
}
