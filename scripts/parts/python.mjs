import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import fileLock from '../../src/cli/dev/file-lock.js';
import { lockPath, Problem, run } from '../root.mjs';

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'durable-oauth');

/**
 * Install a tool from PyPI into a folder of its own, on first use.
 * @param {string[]} [extras] packages it needs besides
 * @returns {Promise<string>} the folder of its executables
 */
export async function pythonTool(name, version, extras = []) {
  const folder = join(CACHE, `${name}-${version}`);
  const onWait = () => console.error(`${name} is being installed`);
  await fileLock.withFileLock(lockPath(name), { onWait }, () => install(folder, name, version, extras));
  return join(folder, 'bin');
}

async function install(folder, name, version, extras) {
  const done = join(folder, '.installed');
  if (existsSync(done)) return;
  rmSync(folder, { recursive: true, force: true });
  console.error(`Installing ${name} ${version} from PyPI (about half a minute, once)`);
  await step(
    'python3',
    ['-m', 'venv', folder],
    'Python 3 with its venv module is needed: apt-get install python3-venv.',
  );
  const packages = [`${name}==${version}`, ...extras];
  await step(join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...packages], '');
  writeFileSync(done, '');
}

async function step(command, args, hint) {
  const { code, output } = await run(command, args, { quiet: true });
  if (code !== 0) throw new Problem(`${hint} ${command} said: ${output.trim().slice(-1_000)}`.trim());
}
