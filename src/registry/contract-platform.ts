/**
 * The registry's part of a multi-tenant installation: components, the flows that include them, OAuth clients that belong
 * to a component, and effects owed. As in `contract.ts`: no secret column, every method takes the tenant, a database that
 * does not answer is REGISTRY_UNAVAILABLE.
 */
import type { OAuthClientBase } from '../connection/messages';
import type { Fact } from '../connection/types';
import type { NewEvent, OAuthClientRow, Page, UnfinishedDeletions } from './contract-common';

// ── components ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Who may use it: the tenant that has it (`team` says whose it is there), or every tenant that has an OAuth client for it. */
export type ComponentAccess = 'tenant' | 'team' | 'global';

/** What component.json says, as far as durable-oauth uses it (src/components/manifest.ts). */
export interface ManifestFacts {
  readonly title?: string;
  readonly description?: string;
  readonly version?: string;
  readonly useOAuthClient: boolean;
  readonly legacyOAuth: boolean;
  /** Tokens are read at `cfg.<field>.access_token`. */
  readonly oauthField?: string;
  readonly oauth2?: {
    /** Both may hold `{{VARIABLE}}`s. */
    readonly authUri: string;
    readonly tokenUri: string;
    /** As written: empty, a `{{VARIABLE}}`, or a literal client id. */
    readonly clientId: string;
    readonly clientSecret: string;
    readonly scopes: readonly string[];
    readonly clientAuth: 'client_secret_basic' | 'client_secret_post';
    readonly authorizationParams: Readonly<Record<string, string>>;
    readonly clientIdVariable?: string;
    readonly clientSecretVariable?: string;
  };
  readonly envVars: Readonly<Record<string, { readonly required: boolean; readonly description?: string }>>;
  readonly functions: readonly { readonly key: string; readonly kind: 'trigger' | 'action'; readonly title?: string }[];
}

/** A component as one tenant sees it. */
export interface ComponentRow {
  /** Whose it is. */
  readonly tenant: string;
  readonly id: string;
  readonly title: string;
  readonly access: ComponentAccess;
  readonly team: string | null;
  readonly version: number;
  readonly manifest: ManifestFacts;
  /** Values of legacy env vars; never the secret ones. */
  readonly env: Readonly<Record<string, string>>;
  readonly createdAt: string;
  /** The published OAuth client that the tenant who looks has for it. */
  readonly client: ClientForComponent | null;
}

export interface ClientForComponent {
  readonly id: string;
  readonly clientId: string;
  /** Out of env vars of a component without useOAuthClient. */
  readonly legacy: boolean;
  readonly suspendedAt: string | null;
  readonly secretSetAt: string | null;
  readonly secretFingerprint: string | null;
}

export interface ComponentVersionRow {
  readonly component: string;
  readonly version: number;
  readonly createdBy: string;
  readonly createdAt: string;
}

export interface Components {
  create(component: {
    tenant: string;
    id: string;
    access: ComponentAccess;
    team?: string;
    title: string;
    file: string;
    manifest: ManifestFacts;
    event: NewEvent;
  }): Promise<void>;
  /**
   * One that the tenant may have an OAuth client for: its own, or a global one, and not removed.
   * @returns undefined otherwise; a foreign private one looks like one that is not there
   */
  accessible(tenant: string, id: string): Promise<ComponentRow | undefined>;
  /** What the tenant can use: its own, and global ones; a foreign one that uses an OAuth client only with one of the tenant. */
  list(tenant: string, page: Page): Promise<readonly ComponentRow[]>;
  /** One of `list`. */
  get(tenant: string, id: string): Promise<ComponentRow | undefined>;
  /**
   * A new version of an own component. In the same transaction: when an endpoint has another origin than before, every
   * tenant's client for it is suspended, and its connections are to be told (effect `oauth_client.changed`).
   * @returns the new version number, and whether the origin changed
   * @throws NOT_FOUND; IN_USE as `setAccess`
   */
  addVersion(version: {
    tenant: string;
    id: string;
    title: string;
    file: string;
    manifest: ManifestFacts;
    event: NewEvent;
  }): Promise<{ version: number; originChanged: boolean }>;
  /** Of an own component, newest first; the page goes on after a version number. @throws NOT_FOUND */
  versions(tenant: string, id: string, page: Page): Promise<readonly ComponentVersionRow[]>;
  /** component.json of an own component as it was sent. @returns undefined for an unknown version; @throws NOT_FOUND */
  file(tenant: string, id: string, version: number): Promise<string | undefined>;
  /**
   * Tenants that cannot see it any more get the effect `oauth_client.disconnect` for their client, in the same transaction.
   * @throws NOT_FOUND; IN_USE when it would be global with OAuth credentials of its own tenant in env vars (002-38);
   *   PRECONDITION_FAILED when it is not as `base` says
   */
  setAccess(
    tenant: string,
    id: string,
    access: ComponentAccess,
    team: string | null,
    event: NewEvent,
    base?: ComponentRow,
  ): Promise<void>;
  /**
   * Set non-secret env vars, or unset them with null; others stay. They may be part of an endpoint: another origin
   * suspends as `addVersion` does. @returns whether it changed; @throws NOT_FOUND
   */
  setEnv(
    tenant: string,
    id: string,
    changes: Readonly<Record<string, string | null>>,
    event: NewEvent,
  ): Promise<{ originChanged: boolean }>;
  /**
   * Gone for everybody, at once; twice is fine. In the same transaction each tenant's client for it gets the effect
   * `oauth_client.disconnect`. Clients stay. @throws NOT_FOUND when it is not the tenant's
   */
  remove(tenant: string, id: string, event: NewEvent): Promise<void>;
}

// ── OAuth clients ─────────────────────────────────────────────────────────────────────────────────────────────────

/** An OAuth client made for a component, as it is shown. */
export interface ComponentClientRow extends OAuthClientRow {
  readonly component: string;
  /** The component was removed, or hidden from the tenant: the client is unusable, and can be deleted. */
  readonly componentGone: boolean;
  readonly legacy: boolean;
  readonly suspendedAt: string | null;
  readonly secretSetAt: string | null;
  readonly secretFingerprint: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What stands between a client and its deletion or its move to another component, or an integration and its deletion. */
export interface FlowUse {
  readonly flows: readonly { readonly id: string; readonly name: string }[];
}

/** A secret the vault may hold for a client. */
export interface ClientSecretRow {
  readonly tenant: string;
  readonly client: string;
  readonly id: string;
}

/** Named and never published: whoever was to publish it may be at work on it still. */
export interface UnpublishedSecretRow extends ClientSecretRow {
  /** Whose own client it is, and whose change named it; null = a save of a component's client did. */
  readonly integration: string | null;
}

export interface OAuthClients {
  get(tenant: string, id: string): Promise<OAuthClientRow | undefined>;
  /** Keep the later of the two dates. */
  pause(tenant: string, id: string, until: string, code: NonNullable<OAuthClientRow['pausedCode']>): Promise<void>;
  resume(tenant: string, id: string): Promise<void>;

  /** Published ones that were made for a component. */
  listForComponents(
    tenant: string,
    filter?: { component?: string; legacy?: boolean },
  ): Promise<readonly ComponentClientRow[]>;
  getForComponent(tenant: string, id: string): Promise<ComponentClientRow | undefined>;
  /**
   * Take the place of (tenant, component), seen by nobody, and name the secret that is to be stored for it. Repeating it
   * for the same id is harmless.
   * @throws ALREADY_EXISTS when another client has the place, NOT_FOUND when the component is not accessible any more,
   *   IN_USE when it is legacy and the component is global (002-38)
   */
  reserve(client: {
    tenant: string;
    id: string;
    component: string;
    clientId: string;
    secret: string;
    legacy: boolean;
  }): Promise<void>;
  /**
   * Name the secret that a change of a published client is about to store. Repeating it is harmless.
   * @throws NOT_FOUND; PRECONDITION_FAILED when the client is not as `base` says
   */
  prepareChange(change: { tenant: string; id: string; secret: string; base?: OAuthClientBase }): Promise<void>;
  /**
   * Name a secret that is about to be stored for a client that is reserved or published. Repeating it is harmless.
   * @throws NOT_FOUND
   */
  nameSecret(tenant: string, id: string, secret: string): Promise<void>;
  /**
   * Make the reserved client, or the changes of a published one, visible: all columns, the new secret current, the one
   * before retired, integrations of the component pointed at it, the effect `oauth_client.changed`, and the event, in one
   * transaction. Repeating it is harmless.
   * @throws NOT_FOUND when it was deleted meanwhile, ALREADY_EXISTS when the component has another client, IN_USE when it
   *   would leave a component that flows include, PRECONDITION_FAILED when it is not as `base` says
   */
  publish(client: {
    tenant: string;
    id: string;
    component: string;
    clientId: string;
    secret: { id: string; fingerprint: string };
    base?: OAuthClientBase;
    event: NewEvent;
  }): Promise<void>;
  /** Nothing will be published with the secret, which is destroyed: forget it, and give a reserved place back. Twice is fine. */
  abandon(tenant: string, id: string, secret: string): Promise<void>;
  /** Secrets named before the date and never published, over all tenants given (undefined = all). */
  unpublishedSecrets(
    before: string,
    limit: number,
    tenants?: readonly string[],
  ): Promise<readonly UnpublishedSecretRow[]>;
  /** Flows of the tenant, in any status, draft or version, that include its component; none once the component is gone. */
  use(tenant: string, id: string): Promise<FlowUse>;
  /**
   * Begin to delete: locked, judged, from now on invisible to people, no flow can include it; its connections are frozen,
   * and the effect `oauth_client.remove` is owed. @throws NOT_FOUND; IN_USE when a flow includes it
   */
  markDeleting(tenant: string, id: string, event: NewEvent): Promise<void>;
  /**
   * Freeze every connection through it: disconnected, OAUTH_CLIENT_UNUSABLE. Twice is fine.
   * @returns connections whose revocation is not finished, `limit` at most
   */
  disconnect(tenant: string, id: string, event: NewEvent, limit: number): Promise<readonly string[]>;
  /** Connections through it that an outcome of the client concerns: not frozen, and not well. */
  unwell(tenant: string, id: string, page: Page): Promise<readonly string[]>;
  /** Ids of all secrets the vault may hold for it. */
  secretIds(tenant: string, id: string): Promise<readonly string[]>;
  /** After its secrets were destroyed: the row stays for those that name it. */
  recordDeleted(tenant: string, id: string, event: NewEvent): Promise<void>;
  /** Of clients made for a component; an integration's own goes with it. */
  readonly unfinishedDeletions: UnfinishedDeletions;
  /** Secrets replaced before the date, over all tenants given (undefined = all). */
  retiredSecrets(before: string, limit: number, tenants?: readonly string[]): Promise<readonly ClientSecretRow[]>;
  /** A retired secret was destroyed. */
  forgetSecret(tenant: string, client: string, id: string): Promise<void>;
}

// ── flows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export type FlowStatus = 'draft' | 'running' | 'stopped';

export interface FlowRow {
  readonly tenant: string;
  readonly id: string;
  readonly name: string;
  readonly status: FlowStatus;
  readonly schedule: string | null;
  readonly version: number;
  /** Of the current version. */
  readonly components: readonly string[];
  readonly connections: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface FlowVersionRow {
  readonly flow: string;
  readonly version: number;
  readonly components: readonly string[];
  readonly connections: readonly string[];
  readonly createdBy: string;
  readonly createdAt: string;
}

export interface Flows {
  /**
   * Flow, first version and usage index in one transaction. Each component's client, and each connection's integration, is
   * locked first, so that it cannot be deleted meanwhile. @throws ALREADY_EXISTS; NOT_FOUND and OAUTH_CLIENT_MISSING (a component needs a client that the
   * tenant does not have), coordinates name the `component` or `connection`
   */
  create(flow: {
    tenant: string;
    id: string;
    name: string;
    status: FlowStatus;
    schedule?: string;
    components: readonly string[];
    connections: readonly string[];
    event: NewEvent;
  }): Promise<void>;
  get(tenant: string, id: string): Promise<FlowRow | undefined>;
  /** Filters by what the current version includes. */
  list(
    tenant: string,
    page: Page,
    filter?: { component?: string; connection?: string; status?: FlowStatus },
  ): Promise<readonly FlowRow[]>;
  /**
   * What is absent stays. Other components or connections make a new version.
   * @throws as `create`; PRECONDITION_FAILED when it is not as `base` says
   */
  change(
    tenant: string,
    id: string,
    changes: {
      name?: string;
      status?: FlowStatus;
      schedule?: string | null;
      components?: readonly string[];
      connections?: readonly string[];
    },
    event: NewEvent,
    base?: FlowRow,
  ): Promise<void>;
  /** Newest first; the page goes on after a version number. @throws NOT_FOUND */
  versions(tenant: string, id: string, page: Page): Promise<readonly FlowVersionRow[]>;
  /** The current one cannot be removed. @throws NOT_FOUND, IN_USE (current) */
  removeVersion(tenant: string, id: string, version: number, event: NewEvent): Promise<void>;
  /** With all its versions. @throws NOT_FOUND */
  remove(tenant: string, id: string, event: NewEvent): Promise<void>;
  /** Flows whose current version includes the connection. */
  dependingOn(tenant: string, connection: string): Promise<readonly FlowRow[]>;
}

// ── effects ───────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * - `connection.nudge`: subject = connection; look, something you depend on changed. Fact `refresh`: by a refresh, at once.
 * - `oauth_client.changed`: subject = client; nudge the connections it keeps from working.
 * - `oauth_client.disconnect`: subject = client; its component is gone: revoke what was granted through it.
 * - `oauth_client.remove`: subject = client; revoke what was granted through it, then destroy its secrets.
 * - `integration.remove`: subject = integration; revoke its connections, then destroy the secrets of its own client.
 */
export type EffectKind =
  | 'connection.nudge'
  | 'oauth_client.changed'
  | 'oauth_client.disconnect'
  | 'oauth_client.remove'
  | 'integration.remove';

export interface Effect {
  readonly tenant: string;
  readonly position: string;
  readonly kind: EffectKind;
  readonly subject: string;
  readonly facts: Readonly<Record<string, Fact>>;
  readonly by: string;
  readonly traceId: string;
  readonly auditReason?: string;
  readonly attempts: number;
}

export interface Outbox {
  /**
   * Take effects that are due, oldest first; nobody else gets them for `leaseMs`.
   * @param tenants undefined = all
   */
  take(limit: number, leaseMs: number, tenants?: readonly string[]): Promise<readonly Effect[]>;
  /** It has happened. */
  done(effect: Pick<Effect, 'tenant' | 'position'>): Promise<void>;
}
