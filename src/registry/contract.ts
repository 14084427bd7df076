/**
 * The registry as the rest of the code sees it: configuration (the registry is first), the pointer of record
 * (`connections.grant_id`) and projections (which only ever follow). No secret column. Every method takes the tenant.
 *
 * Every method fails with REGISTRY_UNAVAILABLE when the database does not answer in time; no driver error leaves.
 */
import type {
  AboutConnection,
  ConsentMode,
  Environment,
  IntegrationBase,
  IntegrationSettings,
} from '../connection/messages';
import type { ConnectionRef, ConnectionState, Evidence, Recovery, TokenFacts, Who } from '../connection/types';
import type { ErrorCode } from '../errors';
import type { ApiKeys, Events, Principals, RoleGrants, Tenants } from './contract-access';
import type { NewEvent, OAuthClientRow, Page, UnfinishedDeletions } from './contract-common';
import type { Components, Flows, FlowUse, OAuthClients, Outbox } from './contract-platform';
import type { ProviderRow, Providers } from './contract-providers';

export type { EventRow, NewEvent, OAuthClientRow, Page, TenantAndId } from './contract-common';

export interface IntegrationRow {
  readonly tenant: string;
  readonly id: string;
  readonly oauthClientId: string;
  /** As they hold now: client id and, for a component, its endpoints are read where they belong, not copied. */
  readonly settings: IntegrationSettings;
  /** Its endpoints and OAuth client are this component's. */
  readonly component: string | null;
  readonly createdAt: string;
}

/** As it is read by itself: its client's secret tells one rotation from the next. */
export interface IntegrationAndSecret extends IntegrationRow {
  /** Vault id of the current secret of its OAuth client. */
  readonly secretId: string | null;
  /** Of its own client; null without a secret, and where the client is a component's. */
  readonly secretSetAt: string | null;
}

export interface ConnectionRow {
  readonly tenant: string;
  readonly id: string;
  readonly integrationId: string;
  /** The pointer of record: which grant in the vault is this connection's. */
  readonly grantId: string | null;
  /** The one before it, which is let go. */
  readonly previousGrantId: string | null;
  readonly generation: number;
  readonly issuedAt: string | null;
  readonly expiresAt: string | null;
  readonly lifetimeSeconds: number | null;
  readonly scope: string;
  readonly refreshable: boolean;
  readonly state: ConnectionState;
  readonly recovery: Recovery | null;
  readonly reason: ErrorCode | null;
  readonly since: string;
  readonly stateVersion: number;
  readonly evidence: Evidence | null;
  readonly nextAttemptAt: string | null;
  readonly frozenAt: string | null;
  /** A revocation was begun and is not finished: asked of the provider, destroyed in the vault. */
  readonly revokingSince: string | null;
  /** The vault was restored since the last refresh: nothing is sent until it is released. */
  readonly quarantinedAt: string | null;
  /** Whether the grant may be asked for new access at all (false in `reauth_required` and when frozen). */
  readonly usable: boolean;
  readonly accountId: string | null;
  readonly accountLabel: string | null;
  readonly grantedAt: string | null;
  readonly refreshedAt: string | null;
  /** The first consent must arrive by then, else what the save made is removed. */
  readonly consentDeadline: string | null;
  /** Who answers for it: a principal's e-mail address; null for a machine's. */
  readonly owner: string | null;
  /** Marketplace region of the account, and what the account is there. */
  readonly region: string | null;
  readonly accountRole: string | null;
  readonly createdAt: string;
}

/** What is absent filters nothing. */
export interface ConnectionFilter {
  readonly state?: ConnectionState;
  /** Who must act. */
  readonly who?: Who;
  readonly preset?: string;
  readonly environment?: Environment;
  /** ISO 8601: access that ends before then. */
  readonly expiresBefore?: string;
  readonly owner?: string;
  /** Id or label of the account at the provider. */
  readonly account?: string;
  readonly customerReference?: string;
  readonly integration?: string;
}

/** What is absent stays; null takes it away. */
export interface ConnectionChanges {
  readonly region?: string | null;
  readonly accountRole?: string | null;
}

/** A connection with all that its refresh needs. */
export interface ConnectionContext {
  readonly connection: ConnectionRow;
  readonly integration: IntegrationRow;
  readonly client: OAuthClientRow;
  /**
   * Why nothing may be sent or served through it, whatever its state: its integration, its client or its component is gone,
   * or its client is suspended.
   */
  readonly unusable?: 'integration_gone' | 'client_gone' | 'component_gone' | 'client_suspended';
  /** The tenant's own provider that the settings name as their preset; absent for a shipped preset. */
  readonly provider?: ProviderRow;
}

/** With what orders them. */
export interface OverdueConnection extends ConnectionRef {
  readonly expiresAt: string | null;
}

export interface Projection {
  readonly stateVersion: number;
  readonly state: ConnectionState;
  readonly recovery?: Recovery;
  readonly reason?: ErrorCode;
  readonly since: string;
  readonly evidence?: Evidence;
  readonly nextAttemptAt: string | null;
  readonly usable: boolean;
  readonly event?: NewEvent;
}

export interface ConsentLinkRow {
  readonly tenant: string;
  readonly id: string;
  readonly connection: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly attempts: number;
  readonly completedAt: string | null;
  readonly returnTo: string | null;
  readonly mode: ConsentMode;
  /** Who may confirm, in every mode but `link`. */
  readonly confirmerHash: string | null;
}

export interface Registration {
  readonly tenant: string;
  readonly integration: string;
  readonly connection: string;
  readonly client: { readonly id: string; readonly label: string; readonly secretId: string | null };
  /** Through the OAuth client the tenant has for this component; the client is then there already. */
  readonly component?: string;
  readonly settings: IntegrationSettings;
  readonly grant: string | null;
  readonly token?: TokenFacts;
  readonly account?: { readonly id: string; readonly label: string };
  readonly state: ConnectionState;
  readonly grantedAt?: string;
  readonly nextAttemptAt: string | null;
  readonly consentDeadline?: string;
  readonly fingerprint?: string;
  readonly about?: AboutConnection;
  readonly event: NewEvent;
}

export interface IntegrationChange {
  readonly from: IntegrationSettings;
  /** The secret that the change was judged on; absent in one that a workflow of an earlier version makes. */
  readonly base?: IntegrationBase;
  readonly to: IntegrationSettings;
  /** The one the vault holds from now on; the one before is retired. */
  readonly secret?: { readonly id: string; readonly fingerprint: string };
  readonly event: NewEvent;
}

/** A request that names an Idempotency-Key. */
export interface IdempotentRequest {
  readonly tenant: string;
  readonly principal: string;
  readonly path: string;
  readonly key: string;
  /** HMAC of the body without its secrets. */
  readonly bodyHash: string;
}

/** What an earlier request under the same key left. */
export interface ClaimedBefore {
  readonly bodyHash: string;
  /** Null while it is under way. */
  readonly status: number | null;
  readonly location: string | null;
  readonly claimedAt: string;
}

export interface Registry {
  readonly tenants: Tenants;
  readonly principals: Principals;
  readonly apiKeys: ApiKeys;
  readonly roleGrants: RoleGrants;

  readonly oauthClients: OAuthClients;

  readonly outbox: Outbox;

  readonly components: Components;
  readonly flows: Flows;

  readonly integrations: {
    get(tenant: string, id: string): Promise<IntegrationAndSecret | undefined>;
    list(
      tenant: string,
      page: Page,
      filter?: { customerReference?: string; preset?: string },
    ): Promise<readonly IntegrationAndSecret[]>;
    /**
     * All rows and the event in one transaction. Repeating it is harmless.
     * @throws ALREADY_EXISTS for other content under the id, OAUTH_CLIENT_UNUSABLE when the tenant's own provider is gone
     */
    register(registration: Registration): Promise<void>;
    /**
     * Put settings in the place of others, with the client id and, where one is given, the secret of its own OAuth client;
     * the integration's connections are to be woken (outbox). With a secret, repeating it is harmless, also when the
     * integration is being deleted by then.
     * @returns how many connections hold a grant of the client id or token origin before; undefined when the settings are
     *   not `from`, or the secret is not the one of `base`, any more: nothing was changed; @throws NOT_FOUND
     */
    change(tenant: string, id: string, change: IntegrationChange): Promise<{ readonly outdated: number } | undefined>;
    /**
     * Undo a save: remove the integration, its connections, links and (when nothing else uses it) its client. Twice is
     * fine; one that is being deleted is left alone.
     * @param destroyed ids of the client's secrets that were destroyed; absent = it does not matter
     * @returns false when the client has another one by now: nothing was removed, or nobody would find that one again
     */
    remove(tenant: string, id: string, event: NewEvent, destroyed?: readonly string[]): Promise<boolean>;
    /** Whether an integration has the id, or had it: one that was deleted keeps it. */
    isTaken(tenant: string, id: string): Promise<boolean>;
    /** Flows of the tenant, in any status, draft or version, that include one of its connections. */
    use(tenant: string, id: string): Promise<FlowUse>;
    /**
     * Begin to delete: locked, judged, from now on invisible to people, no flow can include its connections; they are
     * frozen (disconnected, INTEGRATION_DELETED) and stay readable, and the effect `integration.remove` is owed.
     * @throws NOT_FOUND; IN_USE when a flow includes one of its connections
     */
    markDeleting(tenant: string, id: string, event: NewEvent): Promise<void>;
    /**
     * Freeze every connection of it. Twice is fine.
     * @returns connections whose revocation is not finished, `limit` at most
     */
    disconnect(tenant: string, id: string, event: NewEvent, limit: number): Promise<readonly string[]>;
    /** Secrets the vault may hold for the client that goes with it; none where that stays. */
    ownSecrets(tenant: string, id: string): Promise<readonly { readonly client: string; readonly id: string }[]>;
    /** After those were destroyed: its row stays for the connections that name it. */
    recordDeleted(tenant: string, id: string, event: NewEvent): Promise<void>;
    readonly unfinishedDeletions: UnfinishedDeletions;
  };

  readonly providers: Providers;

  readonly connections: {
    get(ref: ConnectionRef): Promise<ConnectionRow | undefined>;
    list(tenant: string, page: Page, filter?: ConnectionFilter): Promise<readonly ConnectionRow[]>;
    context(ref: ConnectionRef): Promise<ConnectionContext | undefined>;
    /** The same for a page of the tenant; one that was removed meanwhile is left out. */
    contexts(tenant: string, rows: readonly ConnectionRow[]): Promise<readonly ConnectionContext[]>;
    /**
     * The event tells what was before and after; there is none when nothing changes.
     * @throws NOT_FOUND; PRECONDITION_FAILED when it is not as `base` says
     */
    change(ref: ConnectionRef, changes: ConnectionChanges, event: NewEvent, base?: ConnectionRow): Promise<void>;
    /**
     * Write a state, forward only: a version not above the row's changes nothing.
     * @returns the row's version after the call, whether this write was applied, and whether the row is frozen
     */
    recordTransition(
      ref: ConnectionRef,
      projection: Projection,
    ): Promise<{ stateVersion: number; applied: boolean; frozen: boolean }>;
    /** Token facts, forward only by generation, only for the grant of record. */
    recordToken(
      ref: ConnectionRef,
      token: TokenFacts,
      refreshedAt: string,
      nextAttemptAt: string | null,
    ): Promise<void>;
    /**
     * Make a grant the grant of record. Repeating it is harmless.
     * @returns the grant that was of record before, when it was another
     * @throws REVOKED_HERE when the row is frozen and the adoption may not thaw it; INTEGRATION_DELETED; WRONG_ACCOUNT;
     *   NOT_FOUND
     */
    adoptGrant(
      ref: ConnectionRef,
      adoption: {
        readonly token: TokenFacts;
        readonly account?: { readonly id: string; readonly label: string };
        readonly grantedAt: string;
        /** Consented to after the freeze, which it ends. */
        readonly thaw: boolean;
        readonly event: NewEvent;
      },
    ): Promise<{ previousGrant: string | null }>;
    /** Stop readers at once, whatever the state version. Repeating it keeps the first date. @returns that date */
    freeze(ref: ConnectionRef, event: NewEvent): Promise<string>;
    /**
     * The revocation of this grant is finished. Repeating it is harmless. A row that names another grant is left alone;
     * one that still names it and was thawed (by an adoption that a revocation overtook) is frozen again.
     */
    recordRevoked(ref: ConnectionRef, event: NewEvent, grant: string | null): Promise<void>;
    /** No refresh until it is released, or consent is renewed. @returns false when it was quarantined already */
    quarantine(ref: ConnectionRef, event: NewEvent): Promise<boolean>;
    /** @returns false when it was not quarantined */
    release(ref: ConnectionRef, event: NewEvent): Promise<boolean>;
    /**
     * What somebody should have been at before the date: the next action of a connection that is not frozen, a revocation
     * that is not finished. Oldest expiry first. Over all tenants given (undefined = all).
     * @param after the last one of the page before
     */
    overdue(
      before: string,
      limit: number,
      tenants?: readonly string[],
      after?: OverdueConnection,
    ): Promise<readonly OverdueConnection[]>;
  };

  readonly consentLinks: {
    create(link: {
      tenant: string;
      id: string;
      connection: string;
      tokenHash: string;
      createdBy: string;
      expiresAt: string;
      returnTo?: string;
      mode?: ConsentMode;
      confirmerHash?: string;
    }): Promise<void>;
    findByHash(tokenHash: string): Promise<ConsentLinkRow | undefined>;
    /** Count one attempt. @returns false when the link is used up, expired or out of attempts (10) */
    startAttempt(tenant: string, id: string): Promise<boolean>;
    /**
     * When the last attempt at a consent began, over all links of an integration's connections or of those through an OAuth
     * client. @returns ISO 8601; undefined when there was none
     */
    lastAttempt(
      tenant: string,
      of: { readonly integration: string } | { readonly client: string },
    ): Promise<string | undefined>;
    /** Use the link up, for one consent. Repeating it is harmless. @returns false when another consent had used it up */
    complete(tenant: string, id: string, consent: string): Promise<boolean>;
  };

  readonly waiters: {
    /** Upsert by (workflow, activity): the old task token is replaced. */
    park(waiter: ConnectionRef & { workflow: string; activity: string; taskToken: Uint8Array }): Promise<void>;
    list(ref: ConnectionRef): Promise<readonly { workflow: string; activity: string; taskToken: Uint8Array }[]>;
    /** Remove one, unless its task token was replaced meanwhile. */
    remove(waiter: ConnectionRef & { workflow: string; activity: string; taskToken: Uint8Array }): Promise<void>;
  };

  readonly events: Events;

  readonly fingerprints: {
    /** Reserve an HMAC of a pasted refresh token for one connection. @throws ALREADY_EXISTS when another one has it */
    reserve(tenant: string, fingerprint: string, connection: string): Promise<void>;
    release(tenant: string, connection: string): Promise<void>;
  };

  readonly envelopeKeys: {
    /** Public parts, newest first, destroyed ones left out. */
    list(): Promise<readonly { kid: string; publicJwk: Readonly<Record<string, unknown>>; createdAt: string }[]>;
    insert(kid: string, publicJwk: Readonly<Record<string, unknown>>): Promise<void>;
    markDestroyed(kid: string): Promise<void>;
    /** Ids of keys that no vault may hold any more. */
    destroyed(): Promise<readonly string[]>;
  };

  readonly idempotency: {
    /** Claim a key for 24 hours. @returns undefined when it is claimed, else what the earlier request left */
    claim(request: IdempotentRequest): Promise<ClaimedBefore | undefined>;
    complete(request: IdempotentRequest, answer: { status: number; location: string | null }): Promise<void>;
    /** Nothing was done: the key is free again. One that is completed is kept. */
    release(request: IdempotentRequest): Promise<void>;
  };

  /** @returns the database's clock, ISO 8601; @throws REGISTRY_UNAVAILABLE */
  ping(): Promise<string>;
  close(): Promise<void>;
}
