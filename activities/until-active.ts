import { activityInfo, CompleteAsyncError } from '@temporalio/activity';
import { parseRef } from '../src/connection/ids';
import type { ConnectionRef, ConnectionState } from '../src/connection/types';
import { DurableOAuthError } from '../src/errors';
import type { Registry } from '../src/registry/contract';
import type { RequestActivities } from './contract';
import { behindBoundary } from './failure';

export interface UntilActivePorts {
  readonly connections: Pick<Registry['connections'], 'get'>;
  readonly waiters: Pick<Registry['waiters'], 'park' | 'remove'>;
}

/**
 * Complete when the connection works; until then the flow is parked: a row keeps the task token, and whoever records the
 * way back to `active` completes it (activities/complete-waiters.ts).
 *
 * Reads the state, writes the row, reads the state again: a change between the two readings is seen by one side or by
 * both. Running it again replaces the row. Fails with NOT_FOUND, and retryable with REGISTRY_UNAVAILABLE.
 */
export function createUntilActive(ports: UntilActivePorts): RequestActivities['untilActive'] {
  return (input) =>
    behindBoundary(async () => {
      const ref = parseRef(input.ref);
      const before = await workingState(ports, ref);
      if (before) return { v: 1, state: before };

      const { workflowExecution, activityId, taskToken } = activityInfo();
      const waiter = { ...ref, workflow: workflowExecution?.workflowId ?? '', activity: activityId, taskToken };
      await ports.waiters.park(waiter);

      const after = await workingState(ports, ref);
      if (!after) throw new CompleteAsyncError();
      await ports.waiters.remove(waiter);
      return { v: 1, state: after };
    });
}

/** @returns the state when requests are served in it; a frozen connection serves none, whatever its row says */
async function workingState(ports: UntilActivePorts, ref: ConnectionRef): Promise<ConnectionState | undefined> {
  const row = await ports.connections.get(ref);
  if (!row) throw new DurableOAuthError('NOT_FOUND', 'Wait for a connection', { ...ref });
  const works = row.frozenAt === null && (row.state === 'active' || row.state === 'degraded');
  return works ? row.state : undefined;
}
