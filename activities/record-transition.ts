import { parseRef } from '../src/connection/ids';
import { originIn } from '../src/connection/messages';
import type { ConnectionRef } from '../src/connection/types';
import type { Registry } from '../src/registry/contract';
import type { DurableOAuthActivities } from './contract';
import { behindBoundary } from './failure';

export interface RecordTransitionDeps {
  readonly registry: Pick<Registry, 'connections'>;
  /** Completes the parked flows of a connection that became active (activities/complete-waiters.ts). */
  readonly completeWaiters: (ref: ConnectionRef, state: 'active') => Promise<void>;
}

/**
 * Project a state to its row and event (forward only by version) and, when it is `active`, complete the flows parked on
 * it. A freeze is written whatever the version. Repeating is harmless.
 *
 * @returns the row's version, whether this state was taken, and whether the row is frozen
 */
export function createRecordTransition(deps: RecordTransitionDeps): DurableOAuthActivities['recordTransition'] {
  return (input) =>
    behindBoundary(async () => {
      const ref = parseRef(input.ref);
      const told = { ...originIn(input), facts: input.facts };
      const event = input.event === undefined ? undefined : { type: input.event, ...told };
      if (input.freeze) {
        await deps.registry.connections.freeze(ref, event ?? { type: 'connection.frozen', ...told });
        if (input.event === 'connection.frozen') {
          return { v: 1, stateVersion: input.stateVersion, applied: true, frozen: true };
        }
      }
      const recorded = await deps.registry.connections.recordTransition(ref, {
        stateVersion: input.stateVersion,
        state: input.state,
        recovery: input.recovery,
        reason: input.reason,
        since: input.since,
        evidence: input.evidence,
        nextAttemptAt: input.nextAttemptAt,
        usable: input.usable,
        event,
      });
      if (input.state === 'active') await deps.completeWaiters(ref, 'active');
      return { v: 1, ...recorded };
    });
}
