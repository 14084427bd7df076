/** A consent confirmed by the application that its browser was sent on to, with the code that only that browser was given. */
import { ApplicationFailure, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { consentWorkflowId, formatRef } from '../connection/ids';
import {
  CONFIRM_CONSENT,
  DESCRIBE_CONSENT,
  type ConsentConfirmation,
  type ConsentReading,
} from '../connection/messages';
import { DurableOAuthError, type ErrorCode } from '../errors';
import type { Fingerprint } from '../fingerprint';
import type { Caller, Confirmation } from './contract';
import { confirmerHash } from './confirmers';
import { sha256 } from './cookies';
import { soon } from './patience';
import { asOurs, isGone, isUnreachable } from './temporal-errors';

const CONFIRM_DEADLINE_MS = 12_000;
const QUERY_DEADLINE_MS = 8_000;
/** `<workflow hash>.<HMAC>`, as `confirmationCodeOf` makes it. */
const CODE = /^([\w-]{43})\.[\w-]{43}$/;

export interface ConfirmDeps {
  readonly temporal: Client;
  readonly fingerprint: Fingerprint;
}

export async function confirmFor(
  { temporal, fingerprint }: ConfirmDeps,
  { ref, consent, code, confirmer }: Confirmation,
  caller: Caller,
): Promise<ConsentReading | undefined> {
  const stateHash = CODE.exec(code)?.[1];
  if (stateHash === undefined) return undefined;
  const handle = temporal.workflow.getHandle(consentWorkflowId(stateHash));
  const message: ConsentConfirmation = {
    v: 1,
    ref: formatRef(ref),
    consent,
    confirmation: sha256(code),
    confirmer: await confirmerHash(fingerprint, ref, confirmer),
    mode: 'endUserId' in confirmer ? 'handback' : 'session',
    ...caller,
  };
  try {
    const reading = await temporal.withDeadline(soon(CONFIRM_DEADLINE_MS), () =>
      handle.executeUpdate<ConsentReading, [ConsentConfirmation]>(CONFIRM_CONSENT, { args: [message] }),
    );
    // Let in after its time, while the grant was being discarded.
    return reading.stage === 'waiting_for_confirmation' ? undefined : reading;
  } catch (error) {
    const code = refusedAs(error);
    if (code !== undefined) throw new DurableOAuthError(code, 'The consent is of another mode');
    // Confirmed before, still under way, or over: the reading says which.
    if (!(error instanceof WorkflowUpdateFailedError || isUnreachable(error) || isGone(error)))
      throw asOurs(error, 'Confirming a consent');
  }
  try {
    const reading = await temporal.withDeadline(soon(QUERY_DEADLINE_MS), () =>
      handle.query<ConsentReading | null | undefined, [ConsentConfirmation]>(DESCRIBE_CONSENT, message),
    );
    if (reading?.stage === 'waiting_for_confirmation')
      throw new DurableOAuthError('TEMPORAL_UNAVAILABLE', 'Confirming a consent');
    return reading?.stage === 'connected' || reading?.stage === 'handing_over' ? reading : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw asOurs(error, 'Reading a consent');
  }
}

/** The confirmer is of the other mode; whatever else is refused is not told from what is over. */
function refusedAs(error: unknown): Extract<ErrorCode, 'MEMBER_MISSING' | 'MEMBER_INVALID'> | undefined {
  if (!(error instanceof WorkflowUpdateFailedError) || !(error.cause instanceof ApplicationFailure)) return undefined;
  const { type } = error.cause;
  return type === 'MEMBER_MISSING' || type === 'MEMBER_INVALID' ? type : undefined;
}
