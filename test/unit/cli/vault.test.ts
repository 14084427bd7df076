/** Moving a whole installation's secrets to another driver. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, reseal, type MigrateOptions } from '../../../src/cli/commands/vault';
import { readVaultConfig } from '../../../src/config';
import { clientSecretRef, envelopeKeyRef, grantRef } from '../../../src/connection/ids';
import { openVault } from '../../../src/open-vault';
import { openRegistry } from '../../../src/registry/open';
import type { Vault } from '../../../src/vault/port';
import { Secret, type ClientSecret } from '../../../src/vault/secret';
import { testDatabase, type TestDatabase } from '../../support/database';
import { connected, newTenant } from '../registry/builders';

const CANARY = 'secret-canary-4Wq';
const key = (): string => randomBytes(32).toString('base64');
const secret: ClientSecret = { kind: 'client_secret', clientSecret: new Secret(CANARY), audience: [] };

let databases: TestDatabase[];
let folder: string;
let env: NodeJS.ProcessEnv;
let refs: string[];
const said: string[] = [];
const printed: unknown[] = [];

beforeEach(async () => {
  databases = [await testDatabase(), await testDatabase()];
  folder = await mkdtemp(join(tmpdir(), 'durable-oauth-'));
  const [registryUrl = '', vaultUrl = ''] = databases.map(({ url }) => url);
  env = {
    DATABASE_URL: registryUrl,
    VAULT_PATH: join(folder, 'vault'),
    VAULT_DATABASE_URL: vaultUrl,
    VAULT_KEYS: `k1:${key()}`,
  };
  const registry = await openRegistry({ url: registryUrl });
  const vault = await openVault(readVaultConfig(env, 'directory'), true);
  const tenant = await newTenant(registry);
  refs = [];
  for (let count = 0; count < 3; count++) {
    const { ref, grant, saved } = await connected(registry, tenant);
    refs.push(grantRef(ref, grant), clientSecretRef(tenant, saved.client.id, saved.client.secretId ?? ''));
  }
  for (const ref of refs) await vault.put(ref, 1, secret);
  await registry.close();
  said.length = printed.length = 0;
});
afterEach(async () => {
  for (const database of databases) await database.stop();
  await rm(folder, { recursive: true });
  expect(JSON.stringify([said, printed])).not.toContain(CANARY);
});

const run = (options: Partial<MigrateOptions> = {}): Promise<void> =>
  migrate(
    env,
    { from: 'directory', to: 'postgres-sealed', ...options },
    (value, text) => void printed.push(value, text()),
    (line) => void said.push(line),
  );
const opened = (driver: 'directory' | 'postgres-sealed'): Promise<Vault> =>
  openVault(readVaultConfig(env, driver), false);
const listed = async (driver: 'directory' | 'postgres-sealed'): Promise<string[]> => {
  const vault = await opened(driver);
  const found: string[] = [];
  for await (const ref of vault.list('')) found.push(ref);
  await vault.close?.();
  return found.sort();
};

it('copies all, says what to do next, and deletes only when told and configured', async () => {
  await run();
  expect(printed[0]).toEqual({ copied: 6, present: 0, outdated: 0, gone: 0, destroyed: 0 });
  expect(printed[1]).toContain('Nothing was deleted');
  expect(await listed('postgres-sealed')).toEqual([...refs].sort());
  expect(await listed('directory')).toEqual([...refs].sort());

  await expect(run({ deleteSource: true })).rejects.toMatchObject({
    code: 'CONFIGURATION_INVALID',
    message: expect.stringContaining('VAULT=postgres-sealed') as unknown,
  });
  expect(await listed('directory')).toHaveLength(6);

  env['VAULT'] = 'postgres-sealed';
  await run({ deleteSource: true });
  expect(printed[2]).toMatchObject({ copied: 0, present: 6, destroyed: 6 });
  expect(await listed('directory')).toEqual([]);
  expect(await listed('postgres-sealed')).toHaveLength(6);
});

it('what the registry names and neither vault holds stops it, and nothing is deleted', async () => {
  const source = await opened('directory');
  await source.put('grant/other/cn_9/gr_9', 1, secret);
  const registry = await openRegistry({ url: env['DATABASE_URL'] ?? '' });
  await connected(registry, await newTenant(registry));
  await registry.close();
  await expect(run()).rejects.toMatchObject({ code: 'VAULT_MISSING' });
  env['VAULT'] = 'postgres-sealed';
  await expect(run({ deleteSource: true })).rejects.toMatchObject({
    code: 'VAULT_MISSING',
    message: expect.stringContaining('2 entries that the registry names') as unknown,
  });
  expect(await listed('directory')).toHaveLength(7);
});

it('the same driver twice, and a source that is not there, are refused', async () => {
  await expect(run({ to: 'directory' })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
  env['VAULT_PATH'] = join(folder, 'typo');
  await expect(run()).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
});

it('reseals with the first key', async () => {
  await run();
  env['VAULT_KEYS'] = `k2:${key()},${env['VAULT_KEYS'] ?? ''}`;
  await reseal(
    env,
    (value, text) => void printed.push(value, text()),
    () => undefined,
  );
  expect(printed.slice(-2)).toEqual([
    { resealed: 6, key: 'k2', keysInUse: ['k2'] },
    expect.stringContaining('no other key is in use'),
  ]);
});

it('the way back into a store that was deleted from is refused, and destroys nothing', async () => {
  await run();
  env['VAULT'] = 'postgres-sealed';
  await run({ deleteSource: true });
  const back = { from: 'postgres-sealed', to: 'directory' } as const;
  await expect(run(back)).rejects.toMatchObject({
    code: 'VAULT_MISSING',
    message: expect.stringContaining('migrate to an empty one') as unknown,
  });
  env['VAULT'] = 'directory';
  await expect(run({ ...back, deleteSource: true })).rejects.toMatchObject({ code: 'VAULT_MISSING' });
  expect(await listed('postgres-sealed')).toHaveLength(6);
});

it('envelope keys are copied while they live, and gone once they are destroyed', async () => {
  const source = await opened('directory');
  const registry = await openRegistry({ url: env['DATABASE_URL'] ?? '' });
  for (const kid of ['ek_old', 'ek_new']) {
    await source.put(envelopeKeyRef(kid), 1, { kind: 'envelope_key', privateJwk: new Secret('{}') });
    await registry.envelopeKeys.insert(kid, {});
  }
  await run();
  expect(await listed('postgres-sealed')).toHaveLength(8);
  await registry.envelopeKeys.markDestroyed('ek_old');
  await run();
  expect(await listed('postgres-sealed')).not.toContain(envelopeKeyRef('ek_old'));
  // A list that lags does not pass for a complete one.
  await registry.envelopeKeys.insert('ek_unseen', {});
  await expect(run()).rejects.toMatchObject({ code: 'VAULT_MISSING' });
  await registry.close();
});
