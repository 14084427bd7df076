/** The embedded database as its owner, the `dev` supervisor, sees it. */
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { DurableOAuthError } from '../../errors';
import { packageFolder } from './package-folder';

/** A first start without template runs initdb. */
const START_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 10_000;

export interface EmbeddedDatabaseOptions {
  /** Folder that keeps the data; `memory` keeps nothing. */
  readonly dataDir: string;
  /** Serve again under the URL of an earlier start, so that its clients find it. */
  readonly url?: string;
  /** Told in a sentence when something takes long. */
  readonly log?: (line: string) => void;
}

export interface EmbeddedDatabase {
  /** Holds the password of this start: never to be printed. */
  readonly url: string;
  readonly pid: number;
  /** Resolves when the process is gone, wanted or not. */
  readonly ended: Promise<void>;
  /** Close the files and end the process. Twice is fine. */
  stop(): Promise<void>;
}

type Message = { readonly ready?: number; readonly failed?: string; readonly line?: string };

/**
 * Start PGlite in a process of its own, on 127.0.0.1. It ends when this process does, however this one ends; after a
 * SIGKILL the next start goes on with what was committed.
 *
 * @throws CONFIGURATION_INVALID when another process has the folder, or it cannot be written or opened: a sentence that
 * says what to do
 */
export async function startEmbeddedDatabase(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
  const address = new URL(options.url ?? `postgresql://postgres:${randomBytes(24).toString('hex')}@127.0.0.1/postgres`);
  const child = fork(join(packageFolder(), 'assets', 'embedded-database.mjs'), {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  child.send({
    dataDir: options.dataDir === 'memory' ? null : resolve(options.dataDir),
    port: Number(address.port),
    password: address.password,
  });
  try {
    address.port = String(await readyPort(child, options.log));
  } catch (error) {
    child.kill('SIGKILL');
    await ended;
    throw error;
  }
  return { url: address.href, pid: child.pid ?? 0, ended, stop: () => stop(child, ended) };
}

function readyPort(child: ChildProcess, log: EmbeddedDatabaseOptions['log']): Promise<number> {
  return new Promise((done, fail) => {
    const refuse = (sentence: string): void => {
      clearTimeout(deadline);
      fail(new DurableOAuthError('CONFIGURATION_INVALID', sentence));
    };
    const deadline = setTimeout(() => refuse('The embedded database does not start'), START_DEADLINE_MS);
    child.on('message', ({ ready, failed, line }: Message) => {
      if (line !== undefined) log?.(line);
      if (failed !== undefined) refuse(failed);
      if (ready === undefined) return;
      clearTimeout(deadline);
      done(ready);
    });
    child.once('error', () => refuse('The embedded database cannot be started as a process'));
    child.once('exit', () => refuse('The embedded database ended while it started'));
  });
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(impatience);
}
