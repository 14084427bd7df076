import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { ensureInstalled } from './ensure-installed.mjs';
import { Problem, root, tool } from './root.mjs';
import { locateTemporal } from './temporal.mjs';

const EXIT_LIMIT_MS = 60_000;

/** Jest with the arguments given, after everything it needs is there; the last line is `N passed, N failed[, N skipped]`. */
async function test() {
  await ensureInstalled();
  const temporal = await locateTemporal();
  await build();
  const env = { ...process.env };
  if (temporal.kind === 'executable') env.TEMPORAL_CLI_PATH = temporal.path;

  const folder = mkdtempSync(join(tmpdir(), 'durable-oauth-test-'));
  try {
    const file = join(folder, 'results.json');
    const code = await jest(file, env);
    return { code, results: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function jest(file, env) {
  const args = [tool('jest/bin/jest.js'), '--json', `--outputFile=${file}`, ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
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

function summary(code, results) {
  if (!results) return '0 passed, 1 failed';
  const broken = results.numFailedTests + results.numRuntimeErrorTestSuites;
  // Jest may also fail with every test passed: nothing was found, or it did not exit.
  const failed = code === 0 ? broken : Math.max(broken, 1);
  const skipped = results.numPendingTests ? `, ${results.numPendingTests} skipped` : '';
  return `${results.numPassedTests} passed, ${failed} failed${skipped}`;
}

try {
  const { code, results } = await test();
  if (results) printSkips(results);
  console.log(summary(code, results));
  process.exitCode = code;
} catch (error) {
  console.error(error instanceof Problem ? error.message : error);
  console.log(summary(1, undefined));
  process.exitCode = 1;
}
