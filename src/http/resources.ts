/** Registry rows as resources. One mapping each; secrets have no column, so none can pass. */
import type { z } from 'zod';
import type { Tombstone } from '../connection/messages';
import type { ConnectionRef } from '../connection/types';
import type { Wording } from '../connection/wording';
import type { Catalogue } from '../providers/preset';
import { displayName, findPreset, type OwnProvider } from '../providers/resolve';
import type { IntegrationRow } from '../registry/contract';
import type { ComponentClientRow } from '../registry/contract-platform';
import type { revocationDocument } from './schemas/actions';
import type { integration } from './schemas/integration';
import type { oauthClient } from './schemas/oauth-client';

type Integration = z.output<typeof integration>;
type OAuthClient = z.output<typeof oauthClient>;
type Revocation = z.output<typeof revocationDocument>['data'];

const tenantPath = (tenant: string): string => `/v2/tenants/${tenant}`;
export const oauthClientPath = (tenant: string, id: string): string => `${tenantPath(tenant)}/oauth-clients/${id}`;
export const integrationPath = (tenant: string, id: string): string => `${tenantPath(tenant)}/integrations/${id}`;
export const connectionPath = (tenant: string, id: string): string => `${tenantPath(tenant)}/connections/${id}`;

export function toOAuthClient(row: ComponentClientRow): OAuthClient {
  const { tenant, id, component } = row;
  const related = `${tenantPath(tenant)}/components/${component}`;
  return {
    type: 'oauth-client',
    id,
    attributes: {
      client_id: row.clientId,
      client_secret_set_at: row.secretSetAt,
      client_secret_fingerprint: row.secretFingerprint,
      suspended_at: row.suspendedAt,
      created_at: row.createdAt,
      updated_at: row.updatedAt,
    },
    // One whose component is gone names none, and can be deleted.
    relationships: row.componentGone
      ? undefined
      : { component: { links: { related }, data: { type: 'component', id: component } } },
    links: { self: oauthClientPath(tenant, id) },
  };
}

/** @param connections ids of its connections, where they are known */
export function toIntegration(row: IntegrationRow, connections?: readonly string[]): Integration {
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
      created_at: row.createdAt,
    },
    relationships: {
      ...(row.component !== null && {
        component: {
          links: { related: `${tenantPath(tenant)}/components/${row.component}` },
          data: { type: 'component', id: row.component },
        },
      }),
      connections: {
        links: { related: `${tenantPath(tenant)}/connections?filter[integration]=${id}` },
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

export function toRevocation({ tenant, connection }: ConnectionRef, tombstone: Tombstone, said: Wording): Revocation {
  return {
    type: 'revocation',
    id: connection,
    attributes: {
      title: said.title,
      text: [said.reason, said.effect, said.next].filter(Boolean).join(' '),
      by: tombstone.by,
      reason: tombstone.reason,
      frozen_at: tombstone.frozenAt,
      provider: tombstone.provider,
      provider_at: tombstone.providerAt,
      destroyed_at: tombstone.destroyedAt,
    },
    relationships: { connection: { links: { related: connectionPath(tenant, connection) } } },
  };
}
