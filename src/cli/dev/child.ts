/** A child process of the supervisor: server or worker. Its end is the supervisor's business, not its parent's death. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { DurableOAuthError } from '../../errors';

export interface Child {
  readonly pid: number;
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when it takes longer than a refresh may. */
  stop(): Promise<void>;
}

/** @param ready resolves the start when a line of its output contains it */
export async function startChild(options: {
  readonly script: string;
  readonly args?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly ready: string;
  readonly log: (line: string) => void;
}): Promise<Child> {
  const child = spawn(process.execPath, [options.script, ...(options.args ?? [])], {
    env: { ...options.env, DURABLE_OAUTH_SUPERVISED: 'on' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (line.includes(options.ready)) resolve();
        options.log(line);
      });
    }
  });
  const early = await Promise.race([ready, ended.then((code) => ({ code }))]);
  if (early)
    throw new DurableOAuthError(
      'CONFIGURATION_INVALID',
      `The ${options.args?.[0] ?? options.script} ended with code ${String(early.code)} before it was ready: its own words are above`,
    );
  return {
    pid: child.pid ?? 0,
    ended,
    kill: (signal) => void child.kill(signal),
    stop: () => stop(child, ended),
  };
}

const LONGER_THAN_A_REFRESH_MS = 60_000;

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGER_THAN_A_REFRESH_MS);
  await ended;
  clearTimeout(timer);
}
