// @ts-check
'use strict';
const { spawn } = require('node:child_process');
const { constants } = require('node:fs');
const { access, mkdir, mkdtemp, readdir, rename, rm } = require('node:fs/promises');
const { homedir } = require('node:os');
const { delimiter, isAbsolute, join } = require('node:path');
const { withFileLock } = require('./file-lock');

/** The last release that `go install` builds: from v1.6.0 on, its go.mod carries a `replace`. */
const VERSION = 'v1.5.1';
const GO_PACKAGE = `github.com/temporalio/cli/cmd/temporal@${VERSION}`;
const GO_MINIMUM = [1, 25];
const SERVER_MINIMUM = [1, 29];
const DOWNLOAD_LIMIT_MS = 5 * 60_000;
const PROGRESS_EVERY_MS = 15_000;
/** Where a chain of errors is put into one line, the root is at its end. */
const LAST_LENGTH = 160;

/**
 * @typedef {{ kind: 'address', address: string } | { kind: 'executable', path: string }} TemporalLocation
 * @typedef {{ log: (line: string) => void, env?: NodeJS.ProcessEnv, signal?: AbortSignal }} LocateOptions
 * @typedef {{ log: (line: string) => void, env: NodeJS.ProcessEnv, signal?: AbortSignal, folder: string, cached: string }} Search
 * @typedef {{ path: string } | { reason: string }} Finding
 */

/**
 * Find a Temporal server: a running one, an installed CLI, one of an earlier time, the SDK's download, a build with Go;
 * in this order. Says which it took, and shows progress on what takes long. Two processes at once build once.
 *
 * Plain JavaScript without packages, because it is needed before `npm ci` and before a build.
 *
 * @param {LocateOptions} options
 * @returns {Promise<TemporalLocation>}
 * @throws Error whose message names every way that was tried and what to do
 */
async function locateTemporal({ log, env = process.env, signal }) {
  if (env.TEMPORAL_ADDRESS) {
    log(`Temporal: the server at ${env.TEMPORAL_ADDRESS} (TEMPORAL_ADDRESS)`);
    return { kind: 'address', address: env.TEMPORAL_ADDRESS };
  }
  const folder = join(
    env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'),
    'durable-oauth',
    'temporal-cli',
    VERSION,
  );
  const search = { log, env, signal, folder, cached: join(folder, 'temporal') };
  /** @type {string[]} */
  const reasons = ['TEMPORAL_ADDRESS is not set'];

  for (const way of [named, installed, cached]) {
    const finding = await way(search);
    if ('path' in finding) return { kind: 'executable', path: finding.path };
    reasons.push(finding.reason);
  }
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw new Error(nothingFound([...reasons, `the cache cannot be made (${error.message})`]));
  });
  const onWait = (/** @type {number} */ pid) =>
    log(`Temporal: process ${pid} is getting the CLI already, waiting for it`);
  return await withFileLock(join(folder, 'lock'), { onWait, signal }, async () => {
    await removeLeftovers(folder);
    for (const way of [cached, downloaded, built]) {
      const finding = await way(search);
      if ('path' in finding) return { kind: 'executable', path: finding.path };
      if (way !== cached) reasons.push(finding.reason);
    }
    throw new Error(nothingFound(reasons));
  });
}

/** @param {Search} search @returns {Promise<Finding>} */
async function named({ env, log }) {
  const path = env.TEMPORAL_CLI_PATH;
  if (!path) return { reason: 'TEMPORAL_CLI_PATH is not set' };
  const problem = await unfit(path, env);
  // Whoever names one wants that one: going on to another would hide the mistake.
  if (problem) throw new Error(`TEMPORAL_CLI_PATH names ${path}, which ${problem}. Correct it, or unset it.`);
  log(`Temporal: the CLI at ${path} (TEMPORAL_CLI_PATH)`);
  return { path };
}

/** @param {Search} search @returns {Promise<Finding>} */
async function installed({ env, log }) {
  for (const folder of (env.PATH ?? '').split(delimiter).filter(isAbsolute)) {
    const path = join(folder, 'temporal');
    if (!(await isExecutable(path))) continue;
    const problem = await unfit(path, env);
    if (problem) return { reason: `${path} on PATH ${problem}` };
    log(`Temporal: the CLI at ${path} (on PATH)`);
    return { path };
  }
  return { reason: '`temporal` is not on PATH' };
}

/** @param {Search} search @returns {Promise<Finding>} */
async function cached({ cached: path, log }) {
  if (!(await isExecutable(path))) return { reason: `the cache has no ${path}` };
  log(`Temporal: the CLI at ${path} (got earlier)`);
  return { path };
}

/**
 * The SDK downloads as a side effect of starting a server, so a child process starts one.
 * @param {Search} search @returns {Promise<Finding>}
 */
async function downloaded({ env, log, signal, folder, cached: path }) {
  const testing = optional('@temporalio/testing');
  if (!testing) return { reason: "the SDK's download needs @temporalio/testing, which is not installed" };
  log(`Temporal: trying the SDK's download of the CLI ${VERSION}`);
  const script = `require(process.argv[1]).TestWorkflowEnvironment.createLocal({ server: { executable: {
    type: 'cached-download', downloadDir: process.argv[2], version: ${JSON.stringify(VERSION)} } } })
    .then((environment) => environment.teardown())
    .then(() => process.exit(0), (error) => { console.error(error.message); process.exit(1); });`;
  const limit = AbortSignal.timeout(DOWNLOAD_LIMIT_MS);
  const outcome = await run(process.execPath, ['-e', script, testing, folder], {
    env,
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
    onProgress: (elapsed) => log(`Temporal: downloading, ${elapsed}`),
  });
  signal?.throwIfAborted();
  if (outcome.code !== 0) {
    log(`Temporal: the SDK's download failed (${outcome.last})`);
    return { reason: `the SDK's download failed (${outcome.last})` };
  }
  await rename(join(folder, `temporal-${VERSION}`), path);
  log(`Temporal: the CLI at ${path} (downloaded)`);
  return { path };
}

/** @param {Search} search @returns {Promise<Finding>} */
async function built({ env, log, signal, folder, cached: path }) {
  const needed = GO_MINIMUM.join('.');
  const go = /go(\d+)\.(\d+)(\.\d+)?/.exec((await run('go', ['env', 'GOVERSION'], { env, signal })).output);
  signal?.throwIfAborted();
  if (!go) return { reason: `building it needs Go >= ${needed}, and there is no Go` };
  if (isOlder(go, GO_MINIMUM)) return { reason: `building it needs Go >= ${needed}, and this is ${go[0]}` };

  log(`Temporal: building the CLI ${VERSION} with ${go[0]}: once per user, about 7 minutes on 2 cores`);
  // Built aside and renamed, so that a build cut short never looks like a CLI.
  const aside = await mkdtemp(join(folder, 'build-'));
  try {
    const outcome = await run('go', ['install', '-v', '-ldflags=-s -w', GO_PACKAGE], {
      env: { ...env, GOBIN: aside },
      signal,
      onProgress: (elapsed, lines) => log(`Temporal: building, ${elapsed}, ${lines} packages so far`),
    });
    signal?.throwIfAborted();
    if (outcome.code !== 0) return { reason: `go install ${GO_PACKAGE} failed (${outcome.last})` };
    await rename(join(aside, 'temporal'), path);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  log(`Temporal: the CLI at ${path} (built)`);
  return { path };
}

/**
 * What a killed process left; only the holder of the lock may call it.
 * @param {string} folder
 */
async function removeLeftovers(folder) {
  const names = (await readdir(folder)).filter((name) => name.startsWith('build-'));
  await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

/** @param {readonly string[]} reasons */
function nothingFound(reasons) {
  return [
    'There is no Temporal server to use:',
    ...reasons.map((reason) => `  - ${reason}`),
    'Do one of these and run it again:',
    '  - set TEMPORAL_ADDRESS to the host:port of a running Temporal server',
    `  - install the Temporal CLI (server >= ${SERVER_MINIMUM.join('.')}) on PATH, or set TEMPORAL_CLI_PATH to it`,
    "  - connect to the internet, for the SDK's download",
    `  - install Go >= ${GO_MINIMUM.join('.')}, for a build of about 7 minutes`,
  ].join('\n');
}

/**
 * @param {string} path @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>} why this is no CLI we can use, as the end of a sentence
 */
async function unfit(path, env) {
  if (!(await isExecutable(path))) return 'is not an executable file';
  // The CLI's own number is 0.0.0-DEV when Go built it; the server's is always right.
  const { output } = await run(path, ['--version'], { env, signal: AbortSignal.timeout(30_000) });
  const server = /Server (\d+)\.(\d+)/.exec(output);
  if (!server) return 'does not say which Temporal server it carries when run with --version';
  if (isOlder(server, SERVER_MINIMUM)) return `carries ${server[0]}, and ${SERVER_MINIMUM.join('.')} is needed`;
  return undefined;
}

/** @param {RegExpExecArray} found major in group 1, minor in group 2 @param {readonly number[]} minimum */
function isOlder(found, minimum) {
  const [major = 0, minor = 0] = minimum;
  return Number(found[1]) < major || (Number(found[1]) === major && Number(found[2]) < minor);
}

/** @param {string} path */
function isExecutable(path) {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** @param {string} name @returns {string | undefined} */
function optional(name) {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env: NodeJS.ProcessEnv, signal?: AbortSignal, onProgress?: (elapsed: string, lines: number) => void }} options
 * @returns {Promise<{ code: number | null, output: string, last: string }>} never rejects; `last` says why it failed
 */
function run(command, args, { env, signal, onProgress }) {
  return new Promise((resolve) => {
    const started = Date.now();
    let output = '';
    let problem = '';
    // SIGINT, because `go` then also ends the compilers it started.
    const child = spawn(command, args, { env, signal, killSignal: 'SIGINT', stdio: ['ignore', 'pipe', 'pipe'] });
    const ticker = setInterval(
      () => onProgress?.(elapsedSince(started), output.split('\n').length - 1),
      PROGRESS_EVERY_MS,
    );
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => (problem = error.message));
    child.once('close', (code) => {
      clearInterval(ticker);
      const last = problem || output.trim().split('\n').at(-1) || `exit code ${code}`;
      resolve({ code, output, last: last.length > LAST_LENGTH ? `…${last.slice(-LAST_LENGTH)}` : last });
    });
  });
}

/** @param {number} started */
function elapsedSince(started) {
  const seconds = Math.round((Date.now() - started) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

module.exports = { locateTemporal };
