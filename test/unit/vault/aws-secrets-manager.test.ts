import { inspect } from 'node:util';
import { openAwsVault } from '../../../src/vault/aws-secrets-manager';
import { vaultConformance } from '../../../src/vault/conformance';
import type { Vault } from '../../../src/vault/port';
import { Secret, type ClientSecret, type TokenSet } from '../../../src/vault/secret';
import { startSecretsManager, type FakeSecretsManager } from '../../support/secrets-manager';

const REF = 'grant/acme/cn_1/gr_1';
const CANARY = 'refresh-token-canary-7Yq';

let aws: FakeSecretsManager;
beforeEach(async () => {
  aws = await startSecretsManager();
});
afterEach(() => aws.stop());

const open = (): Vault =>
  openAwsVault({
    prefix: 'durable-oauth/test',
    client: {
      endpoint: aws.endpoint,
      region: 'eu-test-1',
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    },
  });

const tokens = (generation: number): TokenSet => ({
  kind: 'token_set',
  accessToken: new Secret(`access-${generation}`),
  refreshToken: new Secret(`${CANARY}-${generation}`),
  tokenType: 'Bearer',
  scope: 'read',
  issuedAt: '2026-01-02T03:04:05.000Z',
  receivedAt: '2026-01-02T03:04:05.000Z',
  expiresAt: null,
  lifetimeSeconds: null,
  grantedAt: '2026-01-02T03:04:05.000Z',
  audience: [],
});

describe.each([
  ['at once', 0],
  ['150 ms late', 150],
])('conformance, reads %s', (_when, lagMs) => {
  const made = (): Promise<{ vault: Vault; reopen: () => Promise<Vault> }> => {
    aws.faults.lagMs = lagMs;
    return Promise.resolve({ vault: open(), reopen: () => Promise.resolve(open()) });
  };
  for (const { title, run } of vaultConformance(made, { eventualReads: lagMs > 0 })) it(title, run);
});

describe('the wire', () => {
  it('000-20 create, read and write are the calls of AWS, each version under its own id: a lost answer is repeated and stored once', async () => {
    const vault = open();
    await vault.put(REF, 1, tokens(1));
    aws.faults.loseAnswers = 1;
    expect(await vault.put(REF, 2, tokens(2))).toBe('stored');
    expect(aws.log.filter((operation) => operation === 'PutSecretValue')).toHaveLength(2);
    expect(await vault.latest(REF)).toMatchObject({ generation: 2 });
    expect(new Set(aws.log)).toEqual(new Set(['GetSecretValue', 'CreateSecret', 'PutSecretValue']));
  });

  it('throttling is repeated once, a full version quota never', async () => {
    const vault = open();
    await vault.put(REF, 1, tokens(1));
    aws.faults.fail = { name: 'ThrottlingException', times: 1 };
    expect(await vault.latest(REF)).toMatchObject({ generation: 1 });
    for (let generation = 2; generation <= 100; generation++) await vault.put(REF, generation, tokens(generation));
    aws.log.length = 0;
    await expect(vault.put(REF, 101, tokens(101))).rejects.toMatchObject({
      code: 'VAULT_UNAVAILABLE',
      message: expect.stringContaining('quota') as unknown,
    });
    expect(aws.log.filter((operation) => operation === 'PutSecretValue')).toHaveLength(1);
  });

  it('after a put that failed nothing is spent for 30 s, and no question costs a call', async () => {
    const vault = open();
    await vault.checkWritable();
    aws.faults.kmsBroken = true;
    await expect(vault.put(REF, 1, tokens(1))).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
    aws.faults.kmsBroken = false;
    aws.log.length = 0;
    await expect(vault.checkWritable()).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
    expect(aws.log).toEqual([]);
  });

  it('what this process wrote is read although the label lags behind', async () => {
    const vault = open();
    await vault.put(REF, 1, tokens(1));
    await vault.put(REF, 2, tokens(2));
    aws.faults.lagMs = 60_000;
    await vault.put(REF, 3, tokens(3));
    expect(await vault.latest(REF)).toMatchObject({ generation: 3 });
  });

  it('a name holds opaque ids and no more; the tenant is a tag; a system secret is deleted for good', async () => {
    const vault = open();
    await vault.put(REF, 1, tokens(1));
    expect(aws.names()).toEqual([`durable-oauth/test/${REF}`]);
    const key: ClientSecret = { kind: 'client_secret', clientSecret: new Secret('s'), audience: [] };
    await vault.put('system/envelope/k1', 1, key);
    await vault.destroy('system/envelope/k1');
    expect(aws.names()).toEqual([`durable-oauth/test/${REF}`]);
    await vault.destroy(REF);
    // It stays taken for the deletion window.
    expect(aws.names()).toEqual([`durable-oauth/test/${REF}`]);
    await expect(open().put(REF, 2, tokens(2))).rejects.toMatchObject({ code: 'VAULT_GONE' });
  });

  it.each(['AccessDeniedException', 'InternalServiceError', 'ValidationException', 'Weird{}\n'])(
    'a failure %j says nothing of the request',
    async (name) => {
      const vault = open();
      await vault.put(REF, 1, tokens(1));
      aws.faults.fail = { name, times: 9 };
      const failure: unknown = await vault.put(REF, 2, tokens(2)).catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: 'DurableOAuthError' });
      expect(failure).not.toHaveProperty('cause');
      expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain(CANARY);
    },
  );

  it('a store that is not there is VAULT_UNAVAILABLE, never missing', async () => {
    const vault = open();
    await aws.stop();
    await expect(vault.latest(REF)).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
    aws = await startSecretsManager();
  });
});
