/** Ids are opaque text: made by us or chosen by people, checked before they get here. */
const TABLES = [
  `CREATE TABLE tenants (
    id text PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE TABLE principals (
    tenant text NOT NULL REFERENCES tenants,
    id text NOT NULL,
    email text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, email)
  )`,
  `CREATE TABLE api_keys (
    prefix text PRIMARY KEY,
    tenant text NOT NULL,
    principal text NOT NULL,
    hash text NOT NULL,
    permissions text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    FOREIGN KEY (tenant, principal) REFERENCES principals (tenant, id)
  )`,
  `CREATE TABLE oauth_clients (
    tenant text NOT NULL REFERENCES tenants,
    id text NOT NULL,
    client_id text NOT NULL,
    label text NOT NULL,
    secret_id text,
    paused_until timestamptz,
    paused_code text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, id)
  )`,
  `CREATE TABLE integrations (
    tenant text NOT NULL,
    id text NOT NULL,
    oauth_client_id text NOT NULL,
    settings jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, oauth_client_id) REFERENCES oauth_clients (tenant, id)
  )`,
  `CREATE TABLE connections (
    tenant text NOT NULL,
    id text NOT NULL,
    integration_id text NOT NULL,
    grant_id text,
    previous_grant_id text,
    generation integer NOT NULL,
    issued_at timestamptz,
    expires_at timestamptz,
    lifetime_seconds double precision,
    scope text NOT NULL,
    refreshable boolean NOT NULL,
    state text NOT NULL,
    recovery text,
    reason text,
    since timestamptz NOT NULL DEFAULT now(),
    state_version integer NOT NULL,
    evidence jsonb,
    next_attempt_at timestamptz,
    frozen_at timestamptz,
    revoking_since timestamptz,
    usable boolean NOT NULL,
    account_id text,
    account_label text,
    granted_at timestamptz,
    refreshed_at timestamptz,
    consent_deadline timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, integration_id) REFERENCES integrations (tenant, id) ON DELETE CASCADE
  )`,
  `CREATE TABLE consent_links (
    tenant text NOT NULL,
    id text NOT NULL,
    connection text NOT NULL,
    token_hash text NOT NULL UNIQUE,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    completed_at timestamptz,
    return_to text,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, id) ON DELETE CASCADE
  )`,
  `CREATE TABLE waiters (
    tenant text NOT NULL,
    connection text NOT NULL,
    workflow text NOT NULL,
    activity text NOT NULL,
    task_token bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, workflow, activity),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, id) ON DELETE CASCADE
  )`,
  `CREATE TABLE connection_events (
    tenant text NOT NULL REFERENCES tenants,
    id text NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    connection text,
    type text NOT NULL,
    by text NOT NULL,
    trace_id text NOT NULL,
    facts jsonb,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, id)
  )`,
  `CREATE TABLE grant_fingerprints (
    tenant text NOT NULL REFERENCES tenants,
    fingerprint text NOT NULL,
    connection text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, fingerprint)
  )`,
  `CREATE TABLE envelope_keys (
    kid text PRIMARY KEY,
    public_jwk jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz
  )`,
];

const INDEXES = [
  `CREATE INDEX integrations_client ON integrations (tenant, oauth_client_id)`,
  `CREATE INDEX integrations_customer ON integrations (tenant, (settings ->> 'customer_reference'))`,
  `CREATE INDEX connections_integration ON connections (tenant, integration_id)`,
  `CREATE INDEX connections_due ON connections ((LEAST(next_attempt_at, consent_deadline, revoking_since)))`,
  `CREATE INDEX consent_links_connection ON consent_links (tenant, connection)`,
  `CREATE INDEX waiters_connection ON waiters (tenant, connection)`,
  `CREATE INDEX connection_events_log ON connection_events (tenant, position)`,
  `CREATE INDEX connection_events_of_one ON connection_events (tenant, connection, position)`,
  `CREATE INDEX grant_fingerprints_connection ON grant_fingerprints (tenant, connection)`,
];

export const initial: readonly string[] = [...TABLES, ...INDEXES];
