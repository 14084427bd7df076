/** What a connection is made of. Pure data: safe in the workflow sandbox, safe in history. */
import type { ErrorCode, FailureClass } from '../errors';

export type GrantType = 'authorization_code' | 'client_credentials' | 'refresh_token';
export const GRANT_TYPES: readonly GrantType[] = ['authorization_code', 'client_credentials', 'refresh_token'];

export type ConnectionState = 'pending_consent' | 'active' | 'degraded' | 'reauth_required' | 'disconnected';
export const CONNECTION_STATES: readonly ConnectionState[] = [
  'pending_consent',
  'active',
  'degraded',
  'reauth_required',
  'disconnected',
];

/** How a disconnected connection comes back: by itself, after a correction, or only after reconnecting. */
export type Recovery = 'automatic' | 'after_fix' | 'reconnect';

/** What an unknown outcome of a refresh permits (design 6; provider documentation names the mode). */
export type RotationMode = 'none' | 'old_stays_valid' | 'grace' | 'until_used' | 'strict' | 'unknown';
export const ROTATION_MODES: readonly RotationMode[] = [
  'none',
  'old_stays_valid',
  'grace',
  'until_used',
  'strict',
  'unknown',
];

export interface Rotation {
  readonly mode: RotationMode;
  /** Seconds in which the replaced refresh token still works; only with mode `grace`. */
  readonly graceSeconds?: number;
}

/** What a flow does while its connection does not work. */
export type Fallback = 'pause' | 'skip' | 'fail';

/** Who the reader should ask. */
export type Who = 'nobody' | 'account_owner' | 'administrator' | 'provider_administrator' | 'operator' | 'flow_author';
export const WHO_ACTS: readonly Who[] = [
  'nobody',
  'account_owner',
  'administrator',
  'provider_administrator',
  'operator',
  'flow_author',
];

/**
 * Marks payloads of workflows and activities. Values are facts: numbers, names, ids, times. A `Secret`
 * (src/vault/secret.ts) is branded so that it does not fit here.
 */
export type Fact = string | number | boolean | null | undefined | readonly Fact[] | { readonly [name: string]: Fact };

/** Non-secret facts about one failed attempt, shown to operators and quoted to the provider's support. */
export type Evidence = {
  /** Our id of the attempt. */
  readonly id: string;
  /** When the attempt ended, ISO 8601. */
  readonly at: string;
  readonly class: FailureClass;
  readonly httpStatus?: number;
  /** RFC 6749 section 5.2 `error`, or the provider's own code; never its prose. */
  readonly oauthError?: string;
  /** The provider's id of the request, from its answer headers. */
  readonly requestId?: string;
  /** How many attempts in a row failed. */
  readonly attempt: number;
};

/** One failed attempt as an activity reports it. */
export type FailureFacts = {
  readonly class: FailureClass;
  readonly code: ErrorCode;
  readonly httpStatus?: number;
  readonly oauthError?: string;
  readonly requestId?: string;
  /** Seconds until the other side wants to hear from us again; wins over our own back-off. */
  readonly retryAfterSeconds?: number;
  /** HMAC of the refresh token that was refused; that token is never sent again. */
  readonly fingerprint?: string;
  /** Settings as they were when the attempt was made, when the attempt came far enough to read them. */
  readonly policy?: Policy;
};

/** Settings of the integration and its preset that the connection's clocks obey. Read at the moment of use. */
export type Policy = {
  readonly grantType: GrantType;
  readonly refresh: 'proactive' | 'on_demand';
  readonly rotation: Rotation;
  readonly fallback: Fallback;
  /** Seconds before expiry at which a refresh is due; honoured literally when set. */
  readonly refreshBufferSeconds?: number;
  readonly minRefreshIntervalSeconds?: number;
  /** Seconds without a successful refresh after which the provider ends the authorization. */
  readonly idleLimitSeconds?: number;
  /** Seconds after consent at which the provider ends the authorization, used or not. */
  readonly absoluteLimitSeconds?: number;
};

/** Names for people; no ids, no personal data beyond what the tenant typed. */
export type Display = {
  /** The application or integration as people call it. */
  readonly app: string;
  /** Label of the OAuth client. */
  readonly client?: string;
  /** The account at the provider. */
  readonly account?: string;
  readonly owner?: string;
};

/** What is known of the newest token set without knowing the tokens. */
export type TokenFacts = {
  readonly grant: string;
  readonly generation: number;
  /** Clock before the request was sent, ISO 8601; serving and refreshing count from it. */
  readonly issuedAt: string;
  /** Clock when the answer arrived; the expiry we show counts from it. */
  readonly receivedAt: string;
  /** `issuedAt` + lifetime; null = the provider did not say. */
  readonly expiresAt: string | null;
  /** Seconds; null = the provider did not say. */
  readonly lifetimeSeconds: number | null;
  /** Granted scope, space separated. */
  readonly scope: string;
  readonly refreshable: boolean;
};

export interface ConnectionRef {
  readonly tenant: string;
  readonly connection: string;
}
