/** Starting the workflow by which an OAuth client or an integration ends. */
import type { Client } from '@temporalio/client';
import { TASK_QUEUE } from '../connection/ids';
import { orLate, soon } from './patience';
import { asOurs } from './temporal-errors';

const START_DEADLINE_MS = 15_000;

interface Ending {
  readonly type: string;
  readonly workflowId: string;
  readonly input: { readonly v: 1; readonly tenant: string };
}

/**
 * Start it, or join the run that is at it.
 * @returns whether it is done (waits up to `waitMs`)
 * @throws TEMPORAL_UNAVAILABLE
 */
export async function retire(temporal: Client, { type, workflowId, input }: Ending, waitMs: number): Promise<boolean> {
  const started = temporal.withDeadline(soon(START_DEADLINE_MS), () =>
    temporal.workflow.start(type, {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      // Once more is harmless, and needed where the registry was restored to what it was before.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    }),
  );
  const handle = await started.catch((error: unknown) => {
    throw asOurs(error, 'Retiring an OAuth client or an integration');
  });
  // Nobody waits: its end is not asked for.
  if (waitMs === 0) return false;
  return (await orLate<unknown>(handle.result(), waitMs)) !== undefined;
}
