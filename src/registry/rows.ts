/** Rows of the tables to rows of the contract, one way each. */
import type { Selectable } from 'kysely';
import type {
  ConnectionRow,
  ConsentLinkRow,
  EventRow,
  IntegrationAndSecret,
  IntegrationRow,
  OAuthClientRow,
} from './contract';
import type { ProviderRow } from './contract-providers';
import type {
  ConnectionEventsTable,
  ConnectionsTable,
  ConsentLinksTable,
  IntegrationsTable,
  OAuthClientsTable,
  ProvidersTable,
} from './schema';

export function toOAuthClientRow(row: Selectable<OAuthClientsTable>): OAuthClientRow {
  return {
    tenant: row.tenant,
    id: row.id,
    clientId: row.client_id,
    label: row.label,
    secretId: row.secret_id,
    pausedUntil: row.paused_until,
    pausedCode: row.paused_code,
    component: row.component,
  };
}

export function toIntegrationRow(row: Selectable<IntegrationsTable>): IntegrationRow {
  return {
    tenant: row.tenant,
    id: row.id,
    oauthClientId: row.oauth_client_id,
    settings: row.settings,
    component: row.component,
    createdAt: row.created_at,
  };
}

/** @param of the current secret of its OAuth client; `set_at` of one that is listed */
export function toIntegrationAndSecret(
  row: Selectable<IntegrationsTable>,
  of: { readonly secret_id: string | null; readonly set_at: string | null },
): IntegrationAndSecret {
  const own = row.component === null && of.secret_id !== null;
  // One that came with the save is on no list until it is replaced.
  return { ...toIntegrationRow(row), secretId: of.secret_id, secretSetAt: own ? (of.set_at ?? row.created_at) : null };
}

export function toProviderRow(row: Selectable<ProvidersTable>): ProviderRow {
  return {
    tenant: row.tenant,
    id: row.id,
    base: row.base,
    preset: row.preset,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export function toConnectionRow(row: Selectable<ConnectionsTable>): ConnectionRow {
  return {
    tenant: row.tenant,
    id: row.id,
    integrationId: row.integration_id,
    grantId: row.grant_id,
    previousGrantId: row.previous_grant_id,
    generation: row.generation,
    issuedAt: row.issued_at,
    expiresAt: row.expires_at,
    lifetimeSeconds: row.lifetime_seconds,
    scope: row.scope,
    refreshable: row.refreshable,
    state: row.state,
    recovery: row.recovery,
    reason: row.reason,
    since: row.since,
    stateVersion: row.state_version,
    evidence: row.evidence,
    nextAttemptAt: row.next_attempt_at,
    frozenAt: row.frozen_at,
    revokingSince: row.revoking_since,
    quarantinedAt: row.quarantined_at,
    usable: row.usable,
    accountId: row.account_id,
    accountLabel: row.account_label,
    grantedAt: row.granted_at,
    refreshedAt: row.refreshed_at,
    consentDeadline: row.consent_deadline,
    owner: row.owner,
    region: row.region,
    accountRole: row.account_role,
    createdAt: row.created_at,
  };
}

export function toConsentLinkRow(row: Selectable<ConsentLinksTable>): ConsentLinkRow {
  return {
    tenant: row.tenant,
    id: row.id,
    connection: row.connection,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    attempts: row.attempts,
    completedAt: row.completed_at,
    returnTo: row.return_to,
    mode: row.mode,
    confirmerHash: row.confirmer_hash,
  };
}

export function toEventRow(row: Selectable<ConnectionEventsTable>): EventRow {
  return {
    id: row.id,
    connection: row.connection,
    type: row.type,
    by: row.by,
    traceId: row.trace_id,
    at: row.at,
    ...(row.facts === null ? {} : { facts: row.facts }),
  };
}
