/** What a connection can be asked. Handlers request; the main loop works. */
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import { describeHealth } from '../src/connection/health';
import {
  DESCRIBE,
  ENSURE_FRESH,
  GRANT_READY,
  NUDGE,
  REVOKE,
  originIn,
  type EnsureFresh,
  type FreshAnswer,
  type GrantReady,
  type HealthReading,
  type Nudge,
  type Revoke,
  type Tombstone,
} from '../src/connection/messages';
import type { ErrorCode } from '../src/errors';
import { retireQueued } from './connection-grants';
import { freeze } from './connection-revocation';
import type { ConnectionRun, Revocation } from './connection-run';
import { outcomeOf } from './failures';

const ensureFreshUpdate = defineUpdate<FreshAnswer, [EnsureFresh]>(ENSURE_FRESH);
const revokeUpdate = defineUpdate<Tombstone, [Revoke]>(REVOKE);
const grantReadySignal = defineSignal<[GrantReady]>(GRANT_READY);
const nudgeSignal = defineSignal<[Nudge]>(NUDGE);
const describeQuery = defineQuery<HealthReading | undefined>(DESCRIBE);

/** How long `ensureFresh` and `revoke` wait for the job they asked for. */
const ANSWER_WITHIN_MS = 3_000;
const REVOKE_WITHIN_MS = 10_000;

export function registerHandlers(it: ConnectionRun): void {
  setHandler(ensureFreshUpdate, (ask) => ensureFresh(it, ask), {
    description: 'Have the newest generation within 3 s, or what there is.',
    validator: (ask: Partial<EnsureFresh> | undefined) => {
      if (ask?.v !== 1 || !Number.isInteger(ask.generation))
        throw refusal('SYNTAX_INVALID', 'Not an ensureFresh message');
    },
  });
  setHandler(revokeUpdate, (ask) => revoke(it, ask), {
    description: 'Freeze at once, revoke at the provider (RFC 7009), destroy, end.',
    validator: (ask: Partial<Revoke> | undefined) => {
      if (ask?.v !== 1 || typeof ask.reason !== 'string') throw refusal('SYNTAX_INVALID', 'Not a revoke message');
    },
  });
  // Signal handlers never throw: a failure there would fail the whole connection.
  setHandler(
    grantReadySignal,
    (message) => {
      const known =
        message?.v === 1 && typeof message.consent === 'string' && ('grant' in message || 'keep' in message);
      if (known && !it.grants.some(({ consent }) => consent === message.consent)) it.grants.push(message);
    },
    { description: 'A consent left a grant for this connection.' },
  );
  setHandler(
    nudgeSignal,
    (message: Partial<Nudge> | undefined) => {
      it.nudged = true;
      it.refreshWanted ||= message?.refresh === true;
    },
    { description: 'Something this connection depends on changed: look.' },
  );
  setHandler(describeQuery, () => it.record && describeHealth(it.record, it.ref, new Date(Date.now()), 'en'), {
    description: 'Health: state, why, evidence, next action, who must act.',
  });
}

async function ensureFresh(it: ConnectionRun, ask: EnsureFresh): Promise<FreshAnswer> {
  if (!(await condition(() => it.record !== undefined || it.ended, ANSWER_WITHIN_MS))) {
    throw refusal('STORAGE_UNREACHABLE', 'The connection could not be read yet: registry or vault do not answer');
  }
  if (it.record !== undefined) {
    const { attempts } = it;
    it.become({ type: 'asked', generation: ask.generation, why: ask.why });
    const due = it.state.nextAttemptAt !== null && Date.parse(it.state.nextAttemptAt) <= Date.now();
    if (due) await condition(() => it.attempts > attempts || it.ended, ANSWER_WITHIN_MS);
  }
  const c = it.record;
  return {
    v: 1,
    state: c?.state ?? 'disconnected',
    generation: c?.generation ?? 0,
    expiresAt: c?.expiresAt ?? null,
    grant: c?.grant ?? null,
    nextAttemptAt: c?.nextAttemptAt ?? undefined,
  };
}

async function revoke(it: ConnectionRun, ask: Revoke): Promise<Tombstone> {
  // Frozen already: what was consented to since goes with this one.
  if (it.revocation?.tombstone) retireQueued(it, 'revoked');
  const mine = it.revocation === undefined;
  // Before the first await: from here on the main loop starts no new job.
  const revocation = (it.revocation ??= {});
  revocation.origin ??= originIn(ask);
  if (mine) await freezeOrRefuse(it, revocation, ask);
  await condition(() => revocation.tombstone?.destroyedAt !== undefined || it.ended, REVOKE_WITHIN_MS);
  if (revocation.tombstone === undefined) throw refusal('REGISTRY_UNAVAILABLE', 'Nothing was revoked yet');
  return revocation.tombstone;
}

async function freezeOrRefuse(it: ConnectionRun, revocation: Revocation, ask: Revoke): Promise<void> {
  try {
    await freeze(it, revocation, ask);
  } catch (error) {
    it.revocation = undefined;
    // Its answer may be all that was lost: the next projection tells whether the row is frozen.
    if (it.record) it.record = { ...it.record, owed: true };
    if (outcomeOf(error).code === 'NOT_FOUND') throw refusal('NOT_FOUND', 'There is no such connection');
    throw refusal('REGISTRY_UNAVAILABLE', 'The registry does not answer; ask again');
  }
  retireQueued(it, 'revoked');
}

const refusal = (code: ErrorCode, message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, code);
