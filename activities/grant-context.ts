/** What every call to an authorization server needs, read by id at the moment of use. */
import { clientSecretRef, grantRef, isOwnProvider } from '../src/connection/ids';
import type { IntegrationSettings, SaveInput } from '../src/connection/messages';
import type { ConnectionRef, TokenFacts } from '../src/connection/types';
import { DurableOAuthError, isDurableOAuthError, type ErrorCode } from '../src/errors';
import type { OAuthClientTarget } from '../src/oauth/contract';
import type { Catalogue, Preset } from '../src/providers/preset';
import { displayName, policyOf, presetOf, targetOf } from '../src/providers/resolve';
import type { ConnectionContext, OAuthClientRow, Registry } from '../src/registry/contract';
import type { Vault, VaultEntry } from '../src/vault/port';
import type { ClientSecret, TokenSet } from '../src/vault/secret';
import { tokenSetOf } from './cells';
import type { TokenReport } from './contract';

export interface ContextDeps {
  readonly vault: Vault;
  readonly registry: Pick<Registry, 'connections'>;
  readonly catalogue: Catalogue;
}

export interface GrantContext extends ConnectionContext {
  readonly preset: Preset;
}

/** @throws OAUTH_CLIENT_UNUSABLE when the connection, its client or its preset is gone; REGISTRY_UNAVAILABLE */
export async function contextOf(deps: ContextDeps, ref: ConnectionRef): Promise<GrantContext> {
  const context = await deps.registry.connections.context(ref);
  if (context === undefined) {
    throw new DurableOAuthError('OAUTH_CLIENT_UNUSABLE', 'The connection or its OAuth client is gone', { ...ref });
  }
  const { integration, provider } = context;
  return { ...context, preset: presetOf(deps.catalogue, integration.settings.preset, provider) };
}

/** For a save, which has no rows yet. @throws OAUTH_CLIENT_UNUSABLE when the preset is gone; REGISTRY_UNAVAILABLE */
export async function presetOfDraft(
  deps: { readonly registry: Pick<Registry, 'providers'>; readonly catalogue: Catalogue },
  { tenant, draft }: Pick<SaveInput, 'tenant' | 'draft'>,
): Promise<Preset> {
  const provider = isOwnProvider(draft.preset) ? await deps.registry.providers.get(tenant, draft.preset) : undefined;
  return presetOf(deps.catalogue, draft.preset, provider);
}

const UNUSABLE = {
  integration_gone: 'INTEGRATION_DELETED',
  client_gone: 'OAUTH_CLIENT_UNUSABLE',
  component_gone: 'OAUTH_CLIENT_UNUSABLE',
  client_suspended: 'ENDPOINT_BLOCKED',
} as const satisfies Record<NonNullable<ConnectionContext['unusable']>, ErrorCode>;

/**
 * Nothing is sent or served through an integration or a client that is gone, or whose component moved and nobody confirmed
 * it.
 */
export function refuseUnusable({ client, unusable }: GrantContext): void {
  if (unusable === undefined) return;
  throw new DurableOAuthError(UNUSABLE[unusable], undefined, { client: client.id, why: unusable });
}

/** The other side of a request, with the client secret out of the vault. */
export async function targetIn(vault: Vault, context: GrantContext): Promise<OAuthClientTarget> {
  const { client, integration, preset } = context;
  return targetOf(integration.settings, preset, await secretOf(vault, client));
}

/** @returns undefined when the client needs none; @throws OAUTH_CLIENT_UNUSABLE when it was destroyed */
export async function secretOf(vault: Vault, client: OAuthClientRow): Promise<ClientSecret | undefined> {
  if (client.secretId === null) return undefined;
  const ref = clientSecretRef(client.tenant, client.id, client.secretId);
  const { secret } = await vault.latest(ref).catch((error: unknown) => {
    if (!isDurableOAuthError(error, 'VAULT_GONE')) throw error;
    throw new DurableOAuthError('OAUTH_CLIENT_UNUSABLE', 'The client secret was destroyed', { ref });
  });
  if (secret.kind !== 'client_secret') {
    throw new DurableOAuthError('VAULT_CORRUPT', 'An OAuth client holds something else than a client secret', { ref });
  }
  return secret;
}

/**
 * Whether tokens may be sent to an endpoint as the client the settings name: where they were granted, to whom they were
 * granted (RFC 6749 section 10.4).
 */
export function belongsTo(set: TokenSet, settings: Pick<IntegrationSettings, 'client_id'>, endpoint: string): boolean {
  const sameClient = set.clientId === undefined || set.clientId === settings.client_id;
  return sameClient && set.audience.includes(new URL(endpoint).origin);
}

/** The newest token set of a grant; undefined when the vault never had one. */
export async function newestOf(vault: Vault, ref: ConnectionRef, grant: string): Promise<VaultEntry | undefined> {
  try {
    return await vault.latest(grantRef(ref, grant));
  } catch (error) {
    if (isDurableOAuthError(error, 'VAULT_MISSING')) return undefined;
    throw error;
  }
}

export function tokenFactsOf(grant: string, generation: number, set: TokenSet, grantType: string): TokenFacts {
  return {
    grant,
    generation,
    issuedAt: set.issuedAt,
    receivedAt: set.receivedAt,
    expiresAt: set.expiresAt,
    lifetimeSeconds: set.lifetimeSeconds,
    scope: set.scope,
    refreshable: set.refreshToken !== undefined || grantType === 'client_credentials',
  };
}

/** The settings a connection is to be scheduled by, and the names for people. */
export function settingsOf(context: GrantContext, set?: TokenSet): Pick<TokenReport, 'policy' | 'display'> {
  const { connection, integration, client, preset } = context;
  const { settings } = integration;
  return {
    policy: policyOf(settings, preset),
    display: {
      app: displayName(settings, preset),
      client: client.label,
      account: set?.account?.label ?? connection.accountLabel ?? undefined,
    },
  };
}

export function reportOf(
  context: GrantContext,
  grant: string,
  generation: number,
  set: TokenSet,
  warnings: readonly string[] = [],
): TokenReport {
  return {
    v: 1,
    token: tokenFactsOf(grant, generation, set, context.integration.settings.grant_type),
    ...settingsOf(context, set),
    account: set.account,
    grantedAt: set.grantedAt,
    warnings,
  };
}

export function reportOfEntry(context: GrantContext, grant: string, entry: VaultEntry): TokenReport {
  return reportOf(context, grant, entry.generation, tokenSetOf(entry, grant));
}
