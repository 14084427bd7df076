/** The steps of giving an integration's own OAuth client another secret: prove it, (it is stored), publish the change, or tell. */
import { createHash } from 'node:crypto';
import { idFrom } from '../src/connection/ids';
import {
  originIn,
  type ChangeIntegrationInput,
  type ChangeIntegrationResult,
  type Origin,
} from '../src/connection/messages';
import type { Opener } from '../src/envelope';
import { DurableOAuthError, ERRORS } from '../src/errors';
import type { AuthorizationServer } from '../src/oauth/contract';
import { resolveEndpoint } from '../src/oauth/endpoint-policy';
import type { Catalogue } from '../src/providers/preset';
import { targetOf } from '../src/providers/resolve';
import type { NewEvent, Registry } from '../src/registry/contract';
import type { Vault } from '../src/vault/port';
import { provenBeforeConsent, type ProofDeps } from './client-proof';
import type { DurableOAuthActivities } from './contract';
import { behindBoundary, untilDone } from './failure';
import { presetOfDraft } from './grant-context';
import { openClientSecret } from './save-oauth-client';

export interface ChangeDeps extends ProofDeps {
  readonly vault: Vault;
  readonly registry: Pick<Registry, 'events' | 'integrations' | 'providers'>;
  readonly catalogue: Catalogue;
  readonly authorizationServer: Pick<AuthorizationServer, 'clientCredentials' | 'probeClient'>;
  readonly opener: Opener;
}

/**
 * Prove the new settings with the new secret, without spending anything of people's: client credentials by one token
 * request; a code grant as a save does; a pasted refresh token by the endpoint policy alone, for sending it may rotate it.
 * Stores nothing.
 *
 * Fails with CLIENT_REJECTED, SCOPE_REJECTED, ENDPOINT_BLOCKED, PROVIDER_UNREACHABLE, RATE_LIMITED, VAULT_UNAVAILABLE …
 */
export function createProveClient(deps: ChangeDeps): DurableOAuthActivities['proveClient'] {
  return (input) =>
    behindBoundary(async () => {
      // Not asked of a provider when it could not be kept afterwards.
      await deps.vault.checkWritable();
      return { v: 1, proven: await prove(deps, input) };
    });
}

async function prove(
  deps: ChangeDeps,
  { tenant, to, sealed, audience }: ChangeIntegrationInput,
): Promise<ChangeIntegrationResult['proven']> {
  const preset = await presetOfDraft(deps, { tenant, draft: to });
  const target = targetOf(to, preset, { clientSecret: await openClientSecret(deps.opener, sealed), audience });
  switch (to.grant_type) {
    case 'client_credentials':
      // The token lapses by itself. To revoke it could end the one in use: some servers give the same one again.
      await deps.authorizationServer.clientCredentials(target, to.scope);
      return 'token';
    case 'authorization_code':
      return provenBeforeConsent(deps, to, target, preset.client_probe);
    case 'refresh_token':
      await resolveEndpoint(to.endpoints.token, deps);
      return 'not_until_refresh';
  }
}

/**
 * Put settings and secret in the place of those before, in one transaction. Repeated until it succeeds; repeating is
 * harmless. A final failure (NOT_FOUND, PRECONDITION_FAILED: somebody else changed it meanwhile) means that nothing was
 * published.
 */
export function createPublishIntegrationChange(
  deps: Pick<ChangeDeps, 'registry'>,
): DurableOAuthActivities['publishIntegrationChange'] {
  return (input) =>
    untilDone(['NOT_FOUND', 'PRECONDITION_FAILED'], async () => {
      const { tenant, integration, secret: id, fingerprint, from, base, to } = input;
      const changed = await deps.registry.integrations.change(tenant, integration, {
        from,
        base,
        to,
        secret: { id, fingerprint },
        event: eventOf(input, 'integration.changed', { client_secret_fingerprint: fingerprint }),
      });
      if (changed === undefined) {
        throw new DurableOAuthError('PRECONDITION_FAILED', 'The integration changed meanwhile', {
          tenant,
          integration,
        });
      }
      return { v: 1, ...changed };
    });
}

/** Tell the log of the tenant that a change was not made, and why. Repeated until it is told; it is told once. */
export function createRecordChangeNotMade(
  deps: Pick<ChangeDeps, 'registry'>,
): DurableOAuthActivities['recordChangeNotMade'] {
  return (input) =>
    untilDone([], async () => {
      const { tenant, secret, event, code, oauthError } = input;
      const facts = { code, reason: ERRORS[code].meaning, oauth_error: oauthError };
      // Known before: the answer to an earlier attempt may have been lost.
      const id = secret === undefined ? undefined : idFrom('ev', createHash('sha256').update(secret).digest());
      await deps.registry.events.append(tenant, null, eventOf(input, event, facts), id);
      return { v: 1 };
    });
}

function eventOf(
  input: Pick<ChangeIntegrationInput, 'integration' | 'members' | keyof Origin>,
  type: string,
  facts: NonNullable<NewEvent['facts']>,
): NewEvent {
  const { integration, members } = input;
  return { type, ...originIn(input), facts: { integration, members, ...facts } };
}
