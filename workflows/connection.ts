/**
 * `connectionWorkflow`: one execution is one durable connection, id `connection/<tenant>/<connection>`, for years.
 *
 * It starts from its ref alone (registry row and vault say the rest), refreshes ahead of expiry, says in words when a
 * person must act, and ends by revocation with a tombstone. It also ends, at once and harmlessly, when the connection is
 * unknown or frozen. Terminate, reset or a lost Temporal database cost nothing: the next caller starts it again.
 */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  patched,
  workflowInfo,
} from '@temporalio/workflow';
import { parseRef } from '../src/connection/ids';
import type { ConnectionInput, Tombstone } from '../src/connection/messages';
import { nextStep } from '../src/connection/start';
import { letGo, retireQueued } from './connection-grants';
import { registerHandlers } from './connection-handlers';
import { adopt, load, recordState } from './connection-jobs';
import { refresh } from './connection-refresh';
import { beginRevocation } from './connection-revocation';
import { ConnectionRun, type Revocation } from './connection-run';
import { run } from './run-activity';

const REFRESHES_PER_RUN = 32;
/** Runs that began without it wait until all grants that go are gone. */
const GRANTS_GO_ALONG = 'grants-go-along';

type Ended = Tombstone | { readonly v: 1; readonly ended: string };

export async function connectionWorkflow(input: ConnectionInput): Promise<Ended> {
  const connection = new ConnectionRun(input.ref, input.tuning);
  if (input.carried) connection.record = input.carried;
  registerHandlers(connection);
  for (const retirement of input.retiring ?? []) letGo(connection, retirement);
  if (connection.record) connection.show();
  else if (!(await load(connection))) return end(connection, 'unknown');

  let goAlong: boolean | undefined;
  for (;;) {
    const { revocation } = connection;
    if (revocation && !revocation.begun) {
      // No job starts until it is known whether the freeze holds.
      await beginRevocation(connection, revocation);
      continue;
    }
    const grant = connection.grants.shift();
    if (grant) {
      await adopt(connection, grant);
      continue;
    }
    if (revocation ?? connection.state.frozen) {
      const over = await untilOver(connection, revocation);
      if (over) return over;
      continue;
    }
    if (connection.nudged) {
      const refresh = connection.refreshWanted;
      connection.nudged = connection.refreshWanted = false;
      connection.become({ type: 'nudged', refresh });
    }
    const step = nextStep(connection.state, Date.now(), connection.recordAt);
    if (step.do === 'record') await recordState(connection);
    else if (step.do === 'refresh') await refresh(connection);
    else if (step.do === 'watch_expiry') connection.become({ type: 'time_passed' });
    else if (step.do === 'expire_consent') return expire(connection);
    else {
      if (connection.retiring.size > 0) goAlong ??= patched(GRANTS_GO_ALONG);
      // Nothing may be awaited between this look and the continuation. A grant that cannot be destroyed for days stops
      // neither the refreshes nor the continuation: the next run goes on with it.
      if (mayContinue(connection)) {
        if (!woken(connection)) await continueAsNew<typeof connectionWorkflow>(nextInput(connection));
        continue;
      }
      const summary = `${input.ref}: ${step.why}`;
      const before = connection.record;
      const wake = (): boolean => woken(connection) || connection.record !== before || mayContinue(connection);
      if (step.untilMs === undefined) await condition(wake);
      else await condition(wake, Math.max(1, step.untilMs - Date.now()), { summary });
    }
  }

  function mayContinue(it: ConnectionRun): boolean {
    const enough = it.refreshes >= (input.tuning?.continueAfter ?? REFRESHES_PER_RUN);
    const movable = goAlong ? allHandlersFinished() : isIdle(it);
    return (enough || workflowInfo().continueAsNewSuggested) && movable;
  }

  function nextInput({ state: carried, retiring }: ConnectionRun): ConnectionInput {
    return { ...input, carried, retiring: retiring.size > 0 ? [...retiring] : undefined };
  }
}

const woken = (it: ConnectionRun): boolean => it.grants.length > 0 || it.nudged || it.revocation !== undefined;

/**
 * Frozen: the run ends when nothing is left to be done.
 * @returns undefined when somebody consented meanwhile
 */
async function untilOver(it: ConnectionRun, revocation: Revocation | undefined): Promise<Ended | undefined> {
  const isOver = (): boolean => (!revocation || revocation.tombstone?.destroyedAt !== undefined) && isIdle(it);
  const goesOn = (): boolean => it.grants.length > 0 || it.revocation !== revocation;
  // A cancelled run still finishes a revocation.
  await CancellationScope.nonCancellable(() => condition(() => goesOn() || isOver()));
  return goesOn() ? undefined : (revocation?.tombstone ?? { v: 1, ended: 'frozen' });
}

/** Nobody consented in time: what the save made is removed. An OAuth client made through its own route stays. */
async function expire(connection: ConnectionRun): Promise<Ended> {
  const { tenant, connection: id } = parseRef(connection.ref);
  await run('destroySecrets', 'Remove what was saved: nobody consented in time', {
    v: 1,
    tenant,
    refs: [],
    remove: { connection: id },
    reason: 'no consent in time',
    ...connection.origin,
  });
  return end(connection, 'no consent in time');
}

/** There is no such connection: grants that still come are destroyed. */
async function end(it: ConnectionRun, ended: string): Promise<Ended> {
  it.ended = true;
  do {
    retireQueued(it, 'refused');
    await condition(() => it.grants.length > 0 || isIdle(it));
  } while (it.grants.length > 0);
  return { v: 1, ended };
}

const isIdle = (it: ConnectionRun): boolean => it.retiring.size === 0 && allHandlersFinished();
