/**
 * Time-outs and retries of every activity: the one table, pinned by a test.
 *
 * A single-use send (a refresh, a code, a pasted refresh token) has exactly one attempt: an engine that repeats it spends
 * a rotated token twice. Its heartbeat time-out runs from the start; the one heartbeat carries the escrow. What follows
 * such a send (storing, recovering, handing over, destroying) is repeated until it succeeds.
 */
import type { ActivityOptions } from '@temporalio/workflow';
import type { DurableOAuthActivities } from '../activities/contract';
import { DAY, MINUTE, SECOND } from '../src/connection/clocks';
import type { Retirement } from '../src/connection/messages';

export const SINGLE_SEND_MS = 45 * SECOND;
const singleSend: ActivityOptions = {
  startToCloseTimeout: SINGLE_SEND_MS,
  heartbeatTimeout: '25 s',
  retry: { maximumAttempts: 1 },
};

const untilDone: ActivityOptions = {
  startToCloseTimeout: '30 s',
  retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '1 min' },
};

/** Projections must not stand between a token and its refresh: two quick tries, then the workflow owes them. */
const projection: ActivityOptions = {
  // The registry answers or fails within 5 s; the rest is for completing many parked flows.
  startToCloseTimeout: '30 s',
  retry: { initialInterval: '500 ms', maximumAttempts: 2 },
};

/** Consent has somebody waiting in a browser. */
const first = { priorityKey: 1 };
/** Revocation can wait. */
const last = { priorityKey: 5 };

const brief: ActivityOptions = {
  startToCloseTimeout: '15 s',
  scheduleToCloseTimeout: '20 s',
  retry: { initialInterval: '500 ms', maximumInterval: '5 s' },
  priority: first,
};

/** Two hundred revocations, each answered within 10 s; what is not finished by then is asked for again. */
const disconnection: ActivityOptions = {
  startToCloseTimeout: '10 min',
  heartbeatTimeout: '1 min',
  retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '1 min' },
  priority: last,
};

/**
 * How long a provider is asked to revoke, in all. It may be down for days; then the tokens are destroyed all the same and
 * the tombstone says so. Of a grant that nobody uses any more it is asked out of courtesy.
 */
export const REVOKE_WITHIN_MS: Readonly<Record<Retirement['why'], number>> = {
  revoked: 3 * DAY,
  replaced: 10 * MINUTE,
  refused: 10 * MINUTE,
};

export const ACTIVITY_POLICIES: Readonly<Record<keyof DurableOAuthActivities, ActivityOptions>> = {
  refreshTokenSet: singleSend,
  exchangeAuthorizationCode: { ...singleSend, priority: first },
  validateIntegration: { ...singleSend, priority: first },

  loadConnection: untilDone,
  storeEscrowedTokenSet: untilDone,
  recoverRefresh: untilDone,
  adoptGrant: untilDone,
  handOverGrant: { ...untilDone, priority: first },
  completeConsentLink: { ...untilDone, priority: first },
  destroySecrets: { ...untilDone, priority: last },

  // Whoever runs it sets how long it is tried.
  revokeGrant: {
    startToCloseTimeout: '45 s',
    scheduleToCloseTimeout: REVOKE_WITHIN_MS.revoked,
    retry: { initialInterval: '2 s', backoffCoefficient: 2, maximumInterval: '10 min' },
    priority: last,
  },

  registerIntegration: { ...brief, scheduleToCloseTimeout: '1 min' },

  // One request to the provider, without anything that could be spent by it.
  proveClient: { startToCloseTimeout: '30 s', retry: { maximumAttempts: 1 }, priority: first },
  publishIntegrationChange: { ...untilDone, priority: first },
  recordChangeNotMade: { ...untilDone, priority: first },

  // Somebody waits for the answer; what is stored before it is undone when it does not come.
  reserveOAuthClient: brief,
  storeClientSecret: brief,
  publishOAuthClient: { ...untilDone, priority: first },
  undoOAuthClient: { ...untilDone, priority: last },
  disconnectOAuthClient: disconnection,
  recordOAuthClientDeleted: { ...untilDone, priority: last },
  disconnectIntegration: disconnection,
  recordIntegrationDeleted: { ...untilDone, priority: last },

  recordTransition: projection,
  recordConsent: projection,
};
