/** `AuthorizationServer` on the guarded client: one method, one request. */
import type { Secret } from '../vault/secret';
import type { AuthorizationServer, OAuthClientTarget, TokenAnswer } from './contract';
import { isOAuthFailure } from './failure';
import type { GuardOptions } from './guarded-agents';
import { createGuardedClient } from './guarded-client';
import { accountIn, verifyIdToken } from './identity';
import { jsonObject, membersOf } from './members';
import { randomToken } from './pkce';
import { scopeParameter } from './scope';
import { errorOf, readTokenAnswer, refusal, type ReadAnswer } from './token-answer';
import { revocationRequest, tokenRequest, type Parameters } from './token-request';

const LIMITS = { deadlineMs: 15_000, maxBytes: 1024 * 1024 };
/** A code exchange with the check of its id token. */
const EXCHANGE_MS = 18_000;

export function createAuthorizationServer(options: GuardOptions): AuthorizationServer {
  const client = createGuardedClient(options);

  async function token(
    target: OAuthClientTarget,
    parameters: Parameters,
    attempted: string,
    url = target.tokenUrl,
  ): Promise<ReadAnswer> {
    const { audience, preset } = target;
    const issuedAt = new Date();
    const raw = await client({
      method: 'POST',
      url,
      ...tokenRequest(target, parameters),
      ...LIMITS,
      audience,
      attempted,
    });
    return readTokenAnswer(raw, preset, { issuedAt, receivedAt: new Date() }, attempted);
  }

  return {
    async clientCredentials(target, scope) {
      const parameters = { grant_type: 'client_credentials', scope: scopeParameter(scope, target.preset) };
      return (await token(target, parameters, 'Getting a token with client credentials')).answer;
    },

    async refresh(target, refreshToken) {
      const parameters = { grant_type: 'refresh_token', refresh_token: refreshToken.reveal() };
      return (await token(target, parameters, 'Refreshing a token set', refreshUrlOf(target))).answer;
    },

    async exchangeCode(target, { code, redirectUri, verifier, nonce }) {
      const end = Date.now() + EXCHANGE_MS;
      const parameters = codeParameters(target, code.reveal(), redirectUri, verifier.reveal());
      const { answer, idToken } = await token(target, parameters, 'Exchanging an authorization code');
      return idToken === undefined
        ? answer
        : withAccount(answer, await verifyIdToken(client, target, idToken, nonce, end));
    },

    async revoke(target, tokenToRevoke, hint) {
      const { revocationUrl: url, audience, preset } = target;
      if (url === undefined) return 'not_supported';
      const attempted = 'Revoking a token';
      const encoded = revocationRequest(target, { token: tokenToRevoke.reveal(), token_type_hint: hint });
      const raw = await client({ method: 'POST', url, ...encoded, ...LIMITS, audience, repeatable: true, attempted });
      // RFC 7009 section 2.2: 200 also for a token the server does not know; some call that an error.
      const members = membersOf(raw);
      const error = errorOf(members, preset);
      if ((raw.status >= 200 && raw.status < 300) || error === 'invalid_token') return 'revoked';
      if (error === 'unsupported_token_type') return 'not_supported';
      throw refusal(raw, members, preset, new Date(), attempted);
    },

    async identify(target, accessToken) {
      const { identityUrl: url, audience, preset } = target;
      if (url === undefined) return undefined;
      const attempted = 'Asking for the account';
      const headers = bearer(target, accessToken);
      const raw = await client({ method: 'GET', url, headers, ...LIMITS, audience, repeatable: true, attempted });
      const members = raw.cut === undefined ? jsonObject(raw.body) : undefined;
      if (raw.status !== 200 || raw.cut !== undefined) throw refusal(raw, members, preset, new Date(), attempted);
      return members && accountIn(members, preset);
    },

    async probeClient(target, redirectUri) {
      const parameters = codeParameters(target, randomToken(), redirectUri, randomToken());
      try {
        await token(target, parameters, 'Probing the OAuth client');
        return 'unproven';
      } catch (error) {
        if (!isOAuthFailure(error)) throw error;
        const { class: kind, oauthError } = error.facts;
        if (kind === 'BLOCKED' || oauthError === 'invalid_client') throw error;
        return oauthError === 'invalid_grant' ? 'accepted' : 'unproven';
      }
    },
  };
}

function codeParameters(target: OAuthClientTarget, code: string, redirectUri: string, verifier: string): Parameters {
  return {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: target.preset.pkce === 'required' ? verifier : undefined,
  };
}

/** A refresh URL belongs to the preset's own token endpoint; a typed one has no other. */
function refreshUrlOf({ preset, tokenUrl }: OAuthClientTarget): string {
  const { token, refresh } = preset.endpoints ?? {};
  return refresh !== undefined && token === tokenUrl ? refresh : tokenUrl;
}

function bearer({ preset }: OAuthClientTarget, accessToken: Secret): Record<string, string> {
  const { name, scheme } = preset.token_header;
  return { [name.toLowerCase()]: `${scheme} ${accessToken.reveal()}`.trim() };
}

function withAccount(answer: TokenAnswer, found: Awaited<ReturnType<typeof verifyIdToken>>): TokenAnswer {
  return found === 'unverified'
    ? { ...answer, warnings: [...answer.warnings, 'ID_TOKEN_UNVERIFIED'] }
    : { ...answer, account: found };
}
