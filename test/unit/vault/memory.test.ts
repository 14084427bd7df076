import { inspect } from 'node:util';
import { createMemoryVault } from '../../../src/vault/memory';
import { Secret, type ClientSecret } from '../../../src/vault/secret';

const REF = 'grant/acme/cn_1/gr_1';

function secret(value: string): ClientSecret {
  return { kind: 'client_secret', clientSecret: new Secret(value), audience: [] };
}

it('an unavailable vault fails every call, and is as before when it is back', async () => {
  const vault = createMemoryVault();
  await vault.put(REF, 1, secret('one'));
  vault.setAvailable(false);
  const listing = async (): Promise<void> => {
    for await (const ref of vault.list('')) expect(ref).toBeUndefined();
  };
  const calls = [
    vault.put(REF, 2, secret('two')),
    vault.latest(REF),
    vault.destroy(REF),
    vault.checkWritable(),
    listing(),
  ];
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
  vault.setAvailable(true);
  expect((await vault.latest(REF)).generation).toBe(1);
});

it('eventual reads answer twice as before the write', async () => {
  const vault = createMemoryVault({ reads: 'eventual' });
  await vault.put(REF, 1, secret('one'));
  for (let turn = 0; turn < 2; turn += 1) {
    await expect(vault.latest(REF)).rejects.toMatchObject({ code: 'VAULT_MISSING' });
  }
  expect((await vault.latest(REF)).generation).toBe(1);
  await vault.put(REF, 2, secret('two'));
  expect((await vault.latest(REF)).generation).toBe(1);
});

it('capabilities can be pretended', () => {
  const { capabilities } = createMemoryVault({ capabilities: { minWriteIntervalSeconds: 600 } });
  expect(capabilities).toMatchObject({ driver: 'memory', minWriteIntervalSeconds: 600 });
});

it('the vault shows no secret', async () => {
  const vault = createMemoryVault();
  await vault.put(REF, 1, secret('canary-client-secret'));
  expect(inspect(vault, { depth: 9, showHidden: true })).not.toContain('canary-client-secret');
});
