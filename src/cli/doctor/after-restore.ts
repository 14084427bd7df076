/**
 * After a restore of the vault: its refresh tokens may have been spent since the backup, and sending a spent one can end
 * the grant. Every connection whose refresh spends its token is quarantined; what is known of each is said.
 */
import { spendsRefreshToken } from '../../connection/rotation';
import { clientSecretRef, envelopeKeyRef, formatRef, grantRef } from '../../connection/ids';
import type { ConnectionRef } from '../../connection/types';
import { isDurableOAuthError } from '../../errors';
import type { AuthorizationServer } from '../../oauth/contract';
import { isOAuthFailure } from '../../oauth/failure';
import type { Catalogue } from '../../providers/preset';
import { findPreset, targetOf } from '../../providers/resolve';
import type { ConnectionContext, Registry } from '../../registry/contract';
import type { Vault, VaultEntry } from '../../vault/port';
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
   * `missing`: the vault holds nothing of it that can be opened. `safe`: a refresh spends nothing. `gone`: revoked.
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
 * Quarantine, then look, one connection after the other; and destroy again what a backup brought back of what was revoked.
 * Repeating it is harmless. Sends access tokens to the identity endpoint and nothing else; no refresh token leaves.
 * @throws VAULT_UNAVAILABLE, REGISTRY_UNAVAILABLE: run it again
 */
export async function* afterRestore(deps: RestoreDeps): AsyncGenerator<Restored> {
  for (const kid of await deps.registry.envelopeKeys.destroyed()) await deps.vault.destroy(envelopeKeyRef(kid));
  for await (const context of everyConnection(deps.registry, deps.tenants)) {
    const { connection } = context;
    if (connection.grantId === null) continue;
    yield await look(deps, context, connection.grantId);
  }
}

async function look(deps: RestoreDeps, context: ConnectionContext, grant: string): Promise<Restored> {
  const { connection, integration } = context;
  const ref: ConnectionRef = { tenant: connection.tenant, connection: connection.id };
  const path = grantRef(ref, grant);
  const told = { ref: formatRef(ref), known: connection.generation, held: 0 };
  if (connection.frozenAt !== null) {
    // A revocation that is under way still needs the token, and destroys it itself.
    if (connection.revokingSince === null) await deps.vault.destroy(path);
    return { ...told, verdict: 'gone', quarantined: false };
  }
  const { grant_type: grantType, rotation } = integration.settings;
  if (grantType === 'client_credentials') return { ...told, verdict: 'safe', quarantined: false };
  const quarantined = spendsRefreshToken({ mode: rotation });
  if (quarantined) {
    await deps.registry.connections.quarantine(ref, { type: 'connection.quarantined', by: deps.by, traceId: 'doctor' });
  }
  const entry = await newest(deps.vault, path);
  if (entry === undefined) return { ...told, verdict: 'missing', quarantined };
  const seen = { ...told, held: entry.generation, quarantined };
  if (!quarantined) return { ...seen, verdict: 'safe' };
  return {
    ...seen,
    verdict: entry.generation < connection.generation ? 'spent' : 'uncertain',
    accessToken: await probe(deps, context, entry.set),
  };
}

/** @returns undefined when there is none, or none that can be opened */
async function newest(vault: Vault, ref: string): Promise<{ generation: number; set: TokenSet } | undefined> {
  const entry = await held(vault, ref);
  return entry?.secret.kind === 'token_set' ? { generation: entry.generation, set: entry.secret } : undefined;
}

/** One entry that is not there, or was damaged, must not keep the others from being looked at. */
async function held(vault: Vault, ref: string): Promise<VaultEntry | undefined> {
  try {
    return await vault.latest(ref);
  } catch (error) {
    const absent = ['VAULT_MISSING', 'VAULT_GONE', 'VAULT_CORRUPT'] as const;
    if (absent.some((code) => isDurableOAuthError(error, code))) return undefined;
    throw error;
  }
}

/** Many servers end the access token with the refresh that replaced it: one that is accepted may be the newest. */
async function probe(deps: RestoreDeps, context: ConnectionContext, set: TokenSet): Promise<Restored['accessToken']> {
  const { integration, client, provider } = context;
  const { settings } = integration;
  const preset = findPreset(deps.catalogue, settings.preset, provider);
  if (settings.endpoints.identity === undefined || preset === undefined) return 'no endpoint to ask';
  if (set.expiresAt !== null && Date.parse(set.expiresAt) <= Date.now()) return 'expired';
  const secret = client.secretId === null ? undefined : clientSecretRef(client.tenant, client.id, client.secretId);
  const entry = secret === undefined ? undefined : (await held(deps.vault, secret))?.secret;
  const target = targetOf(settings, preset, entry?.kind === 'client_secret' ? entry : undefined);
  try {
    await deps.authorizationServer.identify({ ...target, audience: set.audience }, set.accessToken);
    return 'accepted';
  } catch (error) {
    if (!isOAuthFailure(error)) throw error;
    return error.facts.httpStatus === 401 || error.facts.httpStatus === 403 ? 'refused' : 'no answer';
  }
}
