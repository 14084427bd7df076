/** What can be said of an OAuth client while nobody has consented (C8). */
import type { IntegrationSettings } from '../src/connection/messages';
import type { AuthorizationServer, OAuthClientTarget } from '../src/oauth/contract';
import { resolveEndpoint } from '../src/oauth/endpoint-policy';

export interface ProofDeps {
  readonly authorizationServer: Pick<AuthorizationServer, 'probeClient'>;
  readonly allowPrivateNetworks: boolean;
}

/**
 * Endpoint policy; with `probe`, one token request with a code that was never issued.
 * @throws ENDPOINT_BLOCKED, PROVIDER_UNREACHABLE, CLIENT_REJECTED
 */
export async function provenBeforeConsent(
  deps: ProofDeps,
  { endpoints, redirect_uri: redirectUri }: Pick<IntegrationSettings, 'endpoints' | 'redirect_uri'>,
  target: OAuthClientTarget,
  probe: boolean,
): Promise<'client' | 'not_until_consent'> {
  const { allowPrivateNetworks } = deps;
  for (const url of [endpoints.authorization, endpoints.token]) {
    if (url !== undefined) await resolveEndpoint(url, { allowPrivateNetworks });
  }
  if (!probe || redirectUri === undefined) return 'not_until_consent';
  const answer = await deps.authorizationServer.probeClient(target, redirectUri);
  return answer === 'accepted' ? 'client' : 'not_until_consent';
}
