/** A connection as it is shown: the registry's row in words, and what depends on it. */
import type { z } from 'zod';
import { healthOfRow } from '../../client/connections';
import { authorizationEnds } from '../../connection/clocks';
import type { Lang } from '../../connection/reasons';
import type { Evidence } from '../../connection/types';
import { missingScope } from '../../oauth/scope';
import type { Catalogue } from '../../providers/preset';
import { findPreset, policyOf } from '../../providers/resolve';
import type { ConnectionContext } from '../../registry/contract';
import type { FlowRow } from '../../registry/contract-platform';
import type { connection } from '../schemas/connection';
import { connectionPath, integrationPath } from '../paths';

type Connection = z.output<typeof connection>;

/**
 * @param lang of the words; codes and times have none
 * @param flows those that include it, where that was asked for
 */
export function toConnection(
  context: ConnectionContext,
  catalogue: Catalogue,
  lang: Lang,
  flows?: readonly FlowRow[],
): Connection {
  const { connection: row, integration } = context;
  const { settings } = integration;
  const health = healthOfRow(context, catalogue, lang, flows?.length);
  const ends = authorizationEnds(
    { grantedAt: row.grantedAt, usedAt: row.refreshedAt ?? row.issuedAt },
    limitsOf(context, catalogue),
  );
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
      provider: settings.preset,
      environment: settings.environment,
      tenant_id: settings.customer_reference,
      grant_type: settings.grant_type,
      generation: row.generation,
      issued_at: row.issuedAt,
      expires_at: row.expiresAt,
      refreshed_at: row.refreshedAt,
      next_attempt_at: row.nextAttemptAt,
      granted_at: row.grantedAt,
      authorization_ends_at: ends.absolute,
      ends_unused_at: ends.idle,
      consent_deadline: row.consentDeadline,
      frozen_at: row.frozenAt,
      scope: row.scope,
      needed_scope: settings.scope,
      missing_scope: row.grantId === null ? '' : missingScope(settings.scope, row.scope, row.refreshable),
      account_id: row.accountId ?? undefined,
      account_label: row.accountLabel ?? undefined,
      account_role: row.accountRole ?? undefined,
      region: row.region ?? undefined,
      owner: row.owner ?? undefined,
      redirect_uri: settings.redirect_uri,
      evidence: row.evidence && toEvidence(row.evidence),
      last_error_class: row.evidence?.class ?? null,
      created_at: row.createdAt,
    },
    relationships: {
      integration: {
        links: { related: integrationPath(row.tenant, row.integrationId) },
        data: { type: 'integration', id: row.integrationId },
      },
      flows: {
        links: { related: `/v2/tenants/${row.tenant}/flows?filter[connection]=${row.id}` },
        data: flows?.map(({ id }) => ({ type: 'flow', id })),
        meta: flows && { count: flows.length },
      },
    },
    links: { self: connectionPath(row.tenant, row.id) },
  };
}

/** Without its preset, an integration's own limits are all that is known. */
function limitsOf(
  { integration: { settings }, provider }: ConnectionContext,
  catalogue: Catalogue,
): Parameters<typeof authorizationEnds>[1] {
  const preset = findPreset(catalogue, settings.preset, provider);
  if (preset !== undefined) return policyOf(settings, preset);
  const { idle_limit_seconds: idleLimitSeconds, absolute_limit_seconds: absoluteLimitSeconds } = settings.policy;
  return { grantType: settings.grant_type, idleLimitSeconds, absoluteLimitSeconds };
}

function toEvidence({ httpStatus, oauthError, requestId, ...rest }: Evidence): Connection['attributes']['evidence'] {
  return { ...rest, http_status: httpStatus, oauth_error: oauthError, request_id: requestId };
}
