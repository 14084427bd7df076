import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Locks of this checkout; git ignores the folder. */
export const lockPath = (name) => join(root, '.durable-oauth', `${name}.lock`);

/** Path of a script that a package of ours brings, for `process.execPath`: no shell, no PATH. */
export const tool = (path) => join(root, 'node_modules', path);

/**
 * @param {{ env?: NodeJS.ProcessEnv, quiet?: boolean, cwd?: string }} [options] quiet: collect what is printed
 * @returns {Promise<{ code: number, output: string }>} code 1 when it was ended by a signal or never started
 */
export function run(command, args, { env = process.env, quiet = false, cwd = root } = {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    });
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => (output += `${error.message}\n`));
    child.once('close', (code) => resolve({ code: code !== null && code >= 0 ? code : 1, output }));
  });
}

/** A failure that a person can act on: printed as it is, without a stack. */
export class Problem extends Error {}

/** Run a script's main function; a `Problem` is printed as one sentence. */
export function main(work) {
  work().catch((error) => {
    console.error(error instanceof Problem ? error.message : error);
    process.exitCode = 1;
  });
}

/** Whether `url` (an import.meta.url) is the script that node was started with. */
export const isMain = (url) => process.argv[1] !== undefined && fileURLToPath(url) === process.argv[1];
