/** What a failed activity means to a workflow. Matched by type strings: `instanceof` of ours does not cross the sandbox. */
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { FailureFacts } from '../src/connection/types';
import { isErrorCode, type ErrorCode, type FailureClass } from '../src/errors';

export interface ActivityOutcome<Heartbeat> {
  /** As a connection sees it. */
  readonly facts: FailureFacts;
  /** The code the activity failed with. */
  readonly code: ErrorCode;
  /** The activity never answered: it may have sent. */
  readonly timedOut: boolean;
  /** The activity's one heartbeat: the provider's answer, sealed. */
  readonly heartbeat?: Heartbeat;
}

/**
 * @typeParam Heartbeat what the activity's one heartbeat carries
 * @throws the error itself when it is a cancellation or no failure of an activity
 */
export function outcomeOf<Heartbeat = never>(error: unknown): ActivityOutcome<Heartbeat> {
  if (!(error instanceof ActivityFailure)) throw error;
  const { cause } = error;
  if (cause instanceof TimeoutFailure) {
    return {
      facts: { class: 'AMBIGUOUS', code: 'REFRESH_OUTCOME_UNKNOWN' },
      code: 'REFRESH_OUTCOME_UNKNOWN',
      timedOut: true,
      heartbeat: (cause.lastHeartbeatDetails ?? undefined) as Heartbeat | undefined,
    };
  }
  if (cause instanceof ApplicationFailure) {
    const code = isErrorCode(cause.type) ? cause.type : 'INTERNAL';
    return { facts: factsOf(cause, code), code, timedOut: false };
  }
  throw error;
}

function factsOf(failure: ApplicationFailure, code: ErrorCode): FailureFacts {
  const detail: unknown = failure.details?.[0];
  if (isFailureFacts(detail)) return detail;
  const [kind, reason] = LOCAL[code] ?? ['AMBIGUOUS', 'REFRESH_OUTCOME_UNKNOWN'];
  return { class: kind, code: reason };
}

/** Failures of our own parts, as a connection sees them. Anything else may have happened after the send. */
const LOCAL: Partial<Record<ErrorCode, readonly [FailureClass, ErrorCode]>> = {
  VAULT_UNAVAILABLE: ['TRANSIENT', 'STORAGE_UNREACHABLE'],
  VAULT_CORRUPT: ['TRANSIENT', 'STORAGE_UNREACHABLE'],
  REGISTRY_UNAVAILABLE: ['TRANSIENT', 'STORAGE_UNREACHABLE'],
  // A worker that serves other tenants only: another one will do it.
  FORBIDDEN: ['TRANSIENT', 'STORAGE_UNREACHABLE'],
  // What was put and is not there is a store that is not the one it was put into.
  VAULT_MISSING: ['TRANSIENT', 'STORAGE_UNREACHABLE'],
  VAULT_GONE: ['REAUTH', 'GRANT_REFUSED'],
  OAUTH_CLIENT_UNUSABLE: ['CONFIG', 'OAUTH_CLIENT_UNUSABLE'],
  INTEGRATION_DELETED: ['CONFIG', 'INTEGRATION_DELETED'],
  ENDPOINT_BLOCKED: ['BLOCKED', 'ENDPOINT_BLOCKED'],
  ENVELOPE_UNREADABLE: ['REAUTH', 'GRANT_REFUSED'],
};

/** The same for people: a code that has words of its own. */
export const reasonOf = (code: ErrorCode): ErrorCode => LOCAL[code]?.[1] ?? code;

function isFailureFacts(value: unknown): value is FailureFacts {
  return typeof value === 'object' && value !== null && 'class' in value && 'code' in value;
}
