/** Our two Temporal workers: the connections' own queue, and the queue of authorised requests. */
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { Composition } from './compose';
import { REQUESTS_TASK_QUEUE, TASK_QUEUE } from './connection/ids';

export interface WorkersOptions {
  /** Shared with other workers of the process; a connection of its own when absent. */
  readonly connection?: NativeConnection;
  readonly namespace?: string;
  /** For test harnesses: codecs, interceptors, cache size, a ready bundle. */
  readonly worker?: Partial<WorkerOptions>;
}

/**
 * Longer than a refresh may take: a deploy must not cut a rotation in half. And a crashed worker's tasks move on after
 * 2 s instead of the SDK's 10 s.
 */
const CAREFUL = { shutdownGraceTime: '50 s', stickyQueueScheduleToStartTimeout: '2 s' } as const;

/** @returns the workers, not yet running */
export async function createWorkers(parts: Composition, options: WorkersOptions = {}): Promise<readonly Worker[]> {
  const configured = options.connection ? undefined : loadClientConnectConfig();
  const connection = options.connection ?? (await NativeConnection.connect(configured?.connectionOptions));
  const namespace = options.namespace ?? configured?.namespace ?? parts.temporal.options.namespace;
  const common = { connection, namespace, ...CAREFUL, ...options.worker };
  return Promise.all([
    Worker.create({
      ...common,
      ...(options.worker?.workflowBundle ? {} : { workflowsPath: require.resolve('../workflows') }),
      taskQueue: TASK_QUEUE,
      activities: parts.activities,
    }),
    Worker.create({
      ...common,
      workflowBundle: undefined,
      taskQueue: REQUESTS_TASK_QUEUE,
      activities: parts.requestActivities,
    }),
  ]);
}
