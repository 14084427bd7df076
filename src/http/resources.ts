/** Registry rows as resources. One mapping each; secrets have no column, so none can pass. */
import type { z } from 'zod';
import { healthOfRow } from '../client/connections';
import type { Tombstone } from '../connection/messages';
import type { Lang } from '../connection/reasons';
import type { ConnectionRef, Evidence } from '../connection/types';
import type { Wording } from '../connection/wording';
import type { Catalogue } from '../providers/preset';
import { displayName, findPreset, type OwnProvider } from '../providers/resolve';
import type { ConnectionContext, IntegrationRow } from '../registry/contract';
import type { ComponentClientRow } from '../registry/contract-platform';
import type { revocationDocument } from './schemas/actions';
import type { connection } from './schemas/connection';
import type { integration } from './schemas/integration';
import type { oauthClient } from './schemas/oauth-client';

type Integration = z.output<typeof integration>;
type Connection = z.output<typeof connection>;
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

/** @param lang of the words; codes and times have none */
export function toConnection(context: ConnectionContext, catalogue: Catalogue, lang: Lang): Connection {
  const { connection: row, integration } = context;
  const { settings } = integration;
  const health = healthOfRow(context, catalogue, lang);
  return {
    type: 'connection',
    id: row.id,
    attributes: {
      state: row.state,
      recovery: row.recovery,
      reason: row.reason,
      title: health.title,
      text: health.text,
      next_action: health.nextAction,
      who: health.who,
      since: row.since,
      grant_type: settings.grant_type,
      generation: row.generation,
      expires_at: row.expiresAt,
      refreshed_at: row.refreshedAt,
      next_attempt_at: row.nextAttemptAt,
      granted_at: row.grantedAt,
      consent_deadline: row.consentDeadline,
      frozen_at: row.frozenAt,
      scope: row.scope,
      account_label: row.accountLabel ?? undefined,
      redirect_uri: settings.redirect_uri,
      evidence: row.evidence && toEvidence(row.evidence),
      created_at: row.createdAt,
    },
    relationships: {
      integration: {
        links: { related: integrationPath(row.tenant, row.integrationId) },
        data: { type: 'integration', id: row.integrationId },
      },
    },
    links: { self: connectionPath(row.tenant, row.id) },
  };
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

function toEvidence({ httpStatus, oauthError, requestId, ...rest }: Evidence): Connection['attributes']['evidence'] {
  return { ...rest, http_status: httpStatus, oauth_error: oauthError, request_id: requestId };
}
