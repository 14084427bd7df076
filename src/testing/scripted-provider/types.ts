import type { GrantType, Rotation } from '../../connection/types';

export interface ScriptedClient {
  /** Absent for a public client. */
  readonly secret?: string;
  /** Default `none`: the refresh token never changes. `unknown` acts as `strict`. */
  readonly rotation?: Rotation;
}

export interface ScriptedAccount {
  readonly sub: string;
  readonly email: string;
}

export interface ScriptedProviderOptions {
  /** By client id. */
  readonly clients: Readonly<Record<string, ScriptedClient>>;
  /** Seconds an access token lives; default 3600. */
  readonly tokenLifetime?: number;
  /** Clock of tokens, ledger and Retry-After, epoch milliseconds; default `Date.now`. */
  readonly now?: () => number;
}

/**
 * What happens to one request to the token endpoint. A request is processed, and its tokens committed, unless `status` is
 * outside 200 to 299 or the connection drops before; delay and answer follow the commit.
 */
export interface ScriptedAnswer {
  /** Default: the status the request earns. */
  readonly status?: number;
  /** Laid over the answer to a request that was committed (`undefined` takes a member away), otherwise the whole body. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Text sent instead of any body. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
  readonly dropConnection?: 'before_commit' | 'after_commit';
}

export type LedgerRule = 'CODE_TWICE' | 'REFRESH_TOKEN_REUSED' | 'REQUESTS_OVERLAPPED' | 'RETRY_AFTER_IGNORED';

/** One request to the token endpoint. */
export interface LedgerEntry {
  /** As sent, so also one this server does not know. */
  readonly grantType: string;
  /** Empty when the request named no client. */
  readonly clientId: string;
  readonly clientAuth: 'client_secret_basic' | 'client_secret_post' | 'none';
  /** The grant the presented code or refresh token belongs to; for client credentials the grant they began. */
  readonly grantId?: string;
  /** First 12 hex digits of the SHA-256 of the presented refresh token or code. */
  readonly fingerprint?: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Epoch milliseconds; absent while in flight. */
  readonly endedAt?: number;
  /** Another request of the same grant was in flight; set on both. */
  readonly overlapped: boolean;
  /** Tokens were issued, whether or not the answer arrived. */
  readonly committed: boolean;
  /** Absent when no answer was sent. */
  readonly status?: number;
  /** RFC 6749 section 5.2 `error` of the answer. */
  readonly error?: string;
  readonly broke: readonly LedgerRule[];
}

export interface ScriptedProvider {
  readonly issuer: string;
  readonly endpoints: {
    readonly authorization: string;
    readonly token: string;
    readonly revocation: string;
    readonly identity: string;
  };
  /** Serves `GET orders?page=` (three pages of five) and `echo` with any method. */
  readonly apiBaseUrl: string;
  /** Closes the port and every connection. May be called twice. */
  stop(): Promise<void>;

  /** Sets the seconds that access tokens issued from now on live. */
  tokenLifetime(seconds: number): void;
  /** Sets the literal `expires_in` of answers, true or not; `undefined` tells the truth again. */
  expiresIn(literal: string | number | null | undefined): void;
  rotation(clientId: string, rotation: Rotation): void;
  /** While true, answers hold no refresh token and the presented one stays valid. */
  omitRefreshToken(omit: boolean): void;
  /** Scripts the next token request without a script; earlier ones first, and before `outage`. */
  respondNext(answer: ScriptedAnswer): void;
  /** Answers every OAuth endpoint with this status and does nothing; `null` ends it. The API stays up. */
  outage(status: number | null): void;
  /** Sets who consents from now on. */
  account(account: ScriptedAccount): void;
  /** While true, consent ends with `error=access_denied`. */
  denyConsent(deny: boolean): void;
  /** While true, the API answers 401 to every token. */
  apiRefusesAll(refuse: boolean): void;
  changeClientSecret(clientId: string, secret: string): void;
  /**
   * Ends grants with all their tokens, as an account's owner does at the provider.
   * @param owner client id, or an account's `sub` or email
   * @throws Error when no living grant is theirs
   */
  revokeGrant(owner: string): void;
  /** Issues a refresh token without consent, as an administrator copies it from a provider's console. */
  issueRefreshToken(clientId: string, scope?: string): string;

  /** @param last only so many of the newest requests */
  ledger(last?: number): readonly LedgerEntry[];
  /** Counts requests to the token endpoint, failed ones too. */
  tokenRequests(grantType?: GrantType): number;
  /** Counts revocation requests answered 200 (RFC 7009 section 2.2). */
  revocations(): number;
  /** Pardons that many presentations of a spent refresh token, past or to come. */
  allowReuse(count: number): void;
  /**
   * Checks that no code was presented twice, no refresh token again after it was spent and its rotation mode forbids it
   * (`unknown` permits one retry), no two requests of one grant overlapped, and none came before a Retry-After had passed.
   * @throws Error naming each broken rule and the request that broke it
   */
  assertLedger(): void;
  /** Why the API would refuse an access token; `alive` when it would not. */
  fateOf(accessToken: string): 'alive' | 'expired' | 'revoked' | 'superseded' | 'grant ended' | 'never issued';
  /** Every token and code ever issued and every client secret ever configured. */
  issuedSecrets(): string[];
}
