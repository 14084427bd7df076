/** Moves all entries from one vault to another, without a consent: nothing is deleted until told so. */
import { DurableOAuthError, isDurableOAuthError } from '../errors';
import { sameSecret } from './cell';
import type { Vault, VaultEntry } from './port';

export interface Migration {
  /** Stored now. */
  readonly copied: number;
  /** Were there already, from a run before. */
  readonly present: number;
  /** The target holds a newer generation, or destroyed it since: it is in use, and what is there wins. */
  readonly outdated: number;
  /** Destroyed in the source while it was read. */
  readonly gone: number;
}

type Outcome = keyof Migration;

/**
 * Copy the newest generation of each ref and read it back. Older generations stay behind: they are spent.
 *
 * Repeating it is harmless, and takes up what an interrupted run left. Run it again once nothing writes to the source.
 * @throws VAULT_CONFLICT when the target holds another value under the same generation; VAULT_UNAVAILABLE, VAULT_CORRUPT
 */
export async function migrateVault(
  from: Vault,
  to: Vault,
  progress: (done: number) => void = () => undefined,
): Promise<Migration> {
  const count: Record<Outcome, number> = { copied: 0, present: 0, outdated: 0, gone: 0 };
  await to.checkWritable();
  let done = 0;
  for await (const ref of ours(from)) {
    count[await copy(from, to, ref)] += 1;
    progress(++done);
  }
  return count;
}

/**
 * Destroy in the target what the source destroyed after it was copied. Only while the source is the vault in use.
 * @returns how many were destroyed
 */
export async function followDestroyed(from: Vault, to: Vault): Promise<number> {
  let count = 0;
  for await (const ref of ours(to)) {
    if ((await unlessMissing(from.latest(ref))) !== 'gone') continue;
    await to.destroy(ref);
    count++;
  }
  return count;
}

/**
 * Destroy in the source what the target holds: the same generation and value, or a newer one. Run `migrateVault` before.
 * @returns how many were destroyed
 * @throws VAULT_MISSING when the target lacks one: nothing is destroyed from there on
 */
export async function destroyMigrated(
  from: Vault,
  to: Vault,
  progress: (done: number) => void = () => undefined,
): Promise<number> {
  let done = 0;
  for await (const ref of ours(from)) {
    const entry = await unlessGone(from.latest(ref));
    if (entry === undefined) continue;
    const there = await unlessGone(to.latest(ref));
    if (there !== undefined && !holds(there, entry)) throw missing(ref);
    await from.destroy(ref);
    progress(++done);
  }
  return done;
}

/** A store may hold what others put there: another installation whose prefix begins with ours. */
async function* ours(vault: Vault): AsyncGenerator<string> {
  for (const kind of ['client/', 'grant/', 'system/']) yield* vault.list(kind);
}

async function copy(from: Vault, to: Vault, ref: string): Promise<Outcome> {
  const entry = await unlessGone(from.latest(ref));
  if (entry === undefined) return 'gone';
  const there = await unlessMissing(to.latest(ref));
  if (there === 'gone' || (there !== undefined && there.generation > entry.generation)) return 'outdated';
  const outcome = await to.put(ref, entry.generation, entry.secret);
  if (!holds(await to.latest(ref), entry)) throw missing(ref);
  return outcome === 'stored' ? 'copied' : 'present';
}

const holds = (there: VaultEntry, entry: VaultEntry): boolean =>
  there.generation > entry.generation ||
  (there.generation === entry.generation && sameSecret(there.secret, entry.secret));

async function unlessGone(reading: Promise<VaultEntry>): Promise<VaultEntry | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isDurableOAuthError(error, 'VAULT_GONE')) return undefined;
    throw error;
  }
}

async function unlessMissing(reading: Promise<VaultEntry>): Promise<VaultEntry | 'gone' | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isDurableOAuthError(error, 'VAULT_GONE')) return 'gone';
    if (isDurableOAuthError(error, 'VAULT_MISSING')) return undefined;
    throw error;
  }
}

function missing(ref: string): DurableOAuthError {
  return new DurableOAuthError('VAULT_MISSING', 'The target does not hold what was copied to it', { ref });
}
