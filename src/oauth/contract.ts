/**
 * The wire as activities see it. One method, one request: no hidden retry, no probing, no redirect. Whoever calls knows
 * that a request may have been made when it fails, unless `sent` is false.
 */
import type { Method } from '../connection/requests';
import type { ErrorCode, FailureClass } from '../errors';
import type { Secret, TokenSet } from '../vault/secret';
import type { Preset } from '../providers/preset';

/** Everything one request needs to know about the other side. Resolved from registry rows at the moment of use. */
export interface OAuthClientTarget {
  readonly tokenUrl: string;
  readonly revocationUrl?: string;
  readonly identityUrl?: string;
  readonly issuer?: string;
  readonly clientId: string;
  readonly clientAuth: 'client_secret_basic' | 'client_secret_post' | 'none';
  readonly clientSecret?: Secret;
  /** Origins the client secret was entered for; compared before a socket is opened, else BLOCKED. */
  readonly audience?: readonly string[];
  readonly preset: Preset;
}

/** A usable answer of the token endpoint, merged and dated but not yet a generation. */
export interface TokenAnswer {
  readonly accessToken: Secret;
  /** Absent when the answer had none: the old one stays valid (RFC 6749 section 6). */
  readonly refreshToken?: Secret;
  readonly tokenType: string;
  /** As answered; undefined = the same as asked (RFC 6749 section 5.1). */
  readonly scope?: string;
  readonly issuedAt: string;
  readonly receivedAt: string;
  readonly expiresAt: string | null;
  readonly lifetimeSeconds: number | null;
  /** From a verified id token (OpenID Connect Core 3.1.3.7), when there was one. */
  readonly account?: { readonly id: string; readonly label: string };
  /** Odd but tolerated things, as codes for the event log: LIFETIME_WITH_UNIT, LIFETIME_UNREADABLE … */
  readonly warnings: readonly string[];
}

/** A failed request to an authorization server, classified (oauth.md 4.1). Carries no foreign error and no prose. */
export interface OAuthFailureFacts {
  readonly class: FailureClass;
  readonly code: ErrorCode;
  /** Whether bytes of the request may have reached the server. */
  readonly sent: boolean;
  readonly httpStatus?: number;
  readonly oauthError?: string;
  readonly requestId?: string;
  readonly retryAfterSeconds?: number;
}

/** Every method throws `OAuthFailure` (src/oauth/failure.ts) and nothing else. Deadline 15 s, no cancellation signal. */
export interface AuthorizationServer {
  /** RFC 6749 section 4.4. */
  clientCredentials(target: OAuthClientTarget, scope: string): Promise<TokenAnswer>;
  /** RFC 6749 section 6. Spends the refresh token where the server rotates. */
  refresh(target: OAuthClientTarget, refreshToken: Secret): Promise<TokenAnswer>;
  /** RFC 6749 section 4.1.3, RFC 7636. Spends the code. */
  exchangeCode(
    target: OAuthClientTarget,
    grant: { readonly code: Secret; readonly redirectUri: string; readonly verifier: Secret; readonly nonce?: Secret },
  ): Promise<TokenAnswer>;
  /** RFC 7009. @returns `not_supported` when there is no revocation endpoint or the server knows no such token type */
  revoke(
    target: OAuthClientTarget,
    token: Secret,
    hint: 'refresh_token' | 'access_token',
  ): Promise<'revoked' | 'not_supported'>;
  /** The account behind an access token, by the preset's identity endpoint; undefined when there is none. */
  identify(target: OAuthClientTarget, accessToken: Secret): Promise<{ id: string; label: string } | undefined>;
  /** One token request with a code that was never issued (C8). */
  probeClient(target: OAuthClientTarget, redirectUri: string): Promise<'accepted' | 'unproven'>;
}

/** Builds the URL the browser is sent to (RFC 6749 section 4.1.1, RFC 7636, OpenID Connect Core 3.1.2.1). */
export interface AuthorizationRequest {
  readonly authorizationUrl: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scope: string;
  readonly oauthState: string;
  /** base64url(sha256(verifier)). */
  readonly codeChallenge: string;
  readonly nonce?: string;
  /** Beside the preset's own: those of a component. */
  readonly params?: Readonly<Record<string, string>>;
  readonly preset: Preset;
}

/** An API call through a connection: what leaves the activity again is free of the token. */
export interface ApiRequest {
  readonly method: Method;
  /** Absolute, already joined and checked (src/oauth/api-url.ts). */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Whether a redirect may be followed there with the token; the first URL was checked alike. */
  readonly mayFollow: (url: string) => boolean;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ApiCaller {
  /** @throws OAuthFailure with class TRANSIENT (not sent), AMBIGUOUS (sent, no answer) or BLOCKED */
  send(request: ApiRequest, token: { readonly value: Secret; readonly preset: Preset }): Promise<ApiAnswer>;
}

/** A token answer as the next generation: the merge rules in one pure function (src/oauth/merge.ts). */
export type MergeTokenSet = (previous: TokenSet | undefined, answer: TokenAnswer, askedScope: string) => TokenSet;
