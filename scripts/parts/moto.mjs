import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Problem } from '../root.mjs';
import { freePort } from './postgres.mjs';
import { pythonTool } from './python.mjs';

const VERSION = '5.2.5';
const READY_MS = 60_000;

/**
 * moto, an emulator of AWS, installed from PyPI into a folder of its own on first use.
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startMoto() {
  const folder = await pythonTool('moto', VERSION, ['flask', 'flask-cors']);
  const port = await freePort();
  const child = spawn(join(folder, 'moto_server'), ['-H', '127.0.0.1', '-p', String(port)], {
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

const answers = (url) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
