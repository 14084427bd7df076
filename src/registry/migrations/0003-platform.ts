/**
 * What a multi-tenant installation needs: who may do what, components and the flows that include them, OAuth clients that
 * belong to a component, and effects that outlive the process that caused them.
 */
const ACCESS = [
  `ALTER TABLE principals
    ADD COLUMN kind text NOT NULL DEFAULT 'user' CHECK (kind IN ('user', 'service_account')),
    ADD COLUMN removed_at timestamptz`,
  `ALTER TABLE api_keys
    ADD COLUMN label text NOT NULL DEFAULT '',
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN last_used_at timestamptz`,
  // The tenant is where the right holds (NULL = in every one), not where the principal is at home.
  `CREATE TABLE role_grants (
    tenant text REFERENCES tenants,
    id text PRIMARY KEY,
    principal_tenant text NOT NULL,
    principal text NOT NULL,
    role text,
    permission text,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(role, permission) = 1),
    UNIQUE NULLS NOT DISTINCT (tenant, principal_tenant, principal, role, permission),
    FOREIGN KEY (principal_tenant, principal) REFERENCES principals (tenant, id)
  )`,
  `CREATE INDEX role_grants_principal ON role_grants (principal_tenant, principal)`,
  // Keys made before there were roles go on with what they had.
  `INSERT INTO role_grants (tenant, id, principal_tenant, principal, role, granted_by)
    SELECT tenant, 'rg_' || md5(tenant || '/' || id), tenant, id, 'operator', 'migration' FROM principals`,
];

const COMPONENTS = [
  `CREATE TABLE components (
    id text PRIMARY KEY,
    tenant text NOT NULL REFERENCES tenants,
    title text NOT NULL,
    access text NOT NULL CHECK (access IN ('tenant', 'team', 'global')),
    team text,
    version integer NOT NULL,
    env jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz
  )`,
  // The file whole, as text: what people sent is what they get back. Beside it what we make of it.
  `CREATE TABLE component_versions (
    tenant text NOT NULL REFERENCES tenants,
    component text NOT NULL REFERENCES components,
    version integer NOT NULL,
    file text NOT NULL,
    manifest jsonb NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (component, version)
  )`,
  `CREATE INDEX components_tenant ON components (tenant, id)`,
  `CREATE INDEX components_global ON components (id) WHERE access = 'global' AND removed_at IS NULL`,
];

const CLIENTS = [
  `ALTER TABLE oauth_clients
    ADD COLUMN component text REFERENCES components,
    ADD COLUMN legacy boolean NOT NULL DEFAULT false,
    ADD COLUMN status text NOT NULL DEFAULT 'published'
      CHECK (status IN ('reserved', 'published', 'deleting', 'deleted')),
    ADD COLUMN suspended_at timestamptz,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now()`,
  // A reserved row is seen by nobody and holds the place; one that is being deleted holds it no more.
  `CREATE UNIQUE INDEX oauth_clients_component ON oauth_clients (tenant, component)
    WHERE component IS NOT NULL AND status IN ('reserved', 'published')`,
  `CREATE INDEX oauth_clients_of_component ON oauth_clients (component)`,
  // Which secrets the vault holds for a client; the client's own row names the current one. No secret is here.
  `CREATE TABLE client_secrets (
    tenant text NOT NULL,
    client text NOT NULL,
    id text NOT NULL,
    fingerprint text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    PRIMARY KEY (tenant, client, id),
    FOREIGN KEY (tenant, client) REFERENCES oauth_clients (tenant, id) ON DELETE CASCADE
  )`,
  `CREATE INDEX client_secrets_retired ON client_secrets (retired_at) WHERE retired_at IS NOT NULL`,
  `ALTER TABLE integrations ADD COLUMN component text REFERENCES components`,
  `CREATE INDEX integrations_component ON integrations (tenant, component) WHERE component IS NOT NULL`,
];

const FLOWS = [
  `CREATE TABLE flows (
    tenant text NOT NULL REFERENCES tenants,
    id text NOT NULL,
    name text NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'running', 'stopped')),
    schedule text,
    version integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, id)
  )`,
  `CREATE TABLE flow_versions (
    tenant text NOT NULL,
    flow text NOT NULL,
    version integer NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, flow, version),
    FOREIGN KEY (tenant, flow) REFERENCES flows (tenant, id) ON DELETE CASCADE
  )`,
  // The usage index: what every version of every flow includes.
  `CREATE TABLE flow_components (
    tenant text NOT NULL,
    flow text NOT NULL,
    version integer NOT NULL,
    component text NOT NULL REFERENCES components,
    PRIMARY KEY (tenant, flow, version, component),
    FOREIGN KEY (tenant, flow, version) REFERENCES flow_versions (tenant, flow, version) ON DELETE CASCADE
  )`,
  `CREATE TABLE flow_connections (
    tenant text NOT NULL,
    flow text NOT NULL,
    version integer NOT NULL,
    connection text NOT NULL,
    PRIMARY KEY (tenant, flow, version, connection),
    FOREIGN KEY (tenant, flow, version) REFERENCES flow_versions (tenant, flow, version) ON DELETE CASCADE,
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, id) ON DELETE CASCADE
  )`,
  `CREATE INDEX flow_components_use ON flow_components (tenant, component)`,
  `CREATE INDEX flow_connections_use ON flow_connections (tenant, connection)`,
];

const EFFECTS = [
  // Written in the transaction of its cause, removed once it has happened.
  `CREATE TABLE outbox (
    tenant text NOT NULL REFERENCES tenants,
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    subject text NOT NULL,
    facts jsonb,
    by text NOT NULL,
    trace_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE INDEX outbox_due ON outbox (due_at, position)`,
  `ALTER TABLE connections
    ADD COLUMN owner text,
    ADD COLUMN region text,
    ADD COLUMN account_role text`,
  // The log is only ever added to, whoever writes.
  `CREATE FUNCTION connection_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'connection_events is append-only' USING ERRCODE = 'restrict_violation'; END $$`,
  `CREATE TRIGGER connection_events_append_only BEFORE UPDATE OR DELETE ON connection_events
    FOR EACH ROW EXECUTE FUNCTION connection_events_append_only()`,
];

export const platform: readonly string[] = [...ACCESS, ...COMPONENTS, ...CLIENTS, ...FLOWS, ...EFFECTS];
