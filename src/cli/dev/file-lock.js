// @ts-check
'use strict';
const { randomUUID } = require('node:crypto');
const { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } = require('node:fs/promises');
const { hostname } = require('node:os');
const { dirname } = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');

const HEARTBEAT_MS = 5_000;
const STALE_AFTER_MS = 60_000;
const POLL_MS = 250;

/**
 * Run `work` while no other process runs work under the same path. The lock of a process that died is taken over at
 * once; one whose process cannot be asked (another host, a reused pid) when its heartbeat is 60 s old.
 *
 * Plain JavaScript without packages, because it is needed before `npm ci` and before a build.
 *
 * @template T
 * @param {string} path
 * @param {{ onWait?: (pid: number) => void, signal?: AbortSignal }} options `onWait` is called once, when another holds it
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withFileLock(path, options, work) {
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), token: randomUUID() });
  await mkdir(dirname(path), { recursive: true });
  for (let waiting = false; !(await take(path, mine));) {
    const other = await holder(path);
    if (other?.stale) {
      await takeAway(path, other.content);
      continue;
    }
    if (other && !waiting) options.onWait?.(other.pid);
    waiting ||= other !== undefined;
    await pause(POLL_MS, undefined, { signal: options.signal });
  }
  const heartbeat = setInterval(() => void touch(path), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if ((await contentOf(path)) === mine) await rm(path, { force: true });
  }
}

/**
 * The link appears with its content or not at all, so nobody ever reads a half-written lock.
 * @param {string} path @param {string} content @returns {Promise<boolean>}
 */
async function take(path, content) {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, content);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** @param {string} path @returns {Promise<{ pid: number, content: string, stale: boolean } | undefined>} */
async function holder(path) {
  const content = await contentOf(path);
  if (content === undefined) return undefined;
  const beat = await stat(path).then(
    (found) => found.mtimeMs,
    () => Date.now(),
  );
  /** @type {{ pid: number, host: string }} */
  let { pid, host } = { pid: 0, host: '' };
  try {
    ({ pid, host } = JSON.parse(content));
  } catch {
    return { pid, content, stale: true };
  }
  const dead = host === hostname() && !isAlive(pid);
  return { pid, content, stale: dead || Date.now() - beat > STALE_AFTER_MS };
}

/**
 * Two waiters may find the same stale lock; the slower one must not carry off the lock the faster one has taken since.
 * @param {string} path @param {string} content
 */
async function takeAway(path, content) {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await contentOf(aside)) !== content) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

/** @param {string} path @returns {Promise<string | undefined>} */
function contentOf(path) {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** @param {string} path */
async function touch(path) {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

/** @param {number} pid @returns {boolean} */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** @param {unknown} error @returns {unknown} */
function codeOf(error) {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

module.exports = { withFileLock };
