/** `vault migrate|reseal`: what is done to the vault as a whole, by somebody who holds its keys. */
import { readConfig, readVaultConfig, type VaultDriver } from '../../config';
import { clientSecretRef, envelopeKeyRef, FINGERPRINT_KEY_REF, grantRef } from '../../connection/ids';
import { DurableOAuthError, isDurableOAuthError } from '../../errors';
import { openVault } from '../../open-vault';
import type { ConnectionContext, Registry } from '../../registry/contract';
import { openRegistry } from '../../registry/open';
import { destroyMigrated, followDestroyed, migrateVault } from '../../vault/migrate';
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
  const registry = await openRegistry({ url: config.databaseUrl });
  let [source, target]: (Vault | undefined)[] = [];
  try {
    source = await openVault(readVaultConfig(env, from), false);
    // What is deleted from must have been copied to: it is there.
    target = await openVault(readVaultConfig(env, to), !deleteSource);
    const migration = await migrateVault(source, target, progress(say, 'copied or checked'));
    if (config.vault.driver === from) await followDestroyed(source, target);
    for (const kid of await registry.envelopeKeys.destroyed()) await target.destroy(envelopeKeyRef(kid));
    const lacked = await lackedBy(target, source, registry);
    if (lacked.length > 0) throw lacking(lacked);
    const destroyed = deleteSource ? await destroyMigrated(source, target, progress(say, 'destroyed')) : 0;
    const next = deleteSource
      ? `${destroyed} entries were destroyed in ${from}, which keeps their tombstones: come back to it only with an empty store.`
      : `Nothing was deleted. Stop the workers, run this once more, set VAULT=${to}, start them; then --delete-source.`;
    print({ ...migration, destroyed }, () => {
      const { copied, present, outdated, gone } = migration;
      return `${copied} copied and read back, ${present} there already, ${outdated} newer there, ${gone} destroyed meanwhile.\n${next}`;
    });
  } finally {
    await source?.close?.();
    await target?.close?.();
    await registry.close();
  }
}

export async function reseal(env: NodeJS.ProcessEnv, print: Print, say: Say): Promise<void> {
  const config = readVaultConfig(env, 'postgres-sealed');
  if (config.driver !== 'postgres-sealed') return;
  const vault = await openPostgresVault({ ...config, create: false });
  try {
    const { resealed, keysInUse } = await vault.reseal(progress(say, 'resealed'));
    const { current } = config.keys;
    const others = keysInUse.filter((id) => id !== current);
    print({ resealed, key: current, keysInUse }, () =>
      others.length > 0
        ? `${resealed} entries resealed with ${current}. Some are sealed with ${others.join(', ')} still: restart every worker and server with ${current} in front, then run this again.`
        : `${resealed} entries resealed with ${current}; no other key is in use. Keep the old ones as long as a backup may be restored.`,
    );
  } finally {
    await vault.close();
  }
}

/** Refs the registry names and the vault does not hold: a list that lags must not pass for a complete one. */
async function lackedBy(target: Vault, source: Vault, registry: Registry): Promise<string[]> {
  const lacked: string[] = [];
  for await (const context of everyConnection(registry)) {
    for (const ref of refsOf(context)) {
      if (await isHeld(target, ref)) continue;
      // Revoked or replaced since the page was read: then no row names it any more.
      const { tenant, id } = context.connection;
      const now = await registry.connections.context({ tenant, connection: id });
      if (now !== undefined && refsOf(now).includes(ref)) lacked.push(ref);
    }
  }
  const keys = (await registry.envelopeKeys.list()).map(({ kid }) => envelopeKeyRef(kid));
  if (await isHeld(source, FINGERPRINT_KEY_REF)) keys.push(FINGERPRINT_KEY_REF);
  for (const ref of keys) if (!(await isHeld(target, ref))) lacked.push(ref);
  return lacked;
}

function lacking(refs: readonly string[]): DurableOAuthError {
  return new DurableOAuthError(
    'VAULT_MISSING',
    `The target lacks ${refs.length} entries that the registry names, first ${refs[0]}. Nothing was deleted. A store that lists late shows them in some minutes: run this again. A store that was migrated away from with --delete-source destroyed them for good: migrate to an empty one`,
  );
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
    if (isDurableOAuthError(error, 'VAULT_MISSING') || isDurableOAuthError(error, 'VAULT_GONE')) return false;
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
