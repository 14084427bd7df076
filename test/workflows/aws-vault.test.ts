/** A connection's life with its secrets in AWS Secrets Manager, on the wire. */
import { grantRef } from '../../src/connection/ids';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { eventually, Harness } from '../support/harness';
import { caller, read, saved } from '../support/scenes';
import { startSecretsManager, type FakeSecretsManager } from '../support/secrets-manager';

describe('with the vault in AWS Secrets Manager', () => {
  let aws: FakeSecretsManager;
  let provider: ScriptedProvider;
  let harness: Harness;
  const before = { ...process.env };

  beforeAll(async () => {
    aws = await startSecretsManager();
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: aws.endpoint,
      AWS_REGION: 'eu-test-1',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret',
    });
    provider = await startScriptedProvider({
      clients: { pasted: { secret: 'pasted-secret-canary', rotation: { mode: 'strict' } } },
      tokenLifetime: 6,
    });
    harness = await Harness.start({
      config: { vault: { driver: 'aws-secrets-manager', prefix: 'durable-oauth/test' } },
      tuning: { jitter: 0, retryBaseMs: 500 },
      secrets: () => provider.issuedSecrets(),
    });
  }, 120_000);
  afterAll(async () => {
    await harness?.stop();
    await provider?.stop();
    await aws?.stop();
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  });

  it('a rotating grant is kept through lost answers, throttling and lag, and is gone after its revocation', async () => {
    const ref = await saved(harness, {
      at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
      clientSecret: 'pasted-secret-canary',
      refreshToken: provider.issueRefreshToken('pasted'),
      change: {
        client_id: 'pasted',
        grant_type: 'refresh_token',
        endpoints: provider.endpoints,
        rotation: 'strict',
      },
    });
    const row = () => harness.parts.registry.connections.get(ref);
    const reaches = (generation: number) =>
      eventually(`generation ${generation}`, row, (r) => (r?.generation ?? 0) >= generation);
    await reaches(2);
    aws.faults.loseAnswers = 1;
    await reaches(3);
    aws.faults.fail = { name: 'ThrottlingException', times: 1 };
    await reaches(4);
    aws.faults.lagMs = 2_000;
    await reaches(6);
    aws.faults.lagMs = 0;
    aws.log.length = 0;
    provider.tokenLifetime(3600);
    await reaches(7);
    // What a refresh costs at the vault, once the process knows its client (bench/cost-model.ts counts on it).
    expect(aws.log.filter((call) => call === 'PutSecretValue')).toHaveLength(1);
    expect(aws.log.length).toBeLessThanOrEqual(4);
    await eventually('active', row, (r) => r?.state === 'active');
    const { grant } = await read(harness, ref);
    await harness.parts.connections.revoke(ref, 'done', caller);
    await expect(harness.parts.vault.latest(grantRef(ref, grant))).rejects.toMatchObject({ code: 'VAULT_GONE' });
    harness.tripwire.watch(provider.issuedSecrets());
    provider.assertLedger();
    await harness.judge();
  }, 120_000);
});
