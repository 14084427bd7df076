import { Client } from 'pg';
import type { Selectable } from 'kysely';
import { guardedTables } from '../../support/tenant-guard';
import type { Tables } from '../../../src/registry/schema';
import { testDatabase, type TestDatabase } from '../../support/database';

type Sql<T> = T extends string
  ? 'text' | 'timestamp with time zone' | 'bigint'
  : T extends number
    ? 'integer' | 'double precision'
    : T extends boolean
      ? 'boolean'
      : T extends Buffer
        ? 'bytea'
        : T extends readonly string[]
          ? 'ARRAY'
          : 'jsonb';
/** What SQL must say about a column so that its TypeScript type is true; checked by the compiler. */
type Spec<T> = null extends T ? `${Sql<NonNullable<T>>} null` : Sql<T>;
type Specs = {
  [T in keyof Tables]: { [C in keyof Tables[T]]-?: Spec<Selectable<Tables[T]>[C & keyof Selectable<Tables[T]>]> };
};

const time = 'timestamp with time zone';
const expected: Specs = {
  tenants: { id: 'text', name: 'text', created_at: time },
  principals: {
    tenant: 'text',
    id: 'text',
    email: 'text',
    kind: 'text',
    created_at: time,
    removed_at: `${time} null`,
  },
  api_keys: {
    prefix: 'text',
    tenant: 'text',
    principal: 'text',
    hash: 'text',
    permissions: 'ARRAY',
    label: 'text',
    created_at: time,
    expires_at: `${time} null`,
    last_used_at: `${time} null`,
    revoked_at: `${time} null`,
  },
  oauth_clients: {
    tenant: 'text',
    id: 'text',
    client_id: 'text',
    label: 'text',
    secret_id: 'text null',
    paused_until: `${time} null`,
    paused_code: 'text null',
    component: 'text null',
    legacy: 'boolean',
    status: 'text',
    suspended_at: `${time} null`,
    created_at: time,
    updated_at: time,
  },
  integrations: {
    tenant: 'text',
    id: 'text',
    oauth_client_id: 'text',
    settings: 'jsonb',
    component: 'text null',
    status: 'text',
    created_at: time,
  },
  providers: {
    tenant: 'text',
    id: 'text',
    base: 'text null',
    preset: 'jsonb',
    created_at: time,
    updated_at: time,
  },
  connections: {
    tenant: 'text',
    id: 'text',
    integration_id: 'text',
    grant_id: 'text null',
    previous_grant_id: 'text null',
    generation: 'integer',
    issued_at: `${time} null`,
    expires_at: `${time} null`,
    lifetime_seconds: 'double precision null',
    scope: 'text',
    refreshable: 'boolean',
    state: 'text',
    recovery: 'text null',
    reason: 'text null',
    since: time,
    state_version: 'integer',
    evidence: 'jsonb null',
    next_attempt_at: `${time} null`,
    frozen_at: `${time} null`,
    revoking_since: `${time} null`,
    quarantined_at: `${time} null`,
    usable: 'boolean',
    account_id: 'text null',
    account_label: 'text null',
    granted_at: `${time} null`,
    refreshed_at: `${time} null`,
    consent_deadline: `${time} null`,
    owner: 'text null',
    region: 'text null',
    account_role: 'text null',
    preset: 'text',
    environment: 'text',
    customer_reference: 'text null',
    created_at: time,
  },
  consent_links: {
    tenant: 'text',
    id: 'text',
    connection: 'text',
    token_hash: 'text',
    created_by: 'text',
    created_at: time,
    expires_at: time,
    attempts: 'integer',
    last_attempt_at: `${time} null`,
    completed_at: `${time} null`,
    completed_by: 'text null',
    return_to: 'text null',
    mode: 'text',
    confirmer_hash: 'text null',
  },
  waiters: {
    tenant: 'text',
    connection: 'text',
    workflow: 'text',
    activity: 'text',
    task_token: 'bytea',
    created_at: time,
  },
  connection_events: {
    tenant: 'text',
    id: 'text',
    position: 'bigint',
    connection: 'text null',
    type: 'text',
    by: 'text',
    trace_id: 'text',
    facts: 'jsonb null',
    at: time,
  },
  grant_fingerprints: { tenant: 'text', fingerprint: 'text', connection: 'text', created_at: time },
  envelope_keys: { kid: 'text', public_jwk: 'jsonb', created_at: time, destroyed_at: `${time} null` },
  role_grants: {
    tenant: 'text null',
    id: 'text',
    principal_tenant: 'text',
    principal: 'text',
    role: 'text null',
    permission: 'text null',
    granted_by: 'text',
    granted_at: time,
  },
  components: {
    id: 'text',
    tenant: 'text',
    title: 'text',
    access: 'text',
    team: 'text null',
    version: 'integer',
    env: 'jsonb',
    created_at: time,
    removed_at: `${time} null`,
  },
  component_versions: {
    tenant: 'text',
    component: 'text',
    version: 'integer',
    file: 'text',
    manifest: 'jsonb',
    created_by: 'text',
    created_at: time,
  },
  client_secrets: {
    tenant: 'text',
    client: 'text',
    id: 'text',
    fingerprint: 'text null',
    set_at: time,
    retired_at: `${time} null`,
  },
  flows: {
    tenant: 'text',
    id: 'text',
    name: 'text',
    status: 'text',
    schedule: 'text null',
    version: 'integer',
    created_at: time,
    updated_at: time,
  },
  flow_versions: { tenant: 'text', flow: 'text', version: 'integer', created_by: 'text', created_at: time },
  flow_components: { tenant: 'text', flow: 'text', version: 'integer', component: 'text' },
  flow_connections: { tenant: 'text', flow: 'text', version: 'integer', connection: 'text' },
  outbox: {
    tenant: 'text',
    position: 'bigint',
    kind: 'text',
    subject: 'text',
    facts: 'jsonb null',
    by: 'text',
    trace_id: 'text',
    created_at: time,
    attempts: 'integer',
    due_at: time,
  },
  idempotency_keys: {
    tenant: 'text',
    principal: 'text',
    path: 'text',
    key: 'text',
    body_hash: 'text',
    status: 'integer null',
    location: 'text null',
    created_at: time,
  },
};

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await testDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await database?.stop();
});

it('the tables are what the types say, no column more and none less', async () => {
  const { rows } = await client.query<Record<'table_name' | 'column_name' | 'data_type' | 'is_nullable', string>>(
    `SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name <> 'schema_migrations'`,
  );
  const found: Record<string, Record<string, string>> = {};
  for (const { table_name, column_name, data_type, is_nullable } of rows) {
    (found[table_name] ??= {})[column_name] = is_nullable === 'YES' ? `${data_type} null` : data_type;
  }
  expect(found).toEqual(expected);
});

it('no column has the name of a secret', () => {
  const columns = Object.values(expected).flatMap((table) => Object.keys(table));
  const allowed = ['secret_id', 'task_token', 'token_hash'];
  expect(columns.filter((name) => /secret|token|password|code$/.test(name) && !allowed.includes(name))).toEqual([
    'paused_code',
  ]);
});

it('every table is known to the tenant guard, as one of tenants exactly when it has the column', () => {
  const withTenant = Object.entries(expected).flatMap(([table, columns]) => ('tenant' in columns ? [table] : []));
  expect([...guardedTables.tenant].sort()).toEqual(withTenant.sort());
  expect([...guardedTables.tenant, ...guardedTables.global].sort()).toEqual(Object.keys(expected).sort());
});
