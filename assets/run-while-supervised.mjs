// Runs a program for as long as our supervisor lives: it holds our standard input, which ends however the supervisor ends.
// For programs that do not watch it themselves. Usage: run-while-supervised.mjs <program> [arguments]
import { spawn } from 'node:child_process';

const STOP_WITHIN_MS = 10_000;
const [program, ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });

function stop() {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS).unref();
}

process.stdin.resume().once('end', stop).once('error', stop);
process.on('SIGTERM', stop);
child.once('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
child.once('exit', (code) => process.exit(code ?? 1));
