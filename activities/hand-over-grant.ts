import type { Client } from '@temporalio/client';
import { connectionWorkflowId, parseRef, TASK_QUEUE } from '../src/connection/ids';
import { CONNECTION_WORKFLOW, GRANT_READY } from '../src/connection/messages';
import { DurableOAuthError } from '../src/errors';
import type { DurableOAuthActivities } from './contract';
import { behindBoundary } from './failure';

/**
 * Tell the connection about a confirmed grant, by signal-with-start: its run may have ended by revocation or been lost.
 * Repeated until Temporal takes it; the connection ignores a consent it knows.
 */
export function createHandOverGrant(deps: {
  readonly temporal: Pick<Client, 'workflow'>;
}): DurableOAuthActivities['handOverGrant'] {
  return (input) =>
    behindBoundary(async () => {
      try {
        await deps.temporal.workflow.signalWithStart(CONNECTION_WORKFLOW, {
          workflowId: connectionWorkflowId(parseRef(input.ref)),
          taskQueue: TASK_QUEUE,
          args: [{ v: 1, ref: input.ref, tuning: input.tuning }],
          signal: GRANT_READY,
          signalArgs: [input.message],
        });
      } catch {
        throw new DurableOAuthError('TEMPORAL_UNAVAILABLE', 'Handing a grant over', { ref: input.ref });
      }
      return { v: 1 };
    });
}
