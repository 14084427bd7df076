/** What the Temporal client throws, as failures of ours. */
import {
  ApplicationFailure,
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { DurableOAuthError, isDurableOAuthError, isErrorCode } from '../errors';

/** Whether there is no such run (any more). */
export function isGone(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError;
}

/** Whether the call may succeed later: the service is away, busy, or no worker answered in time. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  return error instanceof ServiceError || (error instanceof Error && error.name === 'QueryNotRegisteredError');
}

/** @returns TEMPORAL_UNAVAILABLE for every failure of the service, the code with which a handler refused; ours pass */
export function asOurs(error: unknown, attempted: string): Error {
  if (isDurableOAuthError(error)) return error;
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
    const { type } = error.cause;
    return new DurableOAuthError(isErrorCode(type) ? type : 'TEMPORAL_UNAVAILABLE', attempted);
  }
  if (isUnreachable(error)) return new DurableOAuthError('TEMPORAL_UNAVAILABLE', attempted);
  return error instanceof Error ? error : new DurableOAuthError('INTERNAL', attempted);
}
