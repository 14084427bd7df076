import type { NativeConnection, Worker, WorkerOptions, WorkerPlugin } from '@temporalio/worker';
import type { ConnectionInterceptor } from '../activities/with-connection';
import { REQUESTS_TASK_QUEUE, TASK_QUEUE } from './connection/ids';

/** The part of a Temporal worker that the plugin needs. */
export type BesideWorker = Pick<Worker, 'run' | 'shutdown' | 'getState'>;

export interface PluginParts {
  /** Lets `withConnection` work in the author's own activities. */
  readonly interceptor: ConnectionInterceptor;
  /** Make our workers, not yet running. Without connection they connect as the SDK does by default. */
  startWorkers(where: { connection?: NativeConnection; namespace: string }): Promise<readonly BesideWorker[]>;
}

/**
 * Runs the workers of durable-oauth beside yours, on the same connection and namespace, from your worker's start to its
 * end. Your bundle, activities and data converter are left alone; your activities gain `withConnection`.
 *
 * ```ts
 * const worker = await Worker.create({ taskQueue, workflowsPath, plugins: [new DurableOAuthPlugin(parts)] });
 * ```
 *
 * When one of our workers fails, yours is shut down and `run` fails with that error.
 */
export class DurableOAuthPlugin implements WorkerPlugin {
  readonly name = 'durable-oauth.DurableOAuthPlugin';
  readonly #parts: PluginParts;

  constructor(parts: PluginParts) {
    this.#parts = parts;
  }

  configureWorker(options: WorkerOptions): WorkerOptions {
    const { interceptor } = this.#parts;
    const { activity = [], ...others } = options.interceptors ?? {};
    // Given to the worker and to its connection, a plugin is asked twice.
    if (activity.includes(interceptor)) return options;
    return { ...options, interceptors: { ...others, activity: [...activity, interceptor] } };
  }

  async runWorker(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void> {
    const { connection, namespace, taskQueue } = worker.options;
    // Ours inherit the plugins of the connection they share.
    if (taskQueue === TASK_QUEUE || taskQueue === REQUESTS_TASK_QUEUE) return next(worker);

    // First, and without waiting: `runUntil` only shuts down a worker that is running already.
    const theirs = next(worker);
    const ours = this.#parts.startWorkers({ connection, namespace }).then((workers) => runBeside(workers, theirs));
    for (const end of await Promise.allSettled([theirs, ours.finally(() => shutdown(worker))])) {
      if (end.status === 'rejected') throw end.reason;
    }
  }
}

/** Run until `theirs` ends, or until one of ours does. */
async function runBeside(workers: readonly BesideWorker[], theirs: Promise<void>): Promise<void> {
  const ours = workers.map((worker) => worker.run());
  try {
    await Promise.race([theirs.catch(() => undefined), ...ours]);
  } finally {
    // Also when theirs ended before ours began: a worker that never ran would keep its connection open.
    workers.forEach(shutdown);
    await Promise.allSettled(ours);
  }
}

function shutdown(worker: BesideWorker): void {
  if (worker.getState() === 'RUNNING') worker.shutdown();
}
