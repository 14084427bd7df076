/** The file system as the directory driver uses it: bounded in time, durable, and silent about foreign errors. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DurableOAuthError, isDurableOAuthError, type Coordinates } from '../errors';

const DEADLINE_MS = 5_000;
const HOUR_MS = 3_600_000;

/** What a person can do about an `errno`. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'this user may not use the vault folder; check its owner and mode',
  EDQUOT: 'the disk quota is used up; free space',
  EIO: 'the disk reports an error; check it',
  EMFILE: 'this process has too many files open; raise its limit',
  ENOENT: 'the vault folder is not complete; is its volume mounted?',
  ENOSPC: 'the disk is full; free space',
  ENOTDIR: 'a file is where the vault needs a folder',
  ENOTSUP: 'the file system has no hard links; put the vault folder on another one',
  EPERM: 'the file system refuses it; it must have hard links, and this user must own the vault folder',
  EROFS: 'the volume is mounted read-only',
};

/**
 * Run a piece of work on the disk. Failures of ours pass; whatever the file system throws becomes VAULT_UNAVAILABLE.
 * Work that outlasts the deadline is not undone: create-only cells make a late success harmless.
 *
 * @throws VAULT_UNAVAILABLE also after `deadlineMs` milliseconds
 */
export async function onDisk<T>(
  attempted: string,
  coordinates: Coordinates,
  work: () => Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new DurableOAuthError('VAULT_UNAVAILABLE', `${attempted}: the disk did not answer in time`, coordinates));
    }, deadlineMs);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    if (isDurableOAuthError(error)) throw error;
    const errno = errnoOf(error);
    if (errno === undefined)
      throw new DurableOAuthError('INTERNAL', `${attempted}: a defect of the driver`, coordinates);
    const advice = ADVICE[errno] ?? 'the file system refuses it';
    throw new DurableOAuthError('VAULT_UNAVAILABLE', `${attempted}: ${advice}`, { ...coordinates, errno });
  } finally {
    clearTimeout(timer);
  }
}

/** @returns the `errno` name of a file system error, undefined for anything else */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

/** @returns undefined instead of a failure when the file is not there */
export async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Make a file that did not exist, whole or not at all, and durable when this returns: a draft is written and synced, then
 * linked to its name. `link(2)` refuses a name that is taken, where a rename would replace it.
 *
 * @returns false when the name was taken; that file is durable then
 */
export async function createOnce(path: string, content: Uint8Array, drafts: string): Promise<boolean> {
  const draft = join(drafts, `${randomUUID()}.draft`);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    return await linkOnce(draft, path);
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

async function linkOnce(draft: string, path: string): Promise<boolean> {
  let created = true;
  try {
    await link(draft, path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    created = false;
  }
  // Also for the loser of a race: the winner may not have come so far, and "it is there" must outlive a power cut.
  await syncFolder(dirname(path));
  return created;
}

/** Make a folder and its parents for this user alone, durably. */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Remove drafts that a killed process left behind. Younger ones may belong to a living process. */
export async function removeOldDrafts(drafts: string): Promise<void> {
  for (const name of await readdir(drafts)) {
    const path = join(drafts, name);
    const found = await unlessMissing(stat(path));
    if (found !== undefined && Date.now() - found.mtimeMs > HOUR_MS) await unlessMissing(unlink(path));
  }
}
