import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fileLock from '../src/cli/dev/file-lock.js';
import { isMain, lockPath, main, Problem, root, run } from './root.mjs';

const NODE_MINIMUM = [20, 19];

/** Run `npm ci` unless node_modules holds what package-lock.json says. Two processes at once install once. */
export async function ensureInstalled() {
  checkNode();
  if (!staleness()) return;
  const onWait = (pid) => console.error(`Dependencies: process ${pid} is installing them, waiting for it`);
  await fileLock.withFileLock(lockPath('install'), { onWait }, async () => {
    const reason = staleness();
    if (!reason) return;
    console.error(`Dependencies: ${reason}; running npm ci (about a minute)`);
    const { code } = await run('npm', ['ci', '--no-fund', '--no-audit']);
    if (code !== 0) throw new Problem(`npm ci failed with exit code ${code}: what it says is above.`);
  });
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [minMajor, minMinor] = NODE_MINIMUM;
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return;
  throw new Problem(`This needs Node ${NODE_MINIMUM.join('.')} or newer, and this is Node ${process.versions.node}.`);
}

/**
 * Compared by content: a checkout changes file times without changing files. npm writes its own lock file at the end of
 * an installation, so one that was cut short has none.
 *
 * @returns {string | undefined} why an installation is needed
 */
function staleness() {
  const wanted = packagesOf('package-lock.json');
  let present;
  try {
    present = packagesOf('node_modules/.package-lock.json');
  } catch {
    return 'not installed yet';
  }
  const stale = Object.keys(wanted).find(
    (path) => path !== '' && !wanted[path].optional && present[path]?.version !== wanted[path].version,
  );
  return stale && `${stale} is not at ${wanted[stale].version}`;
}

const packagesOf = (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).packages;

if (isMain(import.meta.url)) main(ensureInstalled);
