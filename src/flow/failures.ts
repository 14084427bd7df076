/** Failures as a flow meets them. In a workflow only an `ApplicationFailure` fails the run; any other error blocks it. */
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { isDurableOAuthError, isErrorCode } from '../errors';
import type { ErrorCode } from '../errors';

/** While one of these lasts, waiting for people helps. */
const WAITING: readonly ErrorCode[] = ['CONSENT_NEEDED', 'NOT_CONNECTED'];

/** Codes with which `sendRequest` says, of a write that may not be repeated, that no byte of it left. */
const NOT_SENT: readonly ErrorCode[] = [
  'TOKEN_NOT_FRESH',
  'VAULT_UNAVAILABLE',
  'REGISTRY_UNAVAILABLE',
  'TEMPORAL_UNAVAILABLE',
  'PROVIDER_UNREACHABLE',
];

export function flowFailure(code: ErrorCode, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message, nonRetryable: true });
}

/** Whether the failure, or what caused it, says that the connection waits for people. */
export function waitsForPeople(error: unknown): boolean {
  for (let link = error; link instanceof Error; link = link.cause) {
    if (link instanceof ApplicationFailure && WAITING.some((code) => code === link.type)) return true;
  }
  return false;
}

export function wasNotSent(error: unknown): boolean {
  return error instanceof ApplicationFailure && NOT_SENT.some((code) => code === error.type);
}

/** @returns our own failure when that is what failed the activity, else undefined */
export function coded(error: unknown): ApplicationFailure | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  return error.cause instanceof ApplicationFailure && isErrorCode(error.cause.type) ? error.cause : undefined;
}

/** Run pure code of ours so that what it throws fails the flow, not the workflow task. */
export function failingFlow<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw isDurableOAuthError(error) ? flowFailure(error.code, error.message) : error;
  }
}
