/** Removing what a save made, when nobody consented in time: also against a change that is made at that very moment. */
import { createDestroySecrets } from '../../activities/destroy-secrets';
import { createStoreClientSecret } from '../../activities/save-oauth-client';
import { clientSecretRef } from '../../src/connection/ids';
import type { Registration, Registry } from '../../src/registry/contract';
import { openRegistry } from '../../src/registry/open';
import { createMemoryVault } from '../../src/vault/memory';
import type { Vault } from '../../src/vault/port';
import { Secret } from '../../src/vault/secret';
import { testDatabase, type TestDatabase } from '../support/database';
import { tenantGuard } from '../support/tenant-guard';
import { vaultWith } from '../support/vault-with';
import { connected, event, newTenant, settings } from '../unit/registry/builders';

const audience = ['https://as.example'];

let database: TestDatabase;
let registry: Registry;
let vault: Vault;
let tenant: string;
let saved: Registration;

beforeAll(async () => {
  database = await testDatabase();
  registry = await openRegistry({ url: database.url, plugins: [tenantGuard()] });
});
afterAll(async () => {
  await registry?.close();
  await database?.stop();
});
beforeEach(async () => {
  tenant = await newTenant(registry);
  vault = createMemoryVault();
  const waiting = { grant: null, token: undefined, account: undefined, state: 'pending_consent' } as const;
  ({ saved } = await connected(registry, tenant, {
    ...waiting,
    settings: settings({ grant_type: 'authorization_code' }),
  }));
  await vault.put(refOf('sec_1'), 1, { kind: 'client_secret', clientSecret: new Secret('cs-canary-1'), audience });
});

const refOf = (secret: string): string => clientSecretRef(tenant, saved.client.id, secret);
const store = (secret: string) =>
  createStoreClientSecret({
    vault,
    registry,
    opener: { open: async () => ({ client_secret: 'cs-canary-2' }) },
    fingerprint: async () => 'q0I',
  })({ v: 1, tenant, client: saved.client.id, secret, sealed: 'sealed', audience });
const publish = (secret: string) =>
  registry.integrations.change(tenant, saved.integration, {
    from: saved.settings,
    to: saved.settings,
    secret: { id: secret, fingerprint: 'ab12cd34' },
    event: event('integration.changed'),
  });
/** @param meanwhile happens when the secrets that were there at first are destroyed, and no row is removed yet */
function expire(meanwhile: () => Promise<unknown>): Promise<unknown> {
  let first = true;
  const watched = vaultWith(vault, {
    async destroy(ref) {
      await vault.destroy(ref);
      if (first) await meanwhile();
      first = false;
    },
  });
  const reason = 'no consent in time';
  const remove = { connection: saved.connection };
  return createDestroySecrets({ vault: watched, registry })({
    v: 1,
    tenant,
    refs: [],
    remove,
    reason,
    by: 'system',
    traceId: 'test',
  });
}
async function expectNothing(...secrets: readonly string[]): Promise<void> {
  expect(await registry.oauthClients.get(tenant, saved.client.id)).toBeUndefined();
  expect(await registry.connections.get({ tenant, connection: saved.connection })).toBeUndefined();
  for (const secret of secrets) await expect(vault.latest(refOf(secret))).rejects.toMatchObject({ code: 'VAULT_GONE' });
}

it('a secret that a change publishes at that moment goes with the rows', async () => {
  await expire(async () => {
    await store('sec_2');
    expect(await publish('sec_2')).toEqual({ outdated: 0 });
  });
  await expectNothing('sec_1', 'sec_2');
});

it('a secret that a change has only named is destroyed before it is stored, and cannot be stored any more', async () => {
  await expire(() => registry.oauthClients.nameSecret(tenant, saved.client.id, 'sec_2'));
  await expectNothing('sec_1', 'sec_2');
});

it('a change that comes afterwards stores nothing', async () => {
  await expire(async () => undefined);
  await expectNothing('sec_1');
  await expect(store('sec_2')).rejects.toMatchObject({ type: 'NOT_FOUND' });
  await expect(vault.latest(refOf('sec_2'))).rejects.toMatchObject({ code: 'VAULT_MISSING' });
});
