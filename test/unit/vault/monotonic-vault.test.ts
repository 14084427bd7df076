import { createMemoryVault } from '../../../src/vault/memory';
import { vaultConformance } from '../../../src/vault/conformance';
import type { Vault } from '../../../src/vault/port';
import { Secret, type ClientSecret } from '../../../src/vault/secret';
import { MonotonicVault } from '../../support/monotonic-vault';

const REF = 'grant/acme/cn_1/gr_1';

function secret(value: string): ClientSecret {
  return { kind: 'client_secret', clientSecret: new Secret(value), audience: [] };
}

/** A vault around another one, with some methods put in their place. */
function watch(change: Partial<Vault> = {}): MonotonicVault {
  return new MonotonicVault({ ...createMemoryVault(), ...change });
}

it('a vault used as it should be is clean', async () => {
  const vault = watch();
  await vault.put(REF, 1, secret('one'));
  await vault.put(REF, 1, secret('one'));
  await vault.put(REF, 4, secret('four'));
  await expect(vault.put(REF, 4, secret('other'))).rejects.toMatchObject({ code: 'VAULT_CONFLICT' });
  expect((await vault.latest(REF)).generation).toBe(4);
  await vault.destroy(REF);
  await expect(vault.put(REF, 5, secret('five'))).rejects.toMatchObject({ code: 'VAULT_GONE' });
  vault.assertClean();
});

it('a put behind the newest generation is told', async () => {
  const vault = watch();
  await vault.put(REF, 3, secret('three'));
  await vault.put(REF, 2, secret('two'));
  expect(() => vault.assertClean()).toThrow(`a put went back behind generation 3 [ref=${REF} generation=2]`);
});

it('a generation that was stored and is no longer the latest is told', async () => {
  const vault = watch({ latest: async () => ({ generation: 1, secret: secret('one') }) });
  await vault.put(REF, 1, secret('one'));
  await vault.put(REF, 2, secret('two'));
  await vault.latest(REF);
  expect(() => vault.assertClean()).toThrow('generation 2 was lost');
});

it('a ref that lost everything is told', async () => {
  const vault = watch({ latest: createMemoryVault().latest });
  await vault.put(REF, 1, secret('one'));
  await expect(vault.latest(REF)).rejects.toMatchObject({ code: 'VAULT_MISSING' });
  expect(() => vault.assertClean()).toThrow('a stored generation was lost');
});

it('an overwritten cell is told, whatever the vault answers', async () => {
  const vault = watch({ put: async () => 'same' });
  await vault.put(REF, 1, secret('one'));
  await vault.put(REF, 1, secret('other'));
  expect(() => vault.assertClean()).toThrow('a cell was overwritten with another value');
});

it('a cell that reads otherwise than it was stored is told', async () => {
  const vault = watch({ latest: async () => ({ generation: 1, secret: secret('other') }) });
  await vault.put(REF, 1, secret('one'));
  await vault.latest(REF);
  expect(() => vault.assertClean()).toThrow('a cell was read with another value than was stored');
});

it('a put or a read after the destruction is told', async () => {
  const vault = watch({ destroy: async () => undefined });
  await vault.put(REF, 1, secret('one'));
  await vault.destroy(REF);
  await vault.put(REF, 2, secret('two'));
  await vault.latest(REF);
  expect(vault.violations).toEqual([
    `a destroyed ref took a put [ref=${REF} generation=2]`,
    `a destroyed ref was read [ref=${REF} generation=2]`,
  ]);
});

it('no violation repeats a secret', async () => {
  const vault = watch({ put: async () => 'same' });
  await vault.put(REF, 1, secret('canary-value-one'));
  await vault.put(REF, 1, secret('canary-value-two'));
  expect(vault.violations.join()).not.toContain('canary-value');
});

describe('the watched vault still conforms', () => {
  const make = async (): Promise<{ vault: Vault }> => ({ vault: watch() });
  for (const { title, run } of vaultConformance(make)) it(title, run);
});
