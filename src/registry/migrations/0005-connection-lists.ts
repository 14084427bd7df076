/**
 * Lists of 100,000 connections, filtered and paged by id. What the integration says of them stands in their own row, so
 * that one index answers; `registration.ts` and whoever changes an integration's settings keep it in step.
 */
const COLUMNS = [
  `ALTER TABLE connections
    ADD COLUMN preset text,
    ADD COLUMN environment text,
    ADD COLUMN customer_reference text`,
  `UPDATE connections SET
      preset = integrations.settings ->> 'preset',
      environment = integrations.settings ->> 'environment',
      customer_reference = integrations.settings ->> 'customer_reference'
    FROM integrations
    WHERE integrations.tenant = connections.tenant AND integrations.id = connections.integration_id`,
  `ALTER TABLE connections ALTER COLUMN preset SET NOT NULL, ALTER COLUMN environment SET NOT NULL`,
];

// The id last: a page is read in order and ends with its last row. What most rows leave empty is not kept of those.
const INDEXES = [
  `DROP INDEX connections_integration`,
  `CREATE INDEX connections_integration ON connections (tenant, integration_id, id)`,
  `CREATE INDEX connections_state ON connections (tenant, state, id)`,
  `CREATE INDEX connections_who ON connections (tenant, (COALESCE(reason, recovery, state)), id)`,
  `CREATE INDEX connections_preset ON connections (tenant, preset, id)`,
  `CREATE INDEX connections_environment ON connections (tenant, environment, id)`,
  `CREATE INDEX connections_expiry ON connections (tenant, expires_at, id)`,
  `CREATE INDEX connections_owner ON connections (tenant, owner, id) WHERE owner IS NOT NULL`,
  `CREATE INDEX connections_account ON connections (tenant, account_id, id) WHERE account_id IS NOT NULL`,
  `CREATE INDEX connections_account_label ON connections (tenant, account_label, id) WHERE account_label IS NOT NULL`,
  `CREATE INDEX connections_customer ON connections (tenant, customer_reference, id)
    WHERE customer_reference IS NOT NULL`,
];

export const connectionLists: readonly string[] = [...COLUMNS, ...INDEXES];
