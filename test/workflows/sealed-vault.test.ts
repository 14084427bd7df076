/** A connection's life with its secrets sealed in PostgreSQL. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { grantRef } from '../../src/connection/ids';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { findCanaries } from '../../src/testing/canary';
import { keyRingFromText } from '../../src/vault/key-ring';
import { testDatabase, type TestDatabase } from '../support/database';
import { eventually, Harness } from '../support/harness';
import { caller, read, saved } from '../support/scenes';

describe('with the vault in PostgreSQL', () => {
  let database: TestDatabase;
  let provider: ScriptedProvider;
  let harness: Harness;

  beforeAll(async () => {
    database = await testDatabase();
    provider = await startScriptedProvider({
      clients: { pasted: { secret: 'pasted-secret-canary', rotation: { mode: 'strict' } } },
      tokenLifetime: 6,
    });
    const keys = keyRingFromText(`k1:${randomBytes(32).toString('base64')}`);
    harness = await Harness.start({
      config: { vault: { driver: 'postgres-sealed', url: database.url, keys } },
      tuning: { jitter: 0, retryBaseMs: 500 },
      secrets: () => provider.issuedSecrets(),
    });
  }, 120_000);
  afterAll(async () => {
    await harness?.stop();
    await provider?.stop();
    await database?.stop();
  });

  it('a rotating grant is refreshed and revoked, and no row holds a secret in clear', async () => {
    const ref = await saved(harness, {
      at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
      clientSecret: 'pasted-secret-canary',
      refreshToken: provider.issueRefreshToken('pasted'),
      change: { client_id: 'pasted', grant_type: 'refresh_token', endpoints: provider.endpoints, rotation: 'strict' },
    });
    const row = () => harness.parts.registry.connections.get(ref);
    await eventually('generation 4', row, (r) => (r?.generation ?? 0) >= 4);
    const { grant } = await read(harness, ref);
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const cells = (await client.query<{ sealed: Buffer }>('SELECT sealed FROM durable_oauth_vault.cells')).rows;
    await client.end();
    expect(cells.length).toBeGreaterThan(3);
    for (const { sealed } of cells) expect(findCanaries(sealed, provider.issuedSecrets())).toEqual([]);
    await harness.parts.connections.revoke(ref, 'done', caller);
    await expect(harness.parts.vault.latest(grantRef(ref, grant))).rejects.toMatchObject({ code: 'VAULT_GONE' });
    provider.assertLedger();
    await harness.judge();
  }, 120_000);
});
