/** What all parts of the registry's contract speak of. */
import type { Fact } from '../connection/types';
import type { ErrorCode } from '../errors';

export interface OAuthClientRow {
  readonly tenant: string;
  readonly id: string;
  readonly clientId: string;
  readonly label: string;
  /** Current secret's id in the vault ref `client/<tenant>/<client>/<secret>`; null = none is needed. */
  readonly secretId: string | null;
  /** No request under this client before then: the provider or a refused secret asked for it. ISO 8601. */
  readonly pausedUntil: string | null;
  readonly pausedCode: ErrorCode | null;
  /** Made for it through `/oauth-clients`; null = made by the save of an integration, and goes with it. */
  readonly component: string | null;
}

export interface NewEvent {
  /** noun.participle: connection.activated, token_set.refreshed, grant.lost … */
  readonly type: string;
  readonly by: string;
  readonly traceId: string;
  /** Why, in the words of who asked; kept as the fact `audit_reason`. */
  readonly auditReason?: string;
  readonly facts?: Readonly<Record<string, Fact>>;
}

export interface EventRow extends Omit<NewEvent, 'auditReason'> {
  readonly id: string;
  readonly connection: string | null;
  readonly at: string;
}

/** What has its id within its tenant only, in a page over all tenants. */
export interface TenantAndId {
  readonly tenant: string;
  readonly id: string;
}

/**
 * What was begun to be deleted and is not, its effect owed no more: the run is under way or lost. Over all tenants given
 * (undefined = all). @param after the last one of the page before
 */
export type UnfinishedDeletions = (
  limit: number,
  tenants?: readonly string[],
  after?: TenantAndId,
) => Promise<readonly TenantAndId[]>;

/** Cursor pages: `after` is the last id of the previous page. */
export interface Page {
  readonly size: number;
  readonly after?: string;
}
