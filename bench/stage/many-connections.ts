/** Rows as a large tenant has them, made in SQL: what lists are planned and measured on. */
import { Client } from 'pg';
import type { ConnectionFilter } from '../../src/registry/contract';

const INTEGRATIONS = 200;

/** The tenant must exist. Every value of a filter below is that of some rows; most connections are well. */
export async function seedManyConnections(url: string, tenant: string, count: number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`INSERT INTO oauth_clients (tenant, id, client_id, label) VALUES ($1, 'oc', 'app', 'App')`, [
      tenant,
    ]);
    await client.query(
      `INSERT INTO integrations (tenant, id, oauth_client_id, settings)
       SELECT $1, 'in_' || n, 'oc', '{}' FROM generate_series(0, $2::int - 1) AS n`,
      [tenant, INTEGRATIONS],
    );
    // Ids without any order, as ours are.
    await client.query(
      `INSERT INTO connections (tenant, id, integration_id, grant_id, generation, expires_at, scope, refreshable, state,
         recovery, reason, state_version, usable, account_id, account_label, owner, preset, environment,
         customer_reference)
       SELECT $1, 'cn_' || substr(md5(n::text), 1, 26), 'in_' || n % $2::int, 'gr', 1,
         timestamptz '2026-01-01 00:00Z' + n * interval '1 second', 'read', true,
         CASE WHEN n % 50 = 0 THEN 'reauth_required' WHEN n % 50 = 1 THEN 'degraded'
           WHEN n % 500 = 2 THEN 'disconnected' ELSE 'active' END,
         CASE WHEN n % 500 = 2 THEN 'after_fix' END,
         CASE WHEN n % 50 = 0 THEN 'GRANT_REFUSED' WHEN n % 50 = 1 THEN 'PROVIDER_UNREACHABLE'
           WHEN n % 500 = 2 THEN 'CLIENT_REJECTED' END,
         1, true, 'acct-' || n, 'person-' || n || '@shop.test', 'owner-' || n % 300 || '@acme.test', 'preset-' || n % 20,
         CASE WHEN n % 10 = 0 THEN 'sandbox' ELSE 'production' END,
         'customer-' || n % 5000
       FROM generate_series(0, $3::int - 1) AS n`,
      [tenant, INTEGRATIONS, count],
    );
    await client.query('ANALYZE connections');
  } finally {
    await client.end();
  }
}

/** A filter each, the rarest values and the commonest ones. */
export const FILTERS: Readonly<Record<string, ConnectionFilter>> = {
  none: {},
  'state, common': { state: 'active' },
  'state, rare': { state: 'disconnected' },
  'who, common': { who: 'nobody' },
  'who, some': { who: 'account_owner' },
  'who, rare': { who: 'administrator' },
  'who, none': { who: 'operator' },
  provider: { preset: 'preset-7' },
  'environment, common': { environment: 'production' },
  'environment, rare': { environment: 'sandbox' },
  'expires before, few': { expiresBefore: '2026-01-01T00:01:00.000Z' },
  'expires before, many': { expiresBefore: '2026-01-02T00:00:00.000Z' },
  owner: { owner: 'owner-42@acme.test' },
  'account by id': { account: 'acct-4711' },
  'account by label': { account: 'person-4711@shop.test' },
  'customer reference': { customerReference: 'customer-4711' },
  integration: { integration: 'in_42' },
};
