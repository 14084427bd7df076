/**
 * The registry's part in who may do what: tenants, principals and their API keys, role grants, and the log that tells who
 * did it. As in `contract.ts`: every method takes the tenant, a write and its event are one transaction, a database that
 * does not answer is REGISTRY_UNAVAILABLE. What a role permits is decided above, in src/http/access/roles.ts.
 */
import type { EventRow, NewEvent, Page } from './contract-common';

// ── tenants ───────────────────────────────────────────────────────────────────────────────────────────────────────

export interface TenantRow {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}

export interface Tenants {
  /** @throws ALREADY_EXISTS */
  create(tenant: string, name: string, event?: NewEvent): Promise<void>;
  get(tenant: string): Promise<TenantRow | undefined>;
  /** @param among only these; undefined = all */
  list(among: readonly string[] | undefined, page: Page): Promise<readonly TenantRow[]>;
  /** All of them, in order: for tools that look at the whole installation. */
  ids(): Promise<readonly string[]>;
  /** @throws NOT_FOUND; PRECONDITION_FAILED when it is not as `base` says */
  rename(tenant: string, name: string, event: NewEvent, base?: TenantRow): Promise<void>;
}

// ── principals ────────────────────────────────────────────────────────────────────────────────────────────────────

export type PrincipalKind = 'user' | 'service_account';

/** Somebody or something with a name of its own. Its home tenant is where it is made, changed and removed. */
export interface PrincipalRow {
  readonly tenant: string;
  readonly id: string;
  readonly email: string;
  readonly kind: PrincipalKind;
  readonly createdAt: string;
}

export interface Principals {
  /** Create or keep; unique by (tenant, email). A removed one is there again, with no right and no key. */
  ensure(tenant: string, email: string): Promise<{ id: string; email: string }>;
  /** A removed one of that e-mail is there again under its old id. @throws ALREADY_EXISTS */
  create(principal: Omit<PrincipalRow, 'createdAt'>, event: NewEvent): Promise<PrincipalRow>;
  get(tenant: string, id: string): Promise<PrincipalRow | undefined>;
  list(tenant: string, page: Page): Promise<readonly PrincipalRow[]>;
  /**
   * @throws NOT_FOUND; ALREADY_EXISTS when another one has the e-mail; PRECONDITION_FAILED when it is not as `base` says
   */
  changeEmail(tenant: string, id: string, email: string, event: NewEvent, base?: PrincipalRow): Promise<void>;
  /**
   * Its keys are revoked and its grants removed in every tenant, each of which is told by the event.
   * @throws NOT_FOUND; IN_USE when nobody could administer the tenant afterwards
   */
  remove(tenant: string, id: string, event: NewEvent): Promise<void>;
}

// ── API keys ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface ApiKeyRow {
  readonly tenant: string;
  readonly principal: string;
  /** The public part of the key, and its id. */
  readonly prefix: string;
  readonly label: string;
  /** Permissions, or patterns of them: what may be done with the key, of what its principal may do. */
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  /** To the minute. */
  readonly lastUsedAt: string | null;
}

/** An API key as it is checked. */
export interface PresentedKey extends ApiKeyRow {
  readonly email: string;
  readonly hash: string;
  readonly revokedAt: string | null;
  /** Since when its principal is gone. */
  readonly removedAt: string | null;
}

export interface ApiKeys {
  /** @throws NOT_FOUND (principal), ALREADY_EXISTS (prefix) */
  create(
    key: {
      tenant: string;
      principal: string;
      prefix: string;
      /** Hex SHA-256 of the whole key. */
      hash: string;
      scopes: readonly string[];
      label?: string;
      expiresAt?: string;
    },
    event: NewEvent,
  ): Promise<ApiKeyRow>;
  /** By the key's public prefix; the caller compares the hash in constant time. */
  find(prefix: string): Promise<PresentedKey | undefined>;
  /** Those that are not revoked. */
  list(tenant: string, principal: string, page: Page): Promise<readonly (ApiKeyRow & { id: string })[]>;
  /** @throws NOT_FOUND, also when it is revoked already */
  revoke(tenant: string, principal: string, prefix: string, event: NewEvent): Promise<void>;
  /** It was used now; written at most once a minute. */
  recordUse(prefix: string): Promise<void>;
}

// ── role grants ───────────────────────────────────────────────────────────────────────────────────────────────────

export interface RoleGrantRow {
  readonly id: string;
  /** Where the right holds; null = in every tenant. */
  readonly tenant: string | null;
  /** Home of the principal. */
  readonly principalTenant: string;
  readonly principal: string;
  /** Either a role or a single permission. */
  readonly role: string | null;
  readonly permission: string | null;
  readonly grantedBy: string;
  readonly grantedAt: string;
}

export interface RoleGrants {
  /**
   * The event goes into the log of the tenant; for a right in every tenant, of the principal's home.
   * @throws NOT_FOUND (principal), ALREADY_EXISTS
   */
  create(grant: Omit<RoleGrantRow, 'grantedAt'>, event: NewEvent): Promise<RoleGrantRow>;
  /** All that one principal holds, in whatever tenant. */
  ofPrincipal(principalTenant: string, principal: string): Promise<readonly RoleGrantRow[]>;
  /** Rights given in the tenant; those that hold in every tenant are not among them. */
  list(tenant: string, page: Page): Promise<readonly RoleGrantRow[]>;
  /** Who holds what in the tenant, by e-mail address; what holds in every tenant is not among it. */
  holders(tenant: string): Promise<readonly { email: string; role: string | null; permission: string | null }[]>;
  /** @throws NOT_FOUND; IN_USE when nobody could administer the tenant afterwards */
  remove(tenant: string, id: string, event: NewEvent): Promise<void>;
}

// ── the log ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Append-only: the table itself refuses every change. */
export interface Events {
  /** @param id makes repeating it harmless; a new one where none is given */
  append(tenant: string, connection: string | null, event: NewEvent, id?: string): Promise<void>;
  /** In the order of the log, oldest first unless said otherwise: the last id of a page is where a reader goes on. */
  list(
    tenant: string,
    connection: string | undefined,
    page: Page,
    how?: { type?: string; newestFirst?: boolean },
  ): Promise<readonly EventRow[]>;
  get(tenant: string, id: string): Promise<EventRow | undefined>;
  /**
   * For those who follow the log: only what no transaction under way can still put something before. Nothing is ever
   * left out, and an event is late by as long as such a transaction takes (a minute at most).
   */
  settledAfter(tenant: string, after: string | undefined, limit: number): Promise<readonly EventRow[]>;
  /** The newest one that is settled: where a follower begins who wants what is new. */
  newestSettled(tenant: string): Promise<string | undefined>;
}
