/** One process at a time in a data folder: PGlite has no lock of its own, and two openers destroy the files. */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The holder before us may still be closing. */
const PATIENCE_MS = 3_000;
const PAUSE_MS = 100;

/** A failure whose message is a sentence for the person who started us. */
export class Refusal extends Error {}

function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

const holderOf = async (file) => Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);

/**
 * Lock a folder until the returned function is called; the lock of a process that is gone is taken over.
 * @throws Refusal when another process holds it or the folder cannot be written
 */
export async function lockFolder(folder) {
  const file = join(folder, 'lock');
  const own = `${file}.${process.pid}`;
  try {
    await writeFile(own, `${process.pid}\n`, { mode: 0o600 });
  } catch {
    throw new Refusal(`The data folder ${folder} cannot be written. Choose one that this user may write.`);
  }
  const deadline = Date.now() + PATIENCE_MS;
  try {
    while (!(await take(file, own))) {
      const holder = await holderOf(file);
      if (isAlive(holder) && Date.now() >= deadline) {
        throw new Refusal(
          `The data folder ${folder} is in use by process ${holder}. Stop that process (another durable-oauth dev?) or choose ` +
            `another data folder. If no such process is ours, delete ${file}.`,
        );
      }
      if (isAlive(holder)) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      else await discardStale(file, `${own}.stale`);
    }
  } finally {
    await rm(own, { force: true });
  }
  return () => rm(file, { force: true });
}

/** `link` fails when the name exists: of several processes one gets it. */
async function take(file, own) {
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moved away first and looked at again: between our look and now another process may have taken it over. */
async function discardStale(file, aside) {
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  if (isAlive(await holderOf(aside))) await take(file, aside);
  await rm(aside, { force: true });
}
