/** A code flow of our own, for the integration that is saved with a refresh token somebody already has. */
import { createHash, randomBytes } from 'node:crypto';
import { Secret } from '../src/vault/secret';
import { consentAsPerson } from './browser';
import type { ProviderClient, RunningProvider } from './provider/process';

export interface ObtainedTokens {
  readonly accessToken: Secret;
  readonly refreshToken: Secret;
  readonly expiresInSeconds: number;
}

/**
 * Logs in, consents and exchanges the code (RFC 6749 4.1, RFC 7636). The redirect URI must be one the server allows;
 * nobody needs to listen there.
 *
 * @throws Error when the server redirects without a code or refuses the exchange
 */
export async function obtainTokens(
  { endpoints }: Pick<RunningProvider, 'endpoints'>,
  client: ProviderClient,
  { redirectUri, login, scope }: { redirectUri: string; login: string; scope: string },
): Promise<ObtainedTokens> {
  const verifier = randomBytes(32).toString('base64url');
  const oauthState = randomBytes(16).toString('base64url');
  const startUrl = `${endpoints.authorization}?${new URLSearchParams({
    client_id: client.clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    prompt: 'consent',
    state: oauthState,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString()}`;

  const { finalUrl, status } = await consentAsPerson({ startUrl, login, stopBefore: redirectUri });
  const answer = new URL(finalUrl).searchParams;
  const code = answer.get('code');
  if (!code || answer.get('state') !== oauthState)
    throw new Error(`no code came back [status=${status} error=${answer.get('error') ?? 'none'}]`);

  const response = await postForm(endpoints.token, client, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  if (!response.ok) throw new Error(`the code was refused [status=${response.status}]`);
  const tokens = (await response.json()) as { access_token: string; refresh_token: string; expires_in: number };
  return {
    accessToken: new Secret(tokens.access_token),
    refreshToken: new Secret(tokens.refresh_token),
    expiresInSeconds: tokens.expires_in,
  };
}

/** Posts a form to an endpoint of the authorization server as the client (RFC 6749 2.3.1). */
export function postForm(
  url: string,
  { clientId, clientSecret = '', auth = 'client_secret_basic' }: ProviderClient,
  form: Readonly<Record<string, string>>,
): Promise<Response> {
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64');
  const inBody = { client_id: clientId, ...(auth === 'client_secret_post' && { client_secret: clientSecret }) };
  return fetch(url, {
    method: 'POST',
    ...(auth === 'client_secret_basic' && { headers: { authorization: `Basic ${basic}` } }),
    body: new URLSearchParams({ ...form, ...(auth !== 'client_secret_basic' && inBody) }),
    signal: AbortSignal.timeout(15_000),
  });
}
