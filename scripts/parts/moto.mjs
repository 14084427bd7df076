import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import fileLock from '../../src/cli/dev/file-lock.js';
import { lockPath, Problem, run } from '../root.mjs';
import { freePort } from './postgres.mjs';

const VERSION = '5.2.5';
const FOLDER = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'durable-oauth', `moto-${VERSION}`);
const READY_MS = 60_000;

/**
 * moto, an emulator of AWS, installed from PyPI into a folder of its own on first use.
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startMoto() {
  await fileLock.withFileLock(lockPath('moto'), { onWait: () => console.error('moto is being installed') }, install);
  const port = await freePort();
  const child = spawn(join(FOLDER, 'bin', 'moto_server'), ['-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said = `${said}${chunk}`.slice(-4_000)));
  const url = `http://127.0.0.1:${port}`;
  for (const end = Date.now() + READY_MS; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    if (await answers(`${url}/moto-api/`)) break;
    if (child.exitCode === null && Date.now() < end) continue;
    child.kill('SIGKILL');
    throw new Problem(`moto did not start: ${said}`);
  }
  return {
    url,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function install() {
  const done = join(FOLDER, '.installed');
  if (existsSync(done)) return;
  rmSync(FOLDER, { recursive: true, force: true });
  console.error(`Installing moto ${VERSION} from PyPI (about half a minute, once)`);
  await step(
    'python3',
    ['-m', 'venv', FOLDER],
    'Python 3 with its venv module is needed: apt-get install python3-venv.',
  );
  const packages = [`moto==${VERSION}`, 'flask', 'flask-cors'];
  await step(join(FOLDER, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...packages], '');
  writeFileSync(done, '');
}

async function step(command, args, hint) {
  const { code, output } = await run(command, args, { quiet: true });
  if (code !== 0) throw new Problem(`${hint} ${command} said: ${output.trim().slice(-1_000)}`.trim());
}

const answers = (url) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
