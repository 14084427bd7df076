import type { Vault } from '../../src/vault/port';

/** A vault with some of its methods replaced. The drivers are classes: spreading one would lose its methods. */
export function vaultWith(vault: Vault, change: Partial<Vault>): Vault {
  return {
    capabilities: vault.capabilities,
    put: (...given) => vault.put(...given),
    latest: (ref) => vault.latest(ref),
    destroy: (ref) => vault.destroy(ref),
    checkWritable: () => vault.checkWritable(),
    list: (prefix) => vault.list(prefix),
    ...change,
  };
}
