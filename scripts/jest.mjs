import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { ensureInstalled } from './ensure-installed.mjs';
import { root, tool } from './root.mjs';
import { locateTemporal } from './temporal.mjs';

const EXIT_LIMIT_MS = 60_000;

/** Install, build and find what the tests need. @returns the environment to run them in */
export async function prepare() {
  await ensureInstalled();
  const temporal = await locateTemporal();
  await build();
  return temporal.kind === 'executable' ? { ...process.env, TEMPORAL_CLI_PATH: temporal.path } : process.env;
}

/** Run Jest. @returns {Promise<{ code: number, passed: number, failed: number, skipped: number }>} */
export async function runJest(args, env) {
  const folder = mkdtempSync(join(tmpdir(), 'durable-oauth-test-'));
  try {
    const file = join(folder, 'results.json');
    const code = await jest(file, args, env);
    if (!existsSync(file)) return { code, passed: 0, failed: 1, skipped: 0 };
    const results = JSON.parse(readFileSync(file, 'utf8'));
    printSkips(results);
    const broken = results.numFailedTests + results.numRuntimeErrorTestSuites;
    // Jest may also fail with every test passed: nothing was found, or it did not exit.
    const failed = code === 0 ? broken : Math.max(broken, 1);
    return { code, passed: results.numPassedTests, failed, skipped: results.numPendingTests };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The last line of every test command. */
export function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
}

function jest(file, args, env) {
  const command = [tool('jest/bin/jest.js'), '--json', `--outputFile=${file}`, ...args];
  const child = spawn(process.execPath, command, { cwd: root, env, stdio: 'inherit' });
  const pass = (signal) => child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  let sinceResults;
  const watch = setInterval(() => {
    if (!existsSync(file)) return;
    sinceResults ??= Date.now();
    if (Date.now() - sinceResults < EXIT_LIMIT_MS) return;
    console.error('Jest does not exit: a test left something open (npx jest --detectOpenHandles FILE says what).');
    child.kill('SIGKILL');
  }, 1_000);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(watch);
      process.off('SIGINT', pass).off('SIGTERM', pass);
      resolve(code ?? 1);
    });
  });
}

/** A skipped test says why in its title: `(skipped: no Chromium)`. Without that it was left out by `-t` or `.only`. */
function printSkips(results) {
  const skips = results.testResults
    .flatMap((file) => file.assertionResults)
    .filter(({ status }) => status === 'pending');
  const reasons = skips.map(({ fullName }) => fullName).filter((name) => name.includes('skipped:'));
  for (const name of reasons) console.log(`Skipped: ${name}`);
  if (reasons.length < skips.length) console.log(`Not selected: ${skips.length - reasons.length}`);
}
