import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from './build.mjs';
import { ensureInstalled } from './ensure-installed.mjs';
import { Problem, root } from './root.mjs';

/** Installs and builds what is missing, then runs a built program with the arguments given. Never returns. */
export async function runBuilt(program) {
  try {
    await ensureInstalled();
    await build();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.error(error.message);
    process.exit(1);
  }
  const child = spawn(process.execPath, [join(root, 'dist', program), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to the child as well; a supervisor sends SIGTERM to us alone.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.once('exit', (code) => process.exit(code ?? 1));
}
