import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from './build.mjs';
import { ensureInstalled } from './ensure-installed.mjs';
import { Problem, root } from './root.mjs';

/**
 * Installs and builds what is missing, then runs a built program. Never returns.
 * @param {{ args?: string[], after?: () => Promise<void> | undefined }} [options] by default this process's arguments
 */
export async function runBuilt(program, { args = process.argv.slice(2), after } = {}) {
  try {
    await ensureInstalled();
    await build();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.error(error.message);
    await after?.();
    process.exit(1);
  }
  const child = spawn(process.execPath, [join(root, 'dist', program), ...args], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to the child as well; a supervisor sends SIGTERM to us alone.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.once('exit', async (code) => {
    await after?.();
    process.exit(code ?? 1);
  });
}
