/**
 * Messages of the workflows: names and payloads. Wire: renaming one is a breaking change, pinned by a test.
 * A message carries no authority and no configuration; what is true is read by id.
 */
import type {
  ConnectionState,
  Display,
  Evidence,
  Fallback,
  GrantType,
  Policy,
  Recovery,
  RotationMode,
  TokenFacts,
  Who,
} from './types';
import type { ErrorCode } from '../errors';

/** Who sent it, how to find it in the traces, and why in that person's words: a request's `Audit-Reason`, never a secret. */
export type Origin = { readonly by: string; readonly traceId: string; readonly auditReason?: string };

/** The origin of a message, without the rest of it. */
export const originIn = ({ by, traceId, auditReason }: Origin): Origin => ({ by, traceId, auditReason });

export const CONNECTION_WORKFLOW = 'connectionWorkflow';
export const CONSENT_WORKFLOW = 'consentWorkflow';
export const SAVE_WORKFLOW = 'saveIntegrationWorkflow';
export const CHANGE_INTEGRATION_WORKFLOW = 'changeIntegrationWorkflow';
export const SAVE_OAUTH_CLIENT_WORKFLOW = 'saveOAuthClientWorkflow';
export const RETIRE_OAUTH_CLIENT_WORKFLOW = 'retireOAuthClientWorkflow';
export const RETIRE_INTEGRATION_WORKFLOW = 'retireIntegrationWorkflow';

// ── connection ────────────────────────────────────────────────────────────────────────────────────────────────────

export const ENSURE_FRESH = 'ensureFresh';
export const REVOKE = 'revoke';
export const GRANT_READY = 'grantReady';
export const NUDGE = 'nudge';
export const DESCRIBE = 'describe';

export type EnsureFresh = Origin & {
  readonly v: 1;
  /** The generation the caller holds; 0 = none. */
  readonly generation: number;
  /** The caller's clock says so; the API refused that generation; a person wants a newer one, if it may be had. */
  readonly why: 'expiring' | 'refused' | 'asked';
};

export type FreshAnswer = {
  readonly v: 1;
  readonly state: ConnectionState;
  readonly generation: number;
  readonly expiresAt: string | null;
  readonly grant: string | null;
  readonly nextAttemptAt?: string;
};

export type Revoke = Origin & { readonly v: 1; readonly reason: string };

/** What revocation has done so far; the result of a revoked connection's run. */
export type Tombstone = {
  readonly v: 1;
  readonly by: string;
  readonly reason: string;
  readonly frozenAt: string;
  /** RFC 7009 outcome at the provider. */
  readonly provider: 'pending' | 'revoked' | 'not_supported' | 'gave_up' | 'nothing_to_revoke';
  readonly providerAt?: string;
  readonly destroyedAt?: string;
};

export type GrantReady = Origin & { readonly v: 1; readonly consent: string } & (
    { readonly grant: string; readonly generation: number } | { readonly keep: true }
  );

export type Nudge = Origin & {
  readonly v: 1;
  readonly why: string;
  /** Find out now whether it can still be renewed, however well it is. */
  readonly refresh?: boolean;
};

/** One reading of a connection's health; every surface shows this one text (src/connection/health.ts). */
export type HealthReading = {
  readonly v: 1;
  readonly ref: string;
  readonly state: ConnectionState;
  readonly recovery?: Recovery;
  readonly reason?: ErrorCode;
  readonly since: string;
  readonly generation: number;
  readonly expiresAt: string | null;
  readonly nextAction: string;
  readonly nextActionAt?: string;
  readonly who: Who;
  readonly evidence?: Evidence;
  readonly title: string;
  readonly text: string;
};

/** Serves tests and demos; never read from the environment. */
export type Tuning = {
  /** First pause of the back-off, milliseconds (default 5000). */
  readonly retryBaseMs?: number;
  /** Factor on every random jitter, 0 to 1 (default 1). */
  readonly jitter?: number;
  /** Refreshes per run before continue-as-new (default 32). */
  readonly continueAfter?: number;
  /** How long a new code-grant connection waits for its first consent, milliseconds (default 7 days). */
  readonly pendingConsentMs?: number;
  /** How long a consent waits for the callback, and again for the confirmation, milliseconds (default 10 min). */
  readonly consentMs?: number;
  /**
   * How long a consent may be under way after it began, milliseconds: a client that is deleted keeps its secret until then
   * (default: what follows from the waits, about 31 minutes).
   */
  readonly consentLifeMs?: number;
};

export type ConnectionInput = {
  readonly v: 1;
  readonly ref: string;
  readonly tuning?: Tuning;
  readonly carried?: Carried;
  /** What the run before had not let go of yet. */
  readonly retiring?: readonly Retirement[];
};

/** A grant that goes: revoked at the provider, then destroyed in the vault. */
export type Retirement = {
  /** Null: the connection that is revoked had none. */
  readonly grant: string | null;
  readonly why: 'replaced' | 'revoked' | 'refused';
  /** When it began, ISO 8601: how long the provider is asked counts from there, over all runs. */
  readonly since: string;
  /** An answer that the vault has not taken yet; its tokens are the newest. */
  readonly sealed?: string;
};

/** An outcome of a refresh that nobody knows: sent, and the answer lost. */
export type Ambiguity = {
  /** When it may have been sent at the earliest: a grace of the server counts from there, not from when we noticed. */
  readonly since: string;
  readonly generation: number;
  /** Retries of the same refresh token made since. */
  readonly retries: number;
};

/** What a run hands to the next one, and all the pure core works on. No secret, no configuration but `policy` as last read. */
export type Carried = {
  readonly v: 1;
  readonly stateVersion: number;
  readonly state: ConnectionState;
  readonly recovery?: Recovery;
  readonly reason?: ErrorCode;
  readonly since: string;
  readonly evidence?: Evidence;
  readonly grant: string | null;
  readonly generation: number;
  readonly issuedAt?: string;
  readonly expiresAt: string | null;
  readonly lifetimeSeconds: number | null;
  readonly refreshable: boolean;
  readonly scope: string;
  readonly policy: Policy;
  readonly display: Display;
  readonly frozen: boolean;
  /** When the next attempt to refresh is due, ISO 8601; null = no attempt is planned. */
  readonly nextAttemptAt: string | null;
  /** Attempts in a row that failed, and when the first of them did. */
  readonly failures: number;
  readonly failingSince?: string;
  readonly ambiguous?: Ambiguity;
  /** HMACs of refresh tokens that were refused; at most 4. */
  readonly fingerprints: readonly string[];
  /** The last state was not yet recorded in the registry. */
  readonly owed?: boolean;
  /** Name of the event that goes with the owed state. */
  readonly event?: string;
  /** Consents already adopted or refused; at most 16. */
  readonly deliveries: readonly string[];
  /** Generations in a row that the API refused while they were young. */
  readonly refusals?: { readonly generation: number; readonly count: number };
  /** First consent of this save must arrive by then. */
  readonly consentDeadline?: string;
  /** When the authorization was granted or last refreshed, for the idle and absolute limits. */
  readonly grantedAt?: string;
  readonly usedAt?: string;
};

// ── consent ───────────────────────────────────────────────────────────────────────────────────────────────────────

export const OAUTH_CALLBACK = 'oauthCallback';
export const COMPLETE_CONSENT = 'completeConsent';
export const CONFIRM_CONSENT = 'confirmConsent';
export const DESCRIBE_CONSENT = 'describeConsent';

export type ConsentMode = 'link' | 'session' | 'handback';

export type ConsentInput = {
  readonly v: 1;
  readonly ref: string;
  /** Also the id of the grant this consent makes. */
  readonly consent: string;
  readonly link?: string;
  readonly mode: ConsentMode;
  readonly by?: string;
  /** Facts of the attempt; the exchange compares them with the registry and refuses when they changed. */
  readonly clientId: string;
  readonly tokenOrigin: string;
  readonly issuer?: string;
  readonly redirectUri: string;
  readonly scope: string;
  /** base64url(sha256(browser secret)). */
  readonly browser: string;
  /** Modes `session` and `handback`: base64url(sha256(confirmation code)), and the hash of who may confirm. */
  readonly confirmation?: string;
  readonly confirmer?: string;
  /** JWE of `{ verifier, nonce }`. */
  readonly sealed: string;
  readonly returnTo?: string;
  readonly lang: string;
  readonly tuning?: Tuning;
};

/**
 * Delivery of the provider's redirect: the public contract of the callback, from any language.
 * `code` is a JWE to the workers' key (/.well-known/jwks.json). With `callbackSignal: 'sealed-or-code'` a raw
 * `{ code, state }` is taken as well.
 */
export type OAuthCallback = { readonly v: 1; readonly browser: string } & (
  { readonly code: string; readonly iss?: string } | { readonly error: string; readonly iss?: string }
);
export type RawOAuthCallback = { readonly code: string; readonly state: string; readonly iss?: string };

/** Mode `link`: the browser itself. Else its application, for the consent of this ref and id. */
export type ConfirmConsent = { readonly v: 1; readonly browser: string } | ConsentConfirmation;

export type ConsentConfirmation = Origin & {
  readonly v: 1;
  readonly ref: string;
  readonly consent: string;
  readonly confirmation: string;
  readonly confirmer: string;
  /** The mode that a confirmer of this kind belongs to; absent in a message of an earlier version. */
  readonly mode?: Exclude<ConsentMode, 'link'>;
};

export type ConsentStage =
  'waiting_for_callback' | 'exchanging' | 'waiting_for_confirmation' | 'handing_over' | 'connected' | 'failed';

export type ConsentReading = {
  readonly v: 1;
  readonly ref: string;
  /** Absent in a run of an earlier version, which is of mode `link`. */
  readonly consent?: string;
  readonly mode?: ConsentMode;
  readonly stage: ConsentStage;
  readonly app: string;
  readonly account?: string;
  /** Whether the account is known to be the one that consented before. */
  readonly sameAccount?: 'same' | 'first' | 'unverifiable';
  readonly scope: string;
  /** Why it failed. */
  readonly code?: ErrorCode;
  readonly detail?: 'declined' | 'abandoned' | 'expired' | 'used' | 'other_user';
  readonly returnTo?: string;
  readonly lang: string;
};

// ── save ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Environment = 'production' | 'sandbox';
export type ClientAuth = 'client_secret_basic' | 'client_secret_post' | 'none';

/** Settings of an integration as a person typed them, checked, defaults filled in from the preset. REST spelling. */
export type IntegrationSettings = {
  readonly label: string;
  readonly preset: string;
  readonly grant_type: GrantType;
  readonly endpoints: {
    readonly authorization?: string;
    readonly token: string;
    readonly revocation?: string;
    /** Where the account behind an access token is asked for (OpenID Connect UserInfo or the provider's own). */
    readonly identity?: string;
    readonly issuer?: string;
  };
  readonly client_id: string;
  readonly client_auth: ClientAuth;
  /** Space separated. */
  readonly scope: string;
  readonly api_base_url: string;
  readonly redirect_uri?: string;
  /** Present when a tenant typed the endpoints: part of the redirect URI (C13). */
  readonly context_id?: string;
  /** The seed's "Tenant ID": the customer's own reference, without authority. */
  readonly customer_reference?: string;
  readonly environment: Environment;
  readonly rotation: RotationMode;
  readonly rotation_grace_seconds?: number;
  readonly policy: {
    readonly refresh: 'proactive' | 'on_demand';
    readonly fallback: Fallback;
    readonly refresh_buffer_seconds?: number;
    readonly min_refresh_interval_seconds?: number;
    readonly idle_limit_seconds?: number;
    readonly absolute_limit_seconds?: number;
  };
  /** Parameters of the component's own for the authorization URL, beside the preset's. */
  readonly authorization_params?: Readonly<Record<string, string>>;
  /** Values for the `{{VARIABLE}}`s of the component's endpoints. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Whether a code answer without refresh token is refused (C6). */
  readonly refresh_token_required: boolean;
};

/** What the tenant says of the account behind a connection; nothing is decided by it. */
export type AboutConnection = {
  /** E-mail address of the principal who answers for it; a machine's has none. */
  readonly owner?: string;
  /** Marketplace region of the account. */
  readonly region?: string;
  /** What the account is there. */
  readonly account_role?: string;
};

export type SaveInput = Origin & {
  readonly v: 1;
  readonly tenant: string;
  readonly integration: string;
  readonly connection: string;
  readonly client: string;
  /** Vault id of the client secret this save stores. */
  readonly secret: string;
  /** Id of the grant this save makes (client credentials, refresh token). */
  readonly grant: string;
  /** `client` is the one the tenant has for this component: neither made nor removed by this save. */
  readonly component?: string;
  readonly lang: string;
  readonly draft: IntegrationSettings;
  readonly about?: AboutConnection;
  /** JWE of `{ client_secret?, refresh_token? }`. */
  readonly sealed?: string;
  readonly tuning?: Tuning;
};

export type SaveResult = {
  readonly v: 1;
  readonly integration: string;
  readonly connection: string;
  readonly state: ConnectionState;
  readonly token?: TokenFacts;
  /** What validation could say: a token was obtained, the client was accepted, or nothing is proven until consent. */
  readonly proven: 'token' | 'client' | 'not_until_consent';
};

/** What tells one rotation of an integration's client secret from the next; the settings are the same in both. */
export interface IntegrationBase {
  readonly secretId: string | null;
}

/** A new client secret for an integration with an OAuth client of its own, and what else changes with it. */
export type ChangeIntegrationInput = Origin & {
  readonly v: 1;
  readonly tenant: string;
  readonly integration: string;
  readonly client: string;
  /** Vault id of the client secret this change stores. */
  readonly secret: string;
  /** JWE of `{ client_secret }`. */
  readonly sealed: string;
  /** Origins of the new endpoints: the secret is sent to no other. */
  readonly audience: readonly string[];
  readonly from: IntegrationSettings;
  /** The secret that goes with `from`: one that is another by now is not overwritten. */
  readonly base?: IntegrationBase;
  readonly to: IntegrationSettings;
  /** What the caller named, for the event. */
  readonly members: readonly string[];
};

export type ChangeIntegrationResult = {
  readonly v: 1;
  readonly integration: string;
  /** As of a save; a pasted refresh token is not spent for a proof. */
  readonly proven: SaveResult['proven'] | 'not_until_refresh';
  /** Connections whose grant belongs to the client id or the origin before. */
  readonly outdated: number;
};

// ── OAuth clients ─────────────────────────────────────────────────────────────────────────────────────────────────

/** A published OAuth client as somebody saw it: each change of it has another secret, each move of an endpoint a date. */
export interface OAuthClientBase {
  readonly secretId: string | null;
  readonly suspendedAt: string | null;
}

export type SaveOAuthClientInput = Origin & {
  readonly v: 1;
  readonly tenant: string;
  readonly client: string;
  readonly component: string;
  /** The client id the provider knows. */
  readonly clientId: string;
  /** Vault id of the client secret this save stores. */
  readonly secret: string;
  /** JWE of `{ client_secret }`. */
  readonly sealed: string;
  /** Origins of the component's endpoints: the secret is sent to no other. */
  readonly audience: readonly string[];
  /** Out of env vars of a component without useOAuthClient. */
  readonly legacy: boolean;
  /** A published client changes; else one is made. */
  readonly update: boolean;
  /** What an If-Match was judged on: a client that is another one by now is not overwritten. */
  readonly base?: OAuthClientBase;
};

export type RetireOAuthClientInput = Origin & {
  readonly v: 1;
  readonly tenant: string;
  readonly client: string;
  /** Destroy its secrets afterwards; else its component is gone and the client stays. */
  readonly remove: boolean;
  readonly tuning?: Tuning;
};

// ── deleted integrations ──────────────────────────────────────────────────────────────────────────────────────────

export type RetireIntegrationInput = Origin & {
  readonly v: 1;
  readonly tenant: string;
  readonly integration: string;
  readonly tuning?: Tuning;
};
