/** Providers that a tenant made itself, and integrations found by what they are made from. */
export const providers: readonly string[] = [
  `CREATE TABLE providers (
    tenant text NOT NULL REFERENCES tenants,
    id text NOT NULL,
    base text,
    preset jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, id)
  )`,
  `CREATE INDEX integrations_preset ON integrations (tenant, (settings ->> 'preset'), id)`,
];
