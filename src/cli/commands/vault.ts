/** `vault migrate|reseal`: what is done to the vault as a whole, by somebody who holds its keys. */
import { readConfig, readVaultConfig, type VaultDriver } from '../../config';
import { clientSecretRef, grantRef } from '../../connection/ids';
import { DurableOAuthError, isDurableOAuthError } from '../../errors';
import { openVault } from '../../open-vault';
import type { ConnectionContext } from '../../registry/contract';
import { openRegistry } from '../../registry/open';
import { destroyMigrated, migrateVault } from '../../vault/migrate';
import type { Vault } from '../../vault/port';
import { openPostgresVault } from '../../vault/postgres-sealed';
import { everyConnection } from '../every-connection';
import type { Print } from './connections';

type Say = (line: string) => void;

export interface MigrateOptions {
  readonly from: VaultDriver;
  readonly to: VaultDriver;
  readonly deleteSource?: boolean;
}

const PROGRESS_MS = 2_000;

/** @throws CONFIGURATION_INVALID, VAULT_CONFLICT, VAULT_MISSING when the target lacks what the registry names */
export async function migrate(env: NodeJS.ProcessEnv, options: MigrateOptions, print: Print, say: Say): Promise<void> {
  const { from, to, deleteSource = false } = options;
  if (from === to) throw new DurableOAuthError('CONFIGURATION_INVALID', '--from and --to are the same driver');
  const config = readConfig(env);
  if (deleteSource && config.vault.driver !== to) {
    throw new DurableOAuthError(
      'CONFIGURATION_INVALID',
      `Set VAULT=${to} for every worker and server, restart them, and run this with VAULT=${to} as well: a worker that still writes to ${from} would lose grants`,
    );
  }
  const [source, target] = [
    await openVault(readVaultConfig(env, from), false),
    await openVault(readVaultConfig(env, to), true),
  ];
  try {
    const migration = await migrateVault(source, target, progress(say, 'copied or checked'));
    const named = await lackedBy(target, config.databaseUrl);
    if (named.length > 0) {
      throw new DurableOAuthError(
        'VAULT_MISSING',
        `The target lacks ${named.length} entries that the registry names, first ${named[0]}. Nothing was deleted; a store that lists late shows them in some minutes: run this again`,
      );
    }
    const destroyed = deleteSource ? await destroyMigrated(source, target, progress(say, 'destroyed')) : 0;
    const next = deleteSource
      ? `${destroyed} entries were destroyed in ${from}.`
      : `Nothing was deleted. Stop the workers, run this once more, set VAULT=${to}, start them; then --delete-source.`;
    print({ ...migration, destroyed }, () => {
      const { copied, present, outdated, gone } = migration;
      return `${copied} copied and read back, ${present} there already, ${outdated} newer there, ${gone} destroyed meanwhile.\n${next}`;
    });
  } finally {
    await source.close?.();
    await target.close?.();
  }
}

export async function reseal(env: NodeJS.ProcessEnv, print: Print, say: Say): Promise<void> {
  const config = readVaultConfig(env, 'postgres-sealed');
  if (config.driver !== 'postgres-sealed') return;
  const vault = await openPostgresVault({ ...config, create: false });
  try {
    const resealed = await vault.reseal(progress(say, 'resealed'));
    print({ resealed, key: config.keys.current }, () => {
      const others = [...config.keys.keys.keys()].filter((id) => id !== config.keys.current);
      const rest = others.length > 0 ? ` Nothing is sealed with ${others.join(', ')} any more.` : '';
      return `${resealed} entries resealed with ${config.keys.current}.${rest}`;
    });
  } finally {
    await vault.close();
  }
}

/** Refs the registry names and the vault does not hold: a list that lags must not pass for a complete one. */
async function lackedBy(vault: Vault, databaseUrl: string): Promise<string[]> {
  const registry = await openRegistry({ url: databaseUrl });
  try {
    const lacked: string[] = [];
    for await (const context of everyConnection(registry)) {
      for (const ref of refsOf(context)) if (!(await isHeld(vault, ref))) lacked.push(ref);
    }
    return lacked;
  } finally {
    await registry.close();
  }
}

function refsOf({ connection, client }: ConnectionContext): string[] {
  if (connection.frozenAt !== null) return [];
  const { tenant, id, grantId } = connection;
  return [
    ...(client.secretId === null ? [] : [clientSecretRef(tenant, client.id, client.secretId)]),
    ...(grantId === null ? [] : [grantRef({ tenant, connection: id }, grantId)]),
  ];
}

async function isHeld(vault: Vault, ref: string): Promise<boolean> {
  try {
    await vault.latest(ref);
    return true;
  } catch (error) {
    if (isDurableOAuthError(error, 'VAULT_MISSING')) return false;
    // Destroyed since: the row follows.
    if (isDurableOAuthError(error, 'VAULT_GONE')) return true;
    throw error;
  }
}

function progress(say: Say, what: string): (done: number) => void {
  let told = Date.now();
  return (done) => {
    if (Date.now() - told < PROGRESS_MS) return;
    told = Date.now();
    say(`${done} ${what} …`);
  };
}
