import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { DurableOAuthError } from '../../errors';
import { packageFolder } from './package-folder';
import { claimPorts, LOOPBACK } from './ports';

export { locateTemporal } from './temporal-cli';

const READY_WITHIN_MS = 60_000;
const LINES_KEPT = 20;

export interface TemporalDevServerOptions {
  /** The Temporal CLI, as `locateTemporal` found it. */
  readonly executable: string;
  /** SQLite file that outlives the server; absent = memory only. */
  readonly dbFile?: string;
  /** gRPC; 0 or absent = any free port. */
  readonly port?: number;
  /** Web UI; 0 or absent = any free port. */
  readonly uiPort?: number;
  /** No Web UI. */
  readonly headless?: boolean;
  readonly namespace?: string;
  /** For tests: timers to the millisecond, many runs per second of one workflow id, many updates at once. */
  readonly fastTimers?: boolean;
  readonly log: (line: string) => void;
  /** Stops a server that is still starting. */
  readonly signal?: AbortSignal;
}

export interface TemporalDevServer {
  /** host:port of the gRPC service. */
  readonly address: string;
  readonly uiUrl?: string;
  readonly pid: number;
  /** Settles when the server ends, asked or not; the value is what it said last. */
  readonly exited: Promise<string>;
  /** SIGTERM, then SIGKILL after 10 s. Resolves when the process is gone; twice is fine. */
  stop(): Promise<void>;
}

/**
 * Start a Temporal dev server on loopback, and wait until its namespace answers.
 *
 * @throws CONFIGURATION_INVALID (a port is in use), TEMPORAL_UNAVAILABLE (it ended, or did not answer within 60 s)
 */
export async function startTemporalDevServer(options: TemporalDevServerOptions): Promise<TemporalDevServer> {
  const { executable, namespace = 'default', headless = false, log, signal } = options;
  const [port, uiPort] = await claimPorts([options.port ?? 0, headless ? 0 : (options.uiPort ?? 0)]);
  const address = `${LOOPBACK}:${port}`;

  // A process group of its own: Ctrl-C in a terminal must reach us only, so that workers can finish against a living server.
  const guard = join(packageFolder(), 'assets', 'run-while-supervised.mjs');
  const child = spawn(process.execPath, [guard, executable, ...argumentsOf(options, port, uiPort)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = lastWordsOf(child);
  const stop = () => stopped(child, exited);
  try {
    await ready(address, namespace, exited, signal);
  } catch (error) {
    await stop();
    throw error;
  }
  const uiUrl = headless ? undefined : `http://${LOOPBACK}:${uiPort}`;
  log(`Temporal: dev server at ${address}${uiUrl ? `, Web UI at ${uiUrl}` : ''}`);
  return { address, uiUrl, pid: child.pid ?? 0, exited, stop };
}

function argumentsOf(options: TemporalDevServerOptions, port: number, uiPort: number): string[] {
  const args = ['server', 'start-dev', '--ip', LOOPBACK, '--port', String(port), '--log-level', 'error'];
  if (options.headless) args.push('--headless');
  else args.push('--ui-ip', LOOPBACK, '--ui-port', String(uiPort));
  if (options.namespace) args.push('--namespace', options.namespace);
  if (options.dbFile !== undefined) {
    args.push('--db-filename', options.dbFile);
    // SQLite's defaults wait for the disk at every commit: 20 starts a second on a busy one, instead of 130.
    args.push('--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL');
  }
  if (options.fastTimers) {
    args.push(
      '--dynamic-config-value',
      'history.timerProcessorMaxTimeShift="1ms"',
      '--dynamic-config-value',
      'history.workflowIdReuseMinimalInterval="10ms"',
      '--dynamic-config-value',
      'history.maxInFlightUpdates=100',
    );
  }
  return args;
}

/** The last lines of a process's error output, once it has ended. */
function lastWordsOf(child: ChildProcess): Promise<string> {
  let words = '';
  const keep = (chunk: Buffer) => (words = (words + String(chunk)).split('\n').slice(-LINES_KEPT).join('\n'));
  child.stdout?.resume();
  child.stderr?.on('data', keep);
  return new Promise((resolve) => {
    child.once('error', (error) => (words = error.message));
    child.once('close', () => resolve(words.trim()));
  });
}

async function ready(address: string, namespace: string, exited: Promise<string>, signal?: AbortSignal): Promise<void> {
  let lastWords: string | undefined;
  void exited.then((words) => (lastWords = words));
  const channelArgs = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 300 };
  const connection = Connection.lazy({ address, channelArgs });
  const deadline = Date.now() + READY_WITHIN_MS;
  try {
    for (;;) {
      const answering = await answers(connection, namespace);
      signal?.throwIfAborted();
      if (answering) return;
      if (lastWords !== undefined) {
        throw new DurableOAuthError(
          'TEMPORAL_UNAVAILABLE',
          `The Temporal dev server ended while starting: ${lastWords}`,
        );
      }
      if (Date.now() > deadline) {
        throw new DurableOAuthError('TEMPORAL_UNAVAILABLE', 'The Temporal dev server does not answer', { address });
      }
      await pause(50);
    }
  } finally {
    await connection.close();
  }
}

async function answers(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.withDeadline(Date.now() + 1_000, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return true;
  } catch {
    return false;
  }
}

async function stopped(child: ChildProcess, exited: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  await exited;
}
