import { inspect } from 'node:util';
import { readConfig } from '../../src/config';

const env = { DATABASE_URL: 'postgresql://127.0.0.1/x' };

it('everything has a default but the database', () => {
  expect(readConfig(env)).toMatchObject({
    publicUrl: 'http://127.0.0.1:3000',
    callbackUrl: 'http://127.0.0.1:3000/callback',
    host: '127.0.0.1',
    tokenRoutes: false,
    elasticioSecrets: false,
    callbackSignal: 'sealed',
    allowPrivateNetworks: false,
    tenants: undefined,
    ratePerMinute: 600,
    vault: { driver: 'directory' },
  });
});

it('a vault key file lies beside its folder unless it is named', () => {
  expect(readConfig({ ...env, VAULT_PATH: '/data/vault' }).vault).toMatchObject({ keyFile: '/data/vault.key' });
  expect(readConfig({ ...env, VAULT: 'aws-secrets-manager', VAULT_PREFIX: 'acme/prod' }).vault).toEqual({
    driver: 'aws-secrets-manager',
    prefix: 'acme/prod',
  });
});

it('secrets for components of elastic.io need token routes', () => {
  expect(() => readConfig({ ...env, ELASTICIO_SECRETS: 'on' })).toThrow('TOKEN_ROUTES');
  const both = readConfig({ ...env, ELASTICIO_SECRETS: 'on', TOKEN_ROUTES: 'on' });
  expect([both.tokenRoutes, both.elasticioSecrets]).toEqual([true, true]);
});

it('everything that is wrong is told at once, by name, with what is allowed', () => {
  const wrong = { PORT: 'abc', VAULT: 'openbao', VAULT_PREFIX: 'a//b', CALLBACK_SIGNAL: 'raw', PUBLIC_URL: 'ftp://x' };
  let message = '';
  try {
    readConfig(wrong);
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIGURATION_INVALID' });
    message = String(error);
  }
  for (const name of ['DATABASE_URL', ...Object.keys(wrong)]) expect(message).toContain(`${name}: `);
  expect(message).toContain('a number from 0 to 65535');
  expect(message).toContain('"directory", "aws-secrets-manager" or "postgres-sealed"');
});

it('a sealed vault in PostgreSQL needs its own URL and its keys, which no output shows', () => {
  const chosen = { ...env, VAULT: 'postgres-sealed' };
  expect(() => readConfig(chosen)).toThrow(/VAULT_DATABASE_URL.*VAULT_KEYS/);
  const key = Buffer.alloc(32, 'canary').toString('base64');
  const { vault } = readConfig({ ...chosen, VAULT_DATABASE_URL: 'postgres://vault', VAULT_KEYS: `k2:${key}` });
  expect(vault).toMatchObject({ driver: 'postgres-sealed', keys: { current: 'k2' } });
  expect(inspect(vault, { depth: 9 })).not.toContain(key.slice(0, 12));
});
