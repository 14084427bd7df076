/** Who must act on a connection: what the reading says, and what a list is filtered by. Pure. */
import { ERRORS, type ErrorCode } from '../errors';
import { isReasonCode, OTHER_REASON, REASONS } from './reasons';
import { CONNECTION_STATES, type ConnectionState, type Recovery, type Who } from './types';

interface Standing {
  readonly state: ConnectionState;
  readonly recovery?: Recovery | null;
  readonly reason?: ErrorCode | null;
}

/** What decides who must act: the reason; without one how it ends; without that the state. */
export type Decider = ErrorCode | Recovery | ConnectionState;

const WHO_ENDS: Readonly<Record<Recovery, Who>> = {
  automatic: 'nobody',
  after_fix: 'administrator',
  reconnect: 'account_owner',
};
const RECOVERIES = Object.keys(WHO_ENDS) as readonly Recovery[];
const CODES = Object.keys(ERRORS) as readonly ErrorCode[];

export function whoActs({ state, recovery, reason }: Standing): Who {
  if (reason) return isReasonCode(reason) ? REASONS[reason].who : OTHER_REASON.who;
  if (recovery) return WHO_ENDS[recovery];
  return state === 'pending_consent' || state === 'reauth_required' ? 'account_owner' : 'nobody';
}

/** @returns everything that decides for this one: the first that a connection has of reason, recovery and state */
export function decidersOf(who: Who): readonly Decider[] {
  return [
    ...CODES.filter((reason) => whoActs({ state: 'degraded', reason }) === who),
    ...RECOVERIES.filter((recovery) => whoActs({ state: 'disconnected', recovery }) === who),
    ...CONNECTION_STATES.filter((state) => whoActs({ state }) === who),
  ];
}
