/**
 * The tables as Kysely sees them; `migrations/` makes them, and a test compares the two. Times are `timestamptz` in SQL
 * and ISO 8601 strings in code.
 */
import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { ConsentMode, Environment, IntegrationSettings } from '../connection/messages';
import type { ConnectionState, Evidence, Fact, Recovery } from '../connection/types';
import type { ErrorCode } from '../errors';
import type { PresetInput } from '../providers/preset';
import type { ComponentAccess, EffectKind, ManifestFacts } from './contract-platform';

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
  kind: Generated<'user' | 'service_account'>;
  created_at: Generated<string>;
  removed_at: string | null;
}

export interface ApiKeysTable {
  prefix: string;
  tenant: string;
  principal: string;
  hash: string;
  /** Scopes: what may be done with the key, of what its principal may do. */
  permissions: readonly string[];
  label: Generated<string>;
  created_at: Generated<string>;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
}

export interface RoleGrantsTable {
  /** Where the right holds; NULL = in every tenant. */
  tenant: string | null;
  id: string;
  /** Where the principal is at home. */
  principal_tenant: string;
  principal: string;
  /** Either a role or a single permission. */
  role: string | null;
  permission: string | null;
  granted_by: string;
  granted_at: Generated<string>;
}

export interface ComponentsTable {
  /** Unique over all tenants: a global component is named by it everywhere. */
  id: string;
  /** Whose it is. */
  tenant: string;
  title: string;
  access: ComponentAccess;
  team: string | null;
  /** The current one. */
  version: number;
  /** Values of legacy env vars; never the secret ones. */
  env: ColumnType<Readonly<Record<string, string>>, string | undefined, string>;
  created_at: Generated<string>;
  removed_at: string | null;
}

export interface ComponentVersionsTable {
  tenant: string;
  component: string;
  version: number;
  /** component.json as it was sent. */
  file: string;
  manifest: Json<ManifestFacts>;
  created_by: string;
  created_at: Generated<string>;
}

export interface OAuthClientsTable {
  tenant: string;
  id: string;
  client_id: string;
  label: string;
  secret_id: string | null;
  paused_until: string | null;
  paused_code: ErrorCode | null;
  /** Made through `/oauth-clients` for it; NULL = made by the save of an integration. Kept when the component goes. */
  component: string | null;
  /** Out of env vars of a component without useOAuthClient. */
  legacy: Generated<boolean>;
  /** `reserved` holds the place and is seen by nobody; `deleted` is kept for the rows that name it. */
  status: Generated<'reserved' | 'published' | 'deleting' | 'deleted'>;
  /** The component's endpoints moved to another origin: nobody here has confirmed that yet. */
  suspended_at: string | null;
  created_at: Generated<string>;
  updated_at: Generated<string>;
}

/** Which secrets of a client the vault holds; never their values. */
export interface ClientSecretsTable {
  tenant: string;
  client: string;
  id: string;
  /** First 8 hex digits of an HMAC: tells which one is stored. Null before it is published: it may be stored. */
  fingerprint: string | null;
  set_at: Generated<string>;
  /** Replaced since; destroyed once nobody can be using it any more. */
  retired_at: string | null;
}

export interface IntegrationsTable {
  tenant: string;
  id: string;
  oauth_client_id: string;
  settings: Json<IntegrationSettings>;
  /** Its endpoints and OAuth client are this component's. */
  component: string | null;
  /** `deleted` is kept for the connections that name it. */
  status: Generated<'published' | 'deleting' | 'deleted'>;
  created_at: Generated<string>;
}

/** A tenant's own rows of the catalogue; the shipped ones are code. */
export interface ProvidersTable {
  tenant: string;
  id: string;
  base: string | null;
  preset: Json<PresetInput>;
  created_at: Generated<string>;
  updated_at: Generated<string>;
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
  /** Who answers for it: a principal's e-mail address. */
  owner: string | null;
  /** Marketplace region of the account, and what the account is there. */
  region: string | null;
  account_role: string | null;
  /** As the integration's settings say: lists are filtered by them. */
  preset: string;
  environment: Environment;
  customer_reference: string | null;
  created_at: Generated<string>;
}

export interface FlowsTable {
  tenant: string;
  id: string;
  name: string;
  status: 'draft' | 'running' | 'stopped';
  /** When it runs, as its author wrote it; shown, not obeyed. */
  schedule: string | null;
  /** The current one. */
  version: number;
  created_at: Generated<string>;
  updated_at: Generated<string>;
}

export interface FlowVersionsTable {
  tenant: string;
  flow: string;
  version: number;
  created_by: string;
  created_at: Generated<string>;
}

export interface FlowComponentsTable {
  tenant: string;
  flow: string;
  version: number;
  component: string;
}

export interface FlowConnectionsTable {
  tenant: string;
  flow: string;
  version: number;
  connection: string;
}

/** Effects owed: written in the transaction of their cause, removed once they have happened. */
export interface OutboxTable {
  tenant: string;
  position: GeneratedAlways<string>;
  kind: EffectKind;
  /** Id of what the effect is on. */
  subject: string;
  facts: NullableJson<Readonly<Record<string, Fact>>>;
  by: string;
  trace_id: string;
  created_at: Generated<string>;
  attempts: Generated<number>;
  due_at: Generated<string>;
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
  /** When the last of them began. */
  last_attempt_at: string | null;
  completed_at: string | null;
  /** The consent that used it up. */
  completed_by: string | null;
  return_to: string | null;
  mode: Generated<ConsentMode>;
  /** Who may confirm, in every mode but `link`. */
  confirmer_hash: string | null;
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

export interface IdempotencyKeysTable {
  tenant: string;
  /** E-mail of the principal: a key outlives the change of an API key. */
  principal: string;
  path: string;
  key: string;
  /** HMAC of the body without its secrets. */
  body_hash: string;
  /** Null while the first request is under way. */
  status: number | null;
  location: string | null;
  created_at: Generated<string>;
}

export interface Tables {
  tenants: TenantsTable;
  principals: PrincipalsTable;
  api_keys: ApiKeysTable;
  role_grants: RoleGrantsTable;
  components: ComponentsTable;
  component_versions: ComponentVersionsTable;
  oauth_clients: OAuthClientsTable;
  client_secrets: ClientSecretsTable;
  integrations: IntegrationsTable;
  providers: ProvidersTable;
  connections: ConnectionsTable;
  consent_links: ConsentLinksTable;
  waiters: WaitersTable;
  connection_events: ConnectionEventsTable;
  grant_fingerprints: GrantFingerprintsTable;
  envelope_keys: EnvelopeKeysTable;
  flows: FlowsTable;
  flow_versions: FlowVersionsTable;
  flow_components: FlowComponentsTable;
  flow_connections: FlowConnectionsTable;
  outbox: OutboxTable;
  idempotency_keys: IdempotencyKeysTable;
}
