import { createMemoryVault, type MemoryVault } from '../../../src/vault/memory';
import { destroyMigrated, followDestroyed, migrateVault } from '../../../src/vault/migrate';
import type { Vault } from '../../../src/vault/port';
import { Secret, type ClientSecret } from '../../../src/vault/secret';

const secret = (value: string): ClientSecret => ({
  kind: 'client_secret',
  clientSecret: new Secret(value),
  audience: [],
});
const REFS = ['client/a/oc_1/sec_1', 'grant/a/cn_1/gr_1', 'grant/b/cn_2/gr_2', 'system/envelope/ek_1'];
const listed = async (vault: Vault): Promise<string[]> => {
  const refs: string[] = [];
  for await (const ref of vault.list('')) refs.push(ref);
  return refs.sort();
};

let from: MemoryVault;
let to: MemoryVault;
beforeEach(async () => {
  [from, to] = [createMemoryVault(), createMemoryVault()];
  for (const ref of REFS) await from.put(ref, 1, secret(`${ref} 1`));
  await from.put('grant/a/cn_1/gr_1', 2, secret('newest'));
});

it('copies the newest of each, deletes nothing, and a second run finds all there', async () => {
  expect(await migrateVault(from, to)).toEqual({ copied: 4, present: 0, outdated: 0, gone: 0 });
  expect(await listed(to)).toEqual(REFS);
  expect(await to.latest('grant/a/cn_1/gr_1')).toEqual({ generation: 2, secret: secret('newest') });
  expect(await listed(from)).toEqual(REFS);
  expect(await migrateVault(from, to)).toEqual({ copied: 0, present: 4, outdated: 0, gone: 0 });
});

it('goes on where a failure left it', async () => {
  const put = to.put.bind(to);
  let left = 2;
  const failing: Vault = {
    ...to,
    put: async (...of) => {
      if (left-- === 0) to.setAvailable(false);
      return put(...of);
    },
  };
  await expect(migrateVault(from, failing)).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
  to.setAvailable(true);
  expect(await migrateVault(from, to)).toEqual({ copied: 2, present: 2, outdated: 0, gone: 0 });
});

it('what the source wrote since is copied by the next run; what the target wrote or destroyed since stays', async () => {
  await migrateVault(from, to);
  await from.put('grant/b/cn_2/gr_2', 2, secret('since'));
  await to.put('grant/a/cn_1/gr_1', 3, secret('in use'));
  await to.destroy('client/a/oc_1/sec_1');
  expect(await migrateVault(from, to)).toEqual({ copied: 1, present: 1, outdated: 2, gone: 0 });
  expect(await to.latest('grant/b/cn_2/gr_2')).toMatchObject({ generation: 2 });
  expect(await to.latest('grant/a/cn_1/gr_1')).toMatchObject({ generation: 3 });
  expect(await destroyMigrated(from, to)).toBe(4);
  expect(await listed(from)).toEqual([]);
});

it('stops at another value under the same generation', async () => {
  await to.put('grant/b/cn_2/gr_2', 1, secret('another'));
  await expect(migrateVault(from, to)).rejects.toMatchObject({ code: 'VAULT_CONFLICT' });
});

it('destroys nothing that the target does not hold', async () => {
  await migrateVault(from, to);
  await from.put('grant/b/cn_2/gr_2', 2, secret('since'));
  await expect(destroyMigrated(from, to)).rejects.toMatchObject({ code: 'VAULT_MISSING' });
  expect(await listed(from)).toContain('grant/b/cn_2/gr_2');
});

it('believes no write that cannot be read back', async () => {
  const forgetful: Vault = { ...to, put: async () => 'stored' };
  await expect(migrateVault(from, forgetful)).rejects.toMatchObject({ code: 'VAULT_MISSING' });
});

it('what the source destroyed after it was copied is destroyed in the target as well', async () => {
  await migrateVault(from, to);
  await from.destroy('grant/b/cn_2/gr_2');
  expect(await followDestroyed(from, to)).toBe(1);
  expect(await listed(to)).toEqual(REFS.filter((ref) => ref !== 'grant/b/cn_2/gr_2'));
  await expect(to.latest('grant/b/cn_2/gr_2')).rejects.toMatchObject({ code: 'VAULT_GONE' });
});

it('what is not ours under the same prefix is neither copied nor destroyed', async () => {
  await from.put('staging/grant/a/cn_1/gr_1', 1, secret('of another installation'));
  await migrateVault(from, to);
  expect(await destroyMigrated(from, to)).toBe(4);
  expect(await listed(from)).toEqual(['staging/grant/a/cn_1/gr_1']);
  expect(await listed(to)).toEqual(REFS);
});
