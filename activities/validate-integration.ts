import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { clientSecretRef, grantRef } from '../src/connection/ids';
import type { SaveInput } from '../src/connection/messages';
import type { Opener, Sealer } from '../src/envelope';
import { DurableOAuthError, isDurableOAuthError } from '../src/errors';
import type { Fingerprint } from '../src/fingerprint';
import type { AuthorizationServer, OAuthClientTarget, TokenAnswer } from '../src/oauth/contract';
import { isOAuthFailure, OAuthFailure } from '../src/oauth/failure';
import { mergeTokenSet } from '../src/oauth/merge';
import type { Catalogue, Preset } from '../src/providers/preset';
import { apiOriginOf, audienceOf, targetOf } from '../src/providers/resolve';
import type { Registry } from '../src/registry/contract';
import type { Vault } from '../src/vault/port';
import { Secret, type TokenSet } from '../src/vault/secret';
import { escrowOf, putCells, type Cell } from './cells';
import { provenBeforeConsent } from './client-proof';
import type { DurableOAuthActivities, SaveValidation } from './contract';
import { behindBoundary } from './failure';
import { presetOfDraft, secretOf, tokenFactsOf } from './grant-context';
import { budgetOf, within } from './time-limit';

export interface ValidateDeps {
  readonly vault: Vault;
  readonly registry: Pick<Registry, 'fingerprints' | 'oauthClients' | 'providers'>;
  readonly catalogue: Catalogue;
  readonly authorizationServer: Pick<AuthorizationServer, 'clientCredentials' | 'refresh' | 'probeClient'>;
  readonly sealer: Sealer;
  readonly opener: Opener;
  readonly fingerprint: Fingerprint;
  readonly allowPrivateNetworks: boolean;
}

/** With the 15 s of the send under the 25 s of the heartbeat. */
const READY_MS = 8_000;
const STORE_MS = 18_000;

const pasted = z.object({ client_secret: z.string().optional(), refresh_token: z.string().optional() });

/**
 * Validate a save with the provider and store its secrets, in this order: the vault can be written → a pasted refresh
 * token is reserved (a second save of it is refused) → one token request (code grant: endpoint policy and, where the
 * preset allows it, a probe of the client) → one heartbeat with the sealed secrets → client secret → grant.
 *
 * A failure means that nothing was stored. From the provider's answer on there is no failure any more: what the vault
 * does not take in time is returned sealed.
 *
 * Fails with CLIENT_REJECTED, GRANT_REFUSED, SCOPE_REJECTED, PROVIDER_UNREACHABLE, RATE_LIMITED, ENDPOINT_BLOCKED,
 * SAVE_OUTCOME_UNKNOWN, ALREADY_EXISTS, VAULT_UNAVAILABLE, REGISTRY_UNAVAILABLE.
 */
export function createValidateIntegration(deps: ValidateDeps): DurableOAuthActivities['validateIntegration'] {
  return (input) =>
    behindBoundary(async () => {
      const preset = await presetOfDraft(deps, input);
      const typed = pasted.parse(input.sealed === undefined ? {} : await deps.opener.open('save', input.sealed));
      const ready = budgetOf(READY_MS);
      await ready.spend('VAULT_UNAVAILABLE', 'Asking the vault', deps.vault.checkWritable());
      await ready.spend('REGISTRY_UNAVAILABLE', 'Getting an envelope key', deps.sealer.ready());
      const refreshToken = typed.refresh_token === undefined ? undefined : new Secret(typed.refresh_token);
      const clientSecret = typed.client_secret === undefined ? undefined : new Secret(typed.client_secret);
      const target =
        input.component === undefined
          ? targetOf(input.draft, preset, clientSecret && { clientSecret, audience: audienceOf(input.draft) })
          : await ready.spend('VAULT_UNAVAILABLE', 'Reading the client secret', targetOfClient(deps, input, preset));
      const fingerprint = refreshToken && (await deps.fingerprint(refreshToken));
      if (fingerprint) await deps.registry.fingerprints.reserve(input.tenant, fingerprint, input.connection);
      try {
        ready.check('VAULT_UNAVAILABLE', 'Getting ready to send');
        const proof = await prove(deps, input, preset, target, refreshToken);
        return await keep(deps, input, { ...proof, clientSecret, fingerprint });
      } catch (error) {
        if (fingerprint) await release(deps, input);
        throw error;
      }
    });
}

/** Through the OAuth client the tenant has for the component, with its secret out of the vault. */
async function targetOfClient(
  deps: ValidateDeps,
  { tenant, client: id, draft }: SaveInput,
  preset: Preset,
): Promise<OAuthClientTarget> {
  const client = await deps.registry.oauthClients.get(tenant, id);
  if (client === undefined) throw new DurableOAuthError('OAUTH_CLIENT_UNUSABLE', undefined, { tenant, client: id });
  return targetOf({ ...draft, client_id: client.clientId }, preset, await secretOf(deps.vault, client));
}

interface Proof {
  readonly proven: SaveValidation['proven'];
  readonly set?: TokenSet;
  readonly warnings: readonly string[];
}

async function prove(
  deps: ValidateDeps,
  { draft, component }: SaveInput,
  preset: Preset,
  target: OAuthClientTarget,
  refreshToken: Secret | undefined,
): Promise<Proof> {
  if (draft.grant_type === 'authorization_code') {
    // A component's client was entered by somebody else, and is not this save's to prove.
    const proven = await provenBeforeConsent(deps, draft, target, component === undefined && preset.client_probe);
    return { proven, warnings: [] };
  }
  const answer =
    refreshToken === undefined
      ? await deps.authorizationServer.clientCredentials(target, draft.scope)
      : await spend(deps, target, refreshToken);
  const set = mergeTokenSet(undefined, answer, draft.scope);
  // An answer without refresh token leaves the pasted one valid (RFC 6749 section 6).
  return {
    proven: 'token',
    set: {
      ...set,
      refreshToken: set.refreshToken ?? refreshToken,
      audience: audienceOf(draft),
      clientId: target.clientId,
      apiOrigin: apiOriginOf(draft),
    },
    warnings: answer.warnings,
  };
}

/** A pasted refresh token may be used up although nobody answered: the reader must not paste it again. */
async function spend(deps: ValidateDeps, target: OAuthClientTarget, token: Secret): Promise<TokenAnswer> {
  try {
    return await deps.authorizationServer.refresh(target, token);
  } catch (error) {
    if (!isOAuthFailure(error) || error.facts.class !== 'AMBIGUOUS') throw error;
    throw new OAuthFailure('The answer to a pasted refresh token was lost', {
      ...error.facts,
      code: 'SAVE_OUTCOME_UNKNOWN',
    });
  }
}

async function keep(
  deps: ValidateDeps,
  input: SaveInput,
  { proven, set, warnings, clientSecret, fingerprint }: Proof & { clientSecret?: Secret; fingerprint?: string },
): Promise<SaveValidation> {
  const { tenant, client, secret, connection, grant, draft } = input;
  const cells: Cell[] = [];
  if (clientSecret) {
    const audience = audienceOf(draft);
    cells.push({
      ref: clientSecretRef(tenant, client, secret),
      generation: 1,
      secret: { kind: 'client_secret', clientSecret, audience },
    });
  }
  if (set) cells.push({ ref: grantRef({ tenant, connection }, grant), generation: 1, secret: set });
  const validation: SaveValidation = {
    v: 1,
    proven,
    token: set && tokenFactsOf(grant, 1, set, draft.grant_type),
    account: set?.account,
    grantedAt: set?.grantedAt,
    fingerprint,
    warnings: set ? [...warnings, ...storeWarnings(deps.vault, set)] : warnings,
  };
  if (cells.length === 0) return validation;
  const kept: SaveValidation = { ...validation, escrow: await escrowOf(deps.sealer, grant, cells) };
  Context.current().heartbeat(kept);
  try {
    await within(STORE_MS, 'VAULT_UNAVAILABLE', 'Storing the secrets', putCells(deps.vault, cells, STORE_MS));
    return validation;
  } catch (error) {
    if (isDurableOAuthError(error, 'VAULT_GONE')) throw error;
    return kept;
  }
}

/** A store with a quota of writes fills up with tokens that live for minutes; the refreshes would then be kept back. */
function storeWarnings({ capabilities }: Vault, { lifetimeSeconds }: TokenSet): string[] {
  const often = lifetimeSeconds !== null && lifetimeSeconds < capabilities.minWriteIntervalSeconds;
  return often ? ['VAULT_WRITES_TOO_FREQUENT'] : [];
}

async function release(deps: ValidateDeps, input: SaveInput): Promise<void> {
  try {
    await deps.registry.fingerprints.release(input.tenant, input.connection);
  } catch (error) {
    if (!isDurableOAuthError(error)) throw error;
  }
}
