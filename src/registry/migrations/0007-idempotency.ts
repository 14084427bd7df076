/** Requests that name an Idempotency-Key, for 24 hours. Neither a body nor an answer is kept: both may hold secrets. */
export const idempotency: readonly string[] = [
  `CREATE TABLE idempotency_keys (
    tenant text NOT NULL REFERENCES tenants,
    principal text NOT NULL,
    path text NOT NULL,
    key text NOT NULL,
    body_hash text NOT NULL,
    status integer,
    location text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, principal, path, key)
  )`,
  `CREATE INDEX idempotency_keys_age ON idempotency_keys (tenant, created_at)`,
];
