/** Time limits and retries of the activities behind `connection()`: the whole table. */
import { proxyActivities } from '@temporalio/workflow';
import type { RequestActivities } from '../../activities/contract';
import { REQUESTS_TASK_QUEUE } from '../connection/ids';

/** Above the budget of 33 s that the activity keeps by itself (HTTP at most 30 s of it). */
const REQUEST = {
  taskQueue: REQUESTS_TASK_QUEUE,
  startToCloseTimeout: '35 seconds',
  heartbeatTimeout: '5 seconds',
} as const;

/** Repeated until there is an answer: an outage on the way must not fail a flow. The activity ends repeated 5xx itself. */
export const repeated = proxyActivities<Pick<RequestActivities, 'sendRequest'>>({
  ...REQUEST,
  retry: { initialInterval: '1 second', maximumInterval: '5 minutes' },
});

/** A write that the API could not recognise as a repetition. */
export const once = proxyActivities<Pick<RequestActivities, 'sendRequest'>>({
  ...REQUEST,
  retry: { maximumAttempts: 1 },
});

/**
 * Each attempt registers anew, so a waiter that was lost costs ten minutes. The pause does not grow: nobody is registered
 * during it. A parked activity cannot hear that it is cancelled, so nobody waits for it to say so.
 */
export const parking = proxyActivities<Pick<RequestActivities, 'untilActive'>>({
  taskQueue: REQUESTS_TASK_QUEUE,
  startToCloseTimeout: '10 minutes',
  retry: { initialInterval: '5 seconds', backoffCoefficient: 1 },
  cancellationType: 'TRY_CANCEL',
});

/** Milliseconds to wait before a flow tries again by itself, after `rounds` tries. */
export function pauseMs(rounds: number): number {
  return Math.min(1_000 * 2 ** (rounds - 1), 300_000);
}
