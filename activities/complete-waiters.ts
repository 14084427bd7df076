import { heartbeat } from '@temporalio/activity';
import { ActivityNotFoundError, type AsyncCompletionClient } from '@temporalio/client';
import { formatRef } from '../src/connection/ids';
import type { ConnectionRef, ConnectionState } from '../src/connection/types';
import { DurableOAuthError } from '../src/errors';
import type { Registry } from '../src/registry/contract';

export interface CompleteWaitersPorts {
  readonly waiters: Pick<Registry['waiters'], 'list' | 'remove'>;
  readonly completion: Pick<AsyncCompletionClient, 'complete'>;
}

export type CompleteWaiters = (ref: ConnectionRef, state: ConnectionState) => Promise<void>;

const AT_ONCE = 20;

/**
 * Wake the flows that are parked on a connection: complete each waiting activity, then remove its row. Runs inside the
 * activity that recorded the state, and heartbeats for it; after a crash it is repeated and does what is left.
 *
 * A flow that ended or re-armed meanwhile is no failure.
 *
 * @throws REGISTRY_UNAVAILABLE; TEMPORAL_UNAVAILABLE, after trying all, when some are left
 */
export function createCompleteWaiters({ waiters, completion }: CompleteWaitersPorts): CompleteWaiters {
  return async (ref, state) => {
    const parked = await waiters.list(ref);
    let left = 0;
    // One iterator shared by all lanes: each waiter is taken once.
    const queue = parked.values();
    const lane = async (): Promise<void> => {
      for (const waiter of queue) {
        heartbeat();
        try {
          await complete(completion, waiter.taskToken, state);
          await waiters.remove({ ...ref, ...waiter });
        } catch {
          left += 1;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, parked.length) }, lane));
    if (left > 0)
      throw new DurableOAuthError('TEMPORAL_UNAVAILABLE', 'Wake parked flows', { connection: formatRef(ref), left });
  };
}

async function complete(
  completion: CompleteWaitersPorts['completion'],
  taskToken: Uint8Array,
  state: ConnectionState,
): Promise<void> {
  try {
    await completion.complete(taskToken, { v: 1, state });
  } catch (error) {
    if (!(error instanceof ActivityNotFoundError)) throw error;
  }
}
