/** The configured vault driver; what it needs is loaded only then. */
import type { VaultConfig } from './config';
import { openDirectoryVault } from './vault/directory';
import { directoryKeyFromFile, directoryKeyFromText } from './vault/directory-key';
import type { Vault } from './vault/port';

/**
 * @param create whether a store may be made where there is none: false for an installation that has used it
 * @throws CONFIGURATION_INVALID, VAULT_UNAVAILABLE, VAULT_CORRUPT
 */
export async function openVault(vault: VaultConfig, create: boolean): Promise<Vault> {
  switch (vault.driver) {
    case 'aws-secrets-manager': {
      const { openAwsVault } = await import('./vault/aws-secrets-manager.js');
      return openAwsVault({ prefix: vault.prefix });
    }
    case 'postgres-sealed': {
      const { openPostgresVault } = await import('./vault/postgres-sealed.js');
      return openPostgresVault({ ...vault, create });
    }
    case 'directory': {
      const { path, key, keyFile } = vault;
      return openDirectoryVault({
        path,
        key: key ? directoryKeyFromText(key) : await directoryKeyFromFile(keyFile),
        create,
      });
    }
  }
}
