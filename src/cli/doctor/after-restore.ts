/**
 * After a restore of the vault: its refresh tokens may have been spent since the backup, and sending a spent one can end
 * the grant. Every connection whose refresh spends its token is quarantined; what is known of each is said.
 */
import { spendsRefreshToken } from '../../connection/rotation';
import { formatRef, grantRef, clientSecretRef } from '../../connection/ids';
import type { ConnectionRef } from '../../connection/types';
import { isDurableOAuthError } from '../../errors';
import type { AuthorizationServer } from '../../oauth/contract';
import { isOAuthFailure } from '../../oauth/failure';
import type { Catalogue } from '../../providers/preset';
import { targetOf } from '../../providers/resolve';
import type { ConnectionContext, Registry } from '../../registry/contract';
import type { Vault } from '../../vault/port';
import type { TokenSet } from '../../vault/secret';
import { everyConnection } from '../every-connection';

export interface RestoreDeps {
  readonly registry: Registry;
  readonly vault: Vault;
  readonly catalogue: Catalogue;
  readonly authorizationServer: Pick<AuthorizationServer, 'identify'>;
  /** Default: all. */
  readonly tenants?: readonly string[];
  readonly by: string;
}

export interface Restored {
  readonly ref: string;
  /**
   * `spent`: the vault holds less than the registry knows of, a new consent is needed. `uncertain`: it may be the newest.
   * `missing`: the vault holds nothing of it. `safe`: a refresh spends nothing. `gone`: revoked.
   */
  readonly verdict: 'spent' | 'uncertain' | 'missing' | 'safe' | 'gone';
  readonly quarantined: boolean;
  /** Newest generation in the vault, and the one the registry knows of. */
  readonly held: number;
  readonly known: number;
  /** What the provider says of the access token; absent when it was not asked. */
  readonly accessToken?: 'accepted' | 'refused' | 'expired' | 'no answer' | 'no endpoint to ask';
}

/**
 * Ask, then quarantine, one connection after the other. Repeating it is harmless. Sends access tokens to the identity
 * endpoint and nothing else; no refresh token leaves.
 * @throws VAULT_UNAVAILABLE, REGISTRY_UNAVAILABLE: run it again
 */
export async function* afterRestore(deps: RestoreDeps): AsyncGenerator<Restored> {
  for await (const context of everyConnection(deps.registry, deps.tenants)) {
    const { connection } = context;
    if (connection.grantId === null) continue;
    yield await look(deps, context, connection.grantId);
  }
}

async function look(deps: RestoreDeps, context: ConnectionContext, grant: string): Promise<Restored> {
  const { connection, integration } = context;
  const ref: ConnectionRef = { tenant: connection.tenant, connection: connection.id };
  const told = { ref: formatRef(ref), known: connection.generation, held: 0 };
  if (connection.frozenAt !== null) return { ...told, verdict: 'gone', quarantined: false };
  const { grant_type: grantType, rotation } = integration.settings;
  if (grantType === 'client_credentials' || !spendsRefreshToken({ mode: rotation })) {
    return { ...told, verdict: 'safe', quarantined: false };
  }
  const entry = await newest(deps.vault, grantRef(ref, grant));
  await deps.registry.connections.quarantine(ref, {
    type: 'connection.quarantined',
    by: deps.by,
    traceId: 'doctor',
    facts: { held: entry?.generation ?? 0, known: connection.generation },
  });
  if (entry === undefined) return { ...told, verdict: 'missing', quarantined: true };
  return {
    ...told,
    held: entry.generation,
    verdict: entry.generation < connection.generation ? 'spent' : 'uncertain',
    quarantined: true,
    accessToken: await probe(deps, context, entry.set),
  };
}

async function newest(vault: Vault, ref: string): Promise<{ generation: number; set: TokenSet } | undefined> {
  try {
    const { generation, secret } = await vault.latest(ref);
    return secret.kind === 'token_set' ? { generation, set: secret } : undefined;
  } catch (error) {
    if (isDurableOAuthError(error, 'VAULT_MISSING') || isDurableOAuthError(error, 'VAULT_GONE')) return undefined;
    throw error;
  }
}

/** Many servers end the access token with the refresh that replaced it: one that is accepted may be the newest. */
async function probe(deps: RestoreDeps, context: ConnectionContext, set: TokenSet): Promise<Restored['accessToken']> {
  const { integration, client } = context;
  const { settings } = integration;
  const preset = deps.catalogue.get(settings.preset);
  if (settings.endpoints.identity === undefined || preset === undefined) return 'no endpoint to ask';
  if (set.expiresAt !== null && Date.parse(set.expiresAt) <= Date.now()) return 'expired';
  const secret = client.secretId === null ? undefined : clientSecretRef(client.tenant, client.id, client.secretId);
  const held = secret === undefined ? undefined : (await deps.vault.latest(secret)).secret;
  const target = targetOf(settings, preset, held?.kind === 'client_secret' ? held : undefined);
  try {
    await deps.authorizationServer.identify({ ...target, audience: target.audience ?? set.audience }, set.accessToken);
    return 'accepted';
  } catch (error) {
    if (!isOAuthFailure(error)) throw error;
    return error.facts.httpStatus === 401 || error.facts.httpStatus === 403 ? 'refused' : 'no answer';
  }
}
