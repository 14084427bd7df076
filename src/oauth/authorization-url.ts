import type { AuthorizationRequest } from './contract';
import { scopeParameter } from './scope';

/**
 * Build the URL a browser is sent to (RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID Connect Core 3.1.2.1).
 * A query the endpoint already has is kept; the protocol's own parameters win over a preset's
 * and a component's.
 */
export function buildAuthorizationUrl(request: AuthorizationRequest): string {
  const { preset } = request;
  const url = new URL(request.authorizationUrl);
  const set = (name: string, value: string | undefined): void => {
    if (value) url.searchParams.set(name, value);
  };
  for (const [name, value] of Object.entries({ ...preset.authorization_params, ...request.params })) set(name, value);
  set('response_type', 'code');
  set('client_id', request.clientId);
  set('redirect_uri', request.redirectUri);
  set('scope', scopeParameter(request.scope, preset));
  set('state', request.oauthState);
  set('nonce', request.nonce);
  if (preset.pkce === 'required') {
    set('code_challenge', request.codeChallenge);
    set('code_challenge_method', 'S256');
  }
  return url.href;
}
