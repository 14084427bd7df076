/**
 * The tables as Kysely sees them; `migrations/` makes them, and a test compares the two. Times are `timestamptz` in SQL
 * and ISO 8601 strings in code.
 */
import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { IntegrationSettings } from '../connection/messages';
import type { ConnectionState, Evidence, Fact, Recovery } from '../connection/types';
import type { ErrorCode } from '../errors';

/** Written as JSON text: the driver would send an array as a PostgreSQL array. */
type Json<T> = ColumnType<T, string, string>;
type NullableJson<T> = ColumnType<T | null, string | null, string | null>;

export interface TenantsTable {
  id: string;
  name: string;
  created_at: Generated<string>;
}

export interface PrincipalsTable {
  tenant: string;
  id: string;
  email: string;
  created_at: Generated<string>;
}

export interface ApiKeysTable {
  prefix: string;
  tenant: string;
  principal: string;
  hash: string;
  permissions: readonly string[];
  created_at: Generated<string>;
  revoked_at: string | null;
}

export interface OAuthClientsTable {
  tenant: string;
  id: string;
  client_id: string;
  label: string;
  secret_id: string | null;
  paused_until: string | null;
  paused_code: ErrorCode | null;
  created_at: Generated<string>;
}

export interface IntegrationsTable {
  tenant: string;
  id: string;
  oauth_client_id: string;
  settings: Json<IntegrationSettings>;
  created_at: Generated<string>;
}

export interface ConnectionsTable {
  tenant: string;
  id: string;
  integration_id: string;
  grant_id: string | null;
  /** The grant of record before this one: so that repeating an adoption gives the same answer. */
  previous_grant_id: string | null;
  generation: number;
  issued_at: string | null;
  expires_at: string | null;
  lifetime_seconds: number | null;
  scope: string;
  refreshable: boolean;
  state: ConnectionState;
  recovery: Recovery | null;
  reason: ErrorCode | null;
  since: Generated<string>;
  state_version: number;
  evidence: NullableJson<Evidence>;
  next_attempt_at: string | null;
  frozen_at: string | null;
  /** A revocation was begun and is not finished; a frozen row without it is done with. */
  revoking_since: string | null;
  /** Since a restore: its refresh token may be spent already, and is not sent. */
  quarantined_at: string | null;
  usable: boolean;
  account_id: string | null;
  account_label: string | null;
  granted_at: string | null;
  refreshed_at: string | null;
  consent_deadline: string | null;
  created_at: Generated<string>;
}

export interface ConsentLinksTable {
  tenant: string;
  id: string;
  connection: string;
  token_hash: string;
  created_by: string;
  created_at: Generated<string>;
  expires_at: string;
  attempts: Generated<number>;
  completed_at: string | null;
  return_to: string | null;
}

export interface WaitersTable {
  tenant: string;
  connection: string;
  workflow: string;
  activity: string;
  task_token: Buffer;
  created_at: Generated<string>;
}

export interface ConnectionEventsTable {
  tenant: string;
  id: string;
  /** Order of the log. */
  position: GeneratedAlways<string>;
  /** No foreign key: events outlive their connection. */
  connection: string | null;
  type: string;
  by: string;
  trace_id: string;
  facts: NullableJson<Readonly<Record<string, Fact>>>;
  at: Generated<string>;
}

export interface GrantFingerprintsTable {
  tenant: string;
  fingerprint: string;
  /** No foreign key: reserved before the connection is registered. */
  connection: string;
  created_at: Generated<string>;
}

export interface EnvelopeKeysTable {
  kid: string;
  public_jwk: Json<Readonly<Record<string, unknown>>>;
  created_at: Generated<string>;
  destroyed_at: string | null;
}

export interface Tables {
  tenants: TenantsTable;
  principals: PrincipalsTable;
  api_keys: ApiKeysTable;
  oauth_clients: OAuthClientsTable;
  integrations: IntegrationsTable;
  connections: ConnectionsTable;
  consent_links: ConsentLinksTable;
  waiters: WaitersTable;
  connection_events: ConnectionEventsTable;
  grant_fingerprints: GrantFingerprintsTable;
  envelope_keys: EnvelopeKeysTable;
}
