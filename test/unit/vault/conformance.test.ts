import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vaultConformance, type VaultUnderTest } from '../../../src/vault/conformance';
import { openDirectoryVault } from '../../../src/vault/directory';
import { directoryKeyFromText } from '../../../src/vault/directory-key';
import { createMemoryVault } from '../../../src/vault/memory';
import type { Vault, VaultEntry } from '../../../src/vault/port';
import { Secret, type VaultSecret } from '../../../src/vault/secret';

async function directory(): Promise<VaultUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'durable-oauth-'));
  const options = { path: join(folder, 'vault'), key: directoryKeyFromText(randomBytes(32).toString('base64')) };
  return {
    vault: await openDirectoryVault(options),
    reopen: () => openDirectoryVault(options),
    close: () => rm(folder, { recursive: true }),
  };
}

async function memory(): Promise<VaultUnderTest> {
  return { vault: createMemoryVault() };
}

async function laggingMemory(): Promise<VaultUnderTest> {
  const capabilities = { driver: 'lagging', maxBytes: 65_536, recoveryWindowDays: 7 };
  return { vault: createMemoryVault({ reads: 'eventual', capabilities }) };
}

describe('directory vault', () => {
  for (const { title, run } of vaultConformance(directory)) it(title, run);
});

describe('memory vault', () => {
  for (const { title, run } of vaultConformance(memory)) it(title, run);
});

describe('memory vault with eventual reads and a deletion window', () => {
  const settle = (): Promise<void> => Promise.resolve();
  for (const { title, run } of vaultConformance(laggingMemory, { eventualReads: true, settle })) it(title, run);
});

/** A vault that behaves but for what is put in the place of one of its methods. */
function broken(change: (vault: Vault) => Partial<Vault>): () => Promise<VaultUnderTest> {
  return async () => {
    const vault = createMemoryVault();
    return { vault: { ...vault, ...change(vault) } };
  };
}

const BROKEN: Readonly<Record<string, () => Promise<VaultUnderTest>>> = {
  'overwrites a cell': broken((vault) => ({
    put: (ref, generation, secret) => vault.put(ref, generation, secret).catch(() => 'stored' as const),
  })),
  'stores past its limit': broken((vault) => ({ capabilities: { ...vault.capabilities, maxBytes: 9_000 } })),
  'answers with what came last': () => {
    const last = new Map<string, VaultEntry>();
    return broken((vault) => ({
      async put(ref: string, generation: number, secret: VaultSecret) {
        const answer = await vault.put(ref, generation, secret);
        last.set(ref, { generation, secret });
        return answer;
      },
      latest: async (ref) => last.get(ref) ?? vault.latest(ref),
    }))();
  },
  'forgets that a ref was destroyed': () => {
    const destroyed = new Set<string>();
    return broken((vault) => ({
      destroy: async (ref) => void destroyed.add(ref),
      latest: (ref) => vault.latest(destroyed.has(ref) ? `${ref}/none` : ref),
    }))();
  },
  'refuses to destroy what never was': broken((vault) => ({
    destroy: async (ref) => void (await vault.latest(ref), await vault.destroy(ref)),
  })),
  'lets a foreign error out': broken((vault) => ({
    put: (ref, generation, secret) =>
      vault.put(ref, generation, secret).catch((error: unknown) => {
        throw new TypeError('from the store', { cause: error });
      }),
  })),
  'tries a put to see whether it is writable': broken((vault) => ({
    async checkWritable() {
      await vault.put('grant/probe/probe', 1, { kind: 'envelope_key', privateJwk: new Secret('probe') });
    },
  })),
};

describe('the suite itself', () => {
  it.each(Object.keys(BROKEN))('fails a vault that %s', async (name) => {
    const make = BROKEN[name];
    if (make === undefined) throw new Error('no such vault');
    const ends = await Promise.allSettled(vaultConformance(make).map(({ run }) => run()));
    expect(ends.filter((end) => end.status === 'rejected')).not.toEqual([]);
  });

  it('fails a vault whose reads lag, unless that is stated', async () => {
    const ends = await Promise.allSettled(vaultConformance(laggingMemory).map(({ run }) => run()));
    expect(ends.filter((end) => end.status === 'rejected')).not.toEqual([]);
  });
});
