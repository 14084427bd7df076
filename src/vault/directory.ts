/**
 * The embedded vault: one encrypted file per cell in a folder of one machine (POSIX, hard links needed).
 *
 *     <path>/key-check                     tells a wrong key at opening
 *     <path>/drafts/                       files on their way to their name
 *     <path>/refs/<ref>/<generation>.cell  AES-256-GCM; ref and generation are authenticated
 *     <path>/refs/<ref>/destroyed.mark     the tombstone: nothing is stored under the ref again
 *
 * Any number of processes may share the folder. Of each ref the newest 100 generations are kept.
 */
import { access, constants, readdir, readFile, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DurableOAuthError } from '../errors';
import {
  checkCell,
  checkRef,
  sameSecret,
  secretFromText,
  secretToText,
  vaultConflict,
  vaultGone,
  vaultMissing,
} from './cell';
import type { DirectoryKey } from './directory-key';
import { createOnce, makeFolder, onDisk, removeOldDrafts, syncFolder, unlessMissing } from './disk';
import type { Vault, VaultCapabilities, VaultEntry } from './port';
import { seal, unseal } from './seal';
import type { VaultSecret } from './secret';

export interface DirectoryVaultOptions {
  /** Folder of its own; made when it is not there. */
  readonly path: string;
  readonly key: DirectoryKey;
  /** Whether the folder may be made; false for an installation that has used it: a missing one is then an outage. */
  readonly create?: boolean;
}

const FORMAT = 'durable-oauth directory vault 1';
const TOMBSTONE = 'destroyed.mark';
const CELL = /^([1-9][0-9]{0,15})\.cell$/;
const KEPT_GENERATIONS = 100;
/** Below this a checkWritable refuses: a few cells must still fit when it has said yes. */
const FREE_BYTES_NEEDED = 1_048_576;

/**
 * Open the vault folder, making it on first use, and remove what killed processes left behind.
 *
 * A process that made a new vault where the volume of the old one is not mounted would find every grant missing.
 * @throws CONFIGURATION_INVALID when the key does not fit the folder, or other users may enter it
 * @throws VAULT_UNAVAILABLE when the file system fails
 */
export async function openDirectoryVault(options: DirectoryVaultOptions): Promise<Vault> {
  const vault = new DirectoryVault(options.path, options.key);
  await onDisk('The vault folder cannot be opened', { path: options.path }, () =>
    vault.prepare(options.create ?? true),
  );
  return vault;
}

class DirectoryVault implements Vault {
  readonly capabilities: VaultCapabilities = {
    driver: 'directory',
    // As AWS Secrets Manager: what works here works there.
    maxBytes: 65_536,
    minWriteIntervalSeconds: 0,
    recoveryWindowDays: 0,
  };
  readonly #path: string;
  readonly #refs: string;
  readonly #drafts: string;
  readonly #keyCheck: string;
  readonly #key: DirectoryKey;

  constructor(path: string, key: DirectoryKey) {
    this.#path = path;
    this.#refs = join(path, 'refs');
    this.#drafts = join(path, 'drafts');
    this.#keyCheck = join(path, 'key-check');
    this.#key = key;
  }

  async prepare(create: boolean): Promise<void> {
    if (!create && (await unlessMissing(access(this.#keyCheck).then(() => true))) === undefined) {
      throw new DurableOAuthError(
        'VAULT_UNAVAILABLE',
        `There is no vault in ${this.#path}, and none is made here: is its volume mounted, and VAULT_PATH right?`,
      );
    }
    await makeFolder(this.#path);
    if (((await stat(this.#path)).mode & 0o077) !== 0) {
      throw new DurableOAuthError(
        'CONFIGURATION_INVALID',
        `Other users may enter the vault folder; run: chmod 700 ${this.#path}`,
      );
    }
    await makeFolder(this.#drafts);
    await makeFolder(this.#refs);
    // In this order: a key check that is missing after a ref was seen was lost, not about to be made.
    const used = (await readdir(this.#refs)).length > 0;
    await this.#checkKey(used);
    await removeOldDrafts(this.#drafts);
  }

  async put(ref: string, generation: number, secret: VaultSecret): Promise<'stored' | 'same'> {
    checkCell(ref, generation);
    const text = secretToText(ref, secret, this.capabilities.maxBytes);
    return onDisk('The vault entry was not stored', { ref, generation }, async () => {
      await this.#reach();
      const folder = this.#folder(ref);
      await makeFolder(folder);
      const { destroyed, generations } = await this.#look(folder);
      if (destroyed) throw vaultGone(ref);
      if (generations.length >= KEPT_GENERATIONS && generation < Math.min(...generations)) {
        throw vaultConflict(ref, generation);
      }
      const cell = join(folder, `${generation}.cell`);
      const stored = await createOnce(cell, seal(this.#key, cellContext(ref, generation), text), this.#drafts);
      // A destroy that listed the folder before our link did not see the cell; its tombstone was written before.
      if ((await this.#look(folder)).destroyed) {
        await unlessMissing(unlink(cell));
        throw vaultGone(ref);
      }
      if (!stored) return this.#compare(ref, generation, secret);
      await this.#purge(folder, [...generations, generation]);
      return 'stored';
    });
  }

  async latest(ref: string): Promise<VaultEntry> {
    checkRef(ref);
    return onDisk('The vault entry was not read', { ref }, async () => {
      const folder = this.#folder(ref);
      const found = await unlessMissing(this.#look(folder));
      if (found?.destroyed === true) throw vaultGone(ref);
      if (found === undefined || found.generations.length === 0) {
        // "Nothing was ever put" may be said only by a vault that is there, not by an empty mount point.
        await this.#reach();
        throw vaultMissing(ref);
      }
      const generation = Math.max(...found.generations);
      return { generation, secret: await this.#read(ref, generation) };
    });
  }

  async destroy(ref: string): Promise<void> {
    checkRef(ref);
    await onDisk('The vault entry was not destroyed', { ref }, async () => {
      await this.#reach();
      const folder = this.#folder(ref);
      await makeFolder(folder);
      await createOnce(join(folder, TOMBSTONE), Buffer.alloc(0), this.#drafts);
      const { generations } = await this.#look(folder);
      for (const generation of generations) await unlessMissing(unlink(join(folder, `${generation}.cell`)));
      await syncFolder(folder);
    });
  }

  async checkWritable(): Promise<void> {
    await onDisk('The vault takes no entries', {}, async () => {
      await this.#reach();
      for (const folder of [this.#refs, this.#drafts]) await access(folder, constants.W_OK | constants.X_OK);
      const { bavail, bsize, files, ffree } = await statfs(this.#drafts);
      // A file system without a fixed number of files reports 0 of 0.
      if (bavail * bsize >= FREE_BYTES_NEEDED && (files === 0 || ffree > 0)) return;
      throw new DurableOAuthError('VAULT_UNAVAILABLE', 'The vault takes no entries: the disk is full; free space');
    });
  }

  async *list(prefix: string): AsyncGenerator<string> {
    yield* this.#walk('', prefix);
  }

  async *#walk(parent: string, prefix: string): AsyncGenerator<string> {
    const entries = await onDisk('The vault entries were not listed', { prefix }, () =>
      readdir(join(this.#refs, parent), { withFileTypes: true }),
    );
    const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    if (parent.startsWith(prefix) && !names.includes(TOMBSTONE) && names.some((name) => CELL.test(name))) yield parent;
    for (const entry of entries) {
      if (!entry.isDirectory()) continue;
      const child = parent === '' ? entry.name : `${parent}/${entry.name}`;
      if (child.startsWith(prefix) || prefix.startsWith(`${child}/`)) yield* this.#walk(child, prefix);
    }
  }

  /** Fails when the folder is not the vault that was opened, for example because its volume was unmounted. */
  async #reach(): Promise<void> {
    await access(this.#keyCheck);
  }

  async #checkKey(used: boolean): Promise<void> {
    const context = `${FORMAT}\nkey-check`;
    let sealed = await unlessMissing(readFile(this.#keyCheck));
    if (sealed === undefined && !used) {
      await createOnce(this.#keyCheck, seal(this.#key, context, 'ok'), this.#drafts);
      sealed = await readFile(this.#keyCheck);
    }
    if (sealed === undefined) {
      throw new DurableOAuthError(
        'VAULT_CORRUPT',
        `The vault folder ${this.#path} lost its file "key-check"; restore the whole folder from a backup`,
      );
    }
    if (unseal(this.#key, context, sealed) === undefined) {
      throw new DurableOAuthError(
        'CONFIGURATION_INVALID',
        `The vault key does not fit this vault folder (${this.#path}); give the key it was made with, or name an empty folder to start anew`,
      );
    }
  }

  #folder(ref: string): string {
    return join(this.#refs, ...ref.split('/'));
  }

  async #look(folder: string): Promise<{ destroyed: boolean; generations: readonly number[] }> {
    const names = await readdir(folder);
    const generations = names.flatMap((name) => CELL.exec(name)?.[1] ?? []).map(Number);
    return { destroyed: names.includes(TOMBSTONE), generations };
  }

  async #read(ref: string, generation: number): Promise<VaultSecret> {
    const sealed = await unlessMissing(readFile(join(this.#folder(ref), `${generation}.cell`)));
    // It was there a moment ago: only a destroy, or a hundred newer generations, take a cell away.
    if (sealed === undefined) {
      if ((await this.#look(this.#folder(ref))).destroyed) throw vaultGone(ref);
      throw new DurableOAuthError('VAULT_UNAVAILABLE', 'The vault entry changed while it was read', { ref });
    }
    const text = unseal(this.#key, cellContext(ref, generation), sealed);
    if (text === undefined) {
      throw new DurableOAuthError(
        'VAULT_CORRUPT',
        'The vault entry cannot be opened: its file was changed, cut off or moved. Restore it from a backup, or enter the secret or give consent again',
        { ref, generation },
      );
    }
    return secretFromText(ref, generation, text);
  }

  async #compare(ref: string, generation: number, secret: VaultSecret): Promise<'same'> {
    if (sameSecret(await this.#read(ref, generation), secret)) return 'same';
    throw vaultConflict(ref, generation);
  }

  /** Refresh tokens that were replaced long ago are of no use to anyone but a thief. */
  async #purge(folder: string, generations: readonly number[]): Promise<void> {
    const old = [...generations].sort((a, b) => b - a).slice(KEPT_GENERATIONS);
    // The put is done: what stays behind now goes with the next one.
    for (const generation of old) await unlink(join(folder, `${generation}.cell`)).catch(() => undefined);
  }
}

function cellContext(ref: string, generation: number): string {
  return `${FORMAT}\n${ref}\n${generation}`;
}
