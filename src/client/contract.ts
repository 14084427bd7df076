/** What a caller holds. Built by src/compose.ts; typed here so that routes, pages and the CLI need no implementation. */
import type {
  AboutConnection,
  ChangeIntegrationResult,
  ConsentReading,
  ConsentStage,
  EnsureFresh,
  FreshAnswer,
  HealthReading,
  IntegrationBase,
  IntegrationSettings,
  OAuthClientBase,
  Tombstone,
} from '../connection/messages';
import type { Lang } from '../connection/reasons';
import type { ConnectionRef } from '../connection/types';
import type { ErrorCode } from '../errors';
import type { Secret } from '../vault/secret';

/** The acting principal (an e-mail address, or `system`), the trace the call belongs to, and why it was made. */
export interface Caller {
  readonly by: string;
  readonly traceId: string;
  /** In a person's words. It stays in the log and in workflow histories, so it never holds a secret. */
  readonly auditReason?: string;
}

export interface SaveRequest {
  readonly tenant: string;
  /** Client-made or ours; the connection's id is made beside it. */
  readonly integration: string;
  readonly settings: IntegrationSettings;
  readonly about?: AboutConnection;
  readonly clientSecret?: Secret;
  readonly refreshToken?: Secret;
  /** Through the OAuth client the tenant has for this component; no client secret is given then. */
  readonly component?: { readonly id: string; readonly client: string };
  readonly lang: string;
}

export type SaveOutcome =
  | { readonly kind: 'saved'; readonly integration: string; readonly connection: string }
  /** Still running after 25 s: the row appears when it is done. */
  | { readonly kind: 'running' }
  | Failed;

export interface Failed {
  readonly kind: 'failed';
  readonly code: ErrorCode;
  readonly retryAfterSeconds?: number;
  readonly oauthError?: string;
}

/** A change of an integration that brings a new secret for its own OAuth client. */
export interface ChangeIntegrationRequest {
  readonly tenant: string;
  readonly integration: string;
  /** Id of the OAuth client in the registry. */
  readonly client: string;
  readonly clientSecret: Secret;
  /** Settings and secret as they were judged; a change that others made meanwhile is not overwritten. */
  readonly from: IntegrationSettings;
  readonly base: IntegrationBase;
  readonly to: IntegrationSettings;
  /** What the caller named, for the event. */
  readonly members: readonly string[];
}

export type ChangeOutcome =
  | ({ readonly kind: 'changed' } & Pick<ChangeIntegrationResult, 'proven' | 'outdated'>)
  /** Still running after 25 s. */
  | { readonly kind: 'running' }
  /** PRECONDITION_FAILED: somebody else changed it meanwhile. Nothing was stored or changed. */
  | Failed;

export interface Connections {
  /** Validate, store and register, and wait up to 25 s. @throws SAVE_IN_PROGRESS, TEMPORAL_UNAVAILABLE */
  save(request: SaveRequest, caller: Caller): Promise<SaveOutcome>;
  /** Begin a save after the delay and do not wait for it: Temporal keeps it. @throws SAVE_IN_PROGRESS, TEMPORAL_UNAVAILABLE */
  saveLater(request: SaveRequest, delayMs: number, caller: Caller): Promise<void>;
  /**
   * Revoke the connections of an integration that is being deleted, then destroy the secrets of its own client. One that
   * runs goes on. @returns whether it is done (waits up to `waitMs`); @throws TEMPORAL_UNAVAILABLE
   */
  retire(tenant: string, integration: string, caller: Caller, waitMs?: number): Promise<boolean>;
  /** The save workflow of an integration that has no row: running, failed, or undefined = there is none. */
  saveStatus(tenant: string, integration: string): Promise<SaveOutcome | undefined>;
  /**
   * Have the newest generation within about 3 s, or what there is. Starts the connection's workflow when it is lost.
   * Callers of one generation share one update, people one of their own. Never throws for provider trouble.
   * @throws TEMPORAL_UNAVAILABLE
   */
  ensureFresh(ref: ConnectionRef, ask: Pick<EnsureFresh, 'generation' | 'why'>, caller: Caller): Promise<FreshAnswer>;
  /** Freeze at once, revoke at the provider, destroy. @returns what has been done so far (waits up to 10 s) */
  revoke(ref: ConnectionRef, reason: string, caller: Caller): Promise<Tombstone>;
  /** @param refresh find out at once whether it can still be renewed, however well it is */
  nudge(ref: ConnectionRef, why: string, caller: Caller, refresh?: boolean): Promise<void>;
  /** From the workflow; from the registry row when Temporal or the run is gone. @throws NOT_FOUND */
  describe(ref: ConnectionRef, lang?: Lang): Promise<HealthReading>;
}

export interface SaveOAuthClientRequest {
  readonly tenant: string;
  readonly client: string;
  readonly component: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** Origins of the component's endpoints: the secret is sent to no other. */
  readonly audience: readonly string[];
  readonly legacy: boolean;
  /** A published client changes; else one is made. */
  readonly update: boolean;
  /** The change is refused, PRECONDITION_FAILED, when the client is another one by then. */
  readonly base?: OAuthClientBase;
}

/** OAuth clients of components and of integrations: what needs the vault is done by a workflow. */
export interface OAuthClients {
  /** Prove, store, publish with the settings, and wait up to 25 s. @throws SAVE_IN_PROGRESS, TEMPORAL_UNAVAILABLE */
  change(request: ChangeIntegrationRequest, caller: Caller): Promise<ChangeOutcome>;
  /** Reserve, store, publish, and wait up to 25 s. @throws SAVE_IN_PROGRESS, TEMPORAL_UNAVAILABLE */
  save(request: SaveOAuthClientRequest, caller: Caller): Promise<'saved' | 'running' | { readonly failed: ErrorCode }>;
  /**
   * Revoke what was granted through a client; with `remove` also destroy its secrets. One that runs goes on.
   * @returns whether it is done (waits up to `waitMs`)
   * @throws SAVE_IN_PROGRESS when the client is being changed at this moment; TEMPORAL_UNAVAILABLE
   */
  retire(tenant: string, client: string, remove: boolean, caller: Caller, waitMs?: number): Promise<boolean>;
}

/** A cookie as the response must set it. */
export interface SetCookie {
  readonly name: string;
  readonly value: string;
  readonly maxAgeSeconds: number;
  readonly secure: boolean;
}

export interface Consents {
  /**
   * Start one attempt for a link: state, verifier, nonce and browser secret are made, the consent workflow started.
   * @returns where the browser goes (303), with the cookie that binds the attempt to it
   * @throws NOT_FOUND (unknown, used, expired link), TEMPORAL_UNAVAILABLE
   */
  begin(linkToken: string, lang: string): Promise<{ location: string; cookie: SetCookie }>;
  /**
   * Deliver the provider's redirect. Never throws for what the browser sent: every junk answer is one neutral page.
   * @param url the request URL as received (path and query)
   * @param cookieHeader the request's Cookie header
   * @returns a 303 to the confirm page; nothing secret is in the URL
   */
  callback(url: string, cookieHeader: string | undefined): Promise<{ status: 303; location: string }>;
  /** @param attempt the eight characters of the confirm URL; @returns undefined when the cookie does not name it */
  describe(attempt: string, cookieHeader: string | undefined): Promise<ConsentView | undefined>;
  /** "Connect account X at App to tenant Y?" answered yes. Modes `session` and `handback` are not confirmed here. */
  confirm(attempt: string, cookieHeader: string | undefined, csrf: string): Promise<ConsentView | undefined>;
  /** @returns what a link of this connection keeps of who may confirm; @throws VAULT_UNAVAILABLE */
  confirmerHash(ref: ConnectionRef, confirmer: Confirmer): Promise<string>;
  /**
   * Modes `session` and `handback`: confirm for the application that knows who is signed in in that browser. A right code
   * from another confirmer ends the attempt: its grant is discarded, and the reading says so (`other_user`). Repeating a
   * confirmation tells its outcome again.
   * @throws MEMBER_MISSING, MEMBER_INVALID when the confirmer is one of the other mode: nothing was changed then
   * @returns `connected`, `handing_over` (still under way) or `failed`; undefined when no consent of this connection waits
   *   for this code: nothing was changed then
   * @throws TEMPORAL_UNAVAILABLE
   */
  confirmFor(confirmation: Confirmation, caller: Caller): Promise<ConsentReading | undefined>;
}

export interface Confirmation {
  readonly ref: ConnectionRef;
  readonly consent: string;
  readonly code: string;
  readonly confirmer: Confirmer;
}

/** Mode `session`: the principal that made the link. Mode `handback`: an end user of another application. */
export type Confirmer =
  { readonly principal: { readonly tenant: string; readonly id: string } } | { readonly endUserId: string };

export interface ConsentView {
  readonly reading: ConsentReading;
  readonly stage: ConsentStage;
  /** For the confirm form, derived from the browser secret. */
  readonly csrf: string;
  /**
   * Where a browser goes whose application is to confirm: `return_to` with `consent` and `confirmation_code`. Send it there by a
   * page: a redirect would be held to the provider's `form-action`.
   */
  readonly onward?: string;
}

export interface FreshToken {
  readonly accessToken: Secret;
  readonly tokenType: string;
  readonly expiresAt: string | null;
  readonly generation: number;
  readonly grant: string;
  /** Origins of the OAuth endpoints when it was granted; none other may see it but the API. */
  readonly audience: readonly string[];
  readonly apiBaseUrl: string;
  readonly preset: string;
}

export interface TokenReader {
  /**
   * The newest access token that lives longer than the floor (design 5, "Clocks and serving"). Every call counts one
   * check in `durable_oauth_token_checks_total`.
   * @param options.refused the generation the API answered 401 to
   * @param options.deadlineMs how long to wait for a refresh when the token is at its floor (default 10 s)
   * @throws NOT_FOUND, CONSENT_NEEDED, NOT_CONNECTED, TOKEN_NOT_FRESH, VAULT_UNAVAILABLE, REGISTRY_UNAVAILABLE
   */
  read(ref: ConnectionRef, options?: { refused?: number; deadlineMs?: number }): Promise<FreshToken>;
}
