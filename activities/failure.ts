/** The activity boundary: nothing foreign passes. Code, class, bracketed coordinates; no cause, no provider prose. */
import { ApplicationFailure, CompleteAsyncError } from '@temporalio/activity';
import { ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import type { FailureFacts } from '../src/connection/types';
import { ERRORS, isDurableOAuthError, type ErrorCode } from '../src/errors';
import { isOAuthFailure } from '../src/oauth/failure';

/** Expected states of affairs: they belong in no error log. */
const BENIGN: readonly ErrorCode[] = ['CONSENT_NEEDED'];

/**
 * @param extra facts only the caller knows: the fingerprint of the refused token, the settings that were read
 * @returns a failure whose `type` is a code of src/errors.ts; retryable when the row says `retry`
 */
export function toActivityFailure(error: unknown, extra: Partial<FailureFacts> = {}): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  if (!isDurableOAuthError(error)) {
    const name = error instanceof Error ? error.name.replace(/[^A-Za-z0-9]/g, '').slice(0, 40) : typeof error;
    return ApplicationFailure.nonRetryable(`A defect of ours [error=${name}]`, 'INTERNAL');
  }
  const { code, message } = error;
  const details: FailureFacts[] = [];
  if (isOAuthFailure(error)) {
    const { class: kind, httpStatus, oauthError, requestId, retryAfterSeconds } = error.facts;
    details.push({ class: kind, code, httpStatus, oauthError, requestId, retryAfterSeconds, ...extra });
  }
  return ApplicationFailure.create({
    type: code,
    message,
    nonRetryable: ERRORS[code].disposition !== 'retry',
    details,
    category: BENIGN.includes(code) ? ApplicationFailureCategory.BENIGN : undefined,
  });
}

/**
 * As `behindBoundary`, for what must happen in the end (storing, adopting, destroying): every failure is repeated, a
 * defect of ours too, until somebody mends its cause.
 * @param final codes that no repetition changes
 */
export async function untilDone<T>(final: readonly ErrorCode[], body: () => Promise<T>): Promise<T> {
  try {
    return await behindBoundary(body);
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || final.some((code) => code === error.type)) throw error;
    const { type, message, details } = error;
    throw ApplicationFailure.create({ type: type ?? 'INTERNAL', message, details: details ?? [], nonRetryable: false });
  }
}

/** Run an activity's body behind the boundary. Cancellation and asynchronous completion are Temporal's own and pass. */
export async function behindBoundary<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof CancelledFailure || error instanceof CompleteAsyncError) throw error;
    throw toActivityFailure(error);
  }
}
