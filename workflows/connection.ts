/**
 * `connectionWorkflow`: one execution is one durable connection, id `connection/<tenant>/<connection>`, for years.
 *
 * It starts from its ref alone (registry row and vault say the rest), refreshes ahead of expiry, says in words when a
 * person must act, and ends by revocation with a tombstone. It also ends, at once and harmlessly, when the connection is
 * unknown or frozen. Terminate, reset or a lost Temporal database cost nothing: the next caller starts it again.
 */
import { allHandlersFinished, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import { parseRef } from '../src/connection/ids';
import type { ConnectionInput, Tombstone } from '../src/connection/messages';
import { nextStep, recordOf } from '../src/connection/start';
import { registerHandlers } from './connection-handlers';
import { adopt, recordState } from './connection-jobs';
import { refresh } from './connection-refresh';
import { ConnectionRun } from './connection-run';
import { retireQueued } from './connection-grants';
import { finishRevocation } from './connection-revocation';
import { run } from './run-activity';

const REFRESHES_PER_RUN = 32;

export async function connectionWorkflow(input: ConnectionInput): Promise<Tombstone | { v: 1; ended: string }> {
  const connection = new ConnectionRun(input.ref, input.tuning);
  if (input.carried) connection.record = input.carried;
  registerHandlers(connection);
  if (connection.record) connection.show();
  else if (!(await load(connection))) {
    retireQueued(connection);
    return end(connection, 'unknown');
  }

  for (;;) {
    if (connection.tombstone) {
      const stone = await finishRevocation(connection);
      // A consent may have been granted while the old grant was being revoked.
      if (connection.grants.length === 0) return end(connection, 'revoked', stone);
      connection.tombstone = connection.revocation = undefined;
    }
    if (connection.revocation) {
      // The freeze is under way in the handler; no job starts until it is known whether it held.
      await condition(() => connection.tombstone !== undefined || connection.revocation === undefined);
      continue;
    }
    const grant = connection.grants.shift();
    if (grant) {
      await adopt(connection, grant);
      continue;
    }
    if (connection.state.frozen) return end(connection, 'frozen');
    if (connection.nudged) {
      connection.nudged = false;
      connection.become({ type: 'nudged' });
    }
    const step = nextStep(connection.state, Date.now(), connection.recordAt);
    if (step.do === 'record') await recordState(connection);
    else if (step.do === 'refresh') await refresh(connection);
    else if (step.do === 'watch_expiry') connection.become({ type: 'time_passed' });
    else if (step.do === 'expire_consent') return expire(connection);
    else {
      // Nothing may be awaited between this look and the continuation. What is still under way is not waited for alone:
      // a grant that cannot be destroyed for days must not stop the refreshes.
      if (mayContinue(connection)) {
        if (!woken(connection)) await continueAsNew<typeof connectionWorkflow>({ ...input, carried: connection.state });
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
    return (enough || workflowInfo().continueAsNewSuggested) && it.retiring === 0 && allHandlersFinished();
  }
}

const woken = (it: ConnectionRun): boolean =>
  it.grants.length > 0 || it.nudged || it.revocation !== undefined || it.tombstone !== undefined;

/** @returns false when the registry knows no such connection */
async function load(connection: ConnectionRun): Promise<boolean> {
  const found = await run('loadConnection', `Read registry and vault (${connection.ref})`, {
    v: 1,
    ref: connection.ref,
  });
  if (!found.known) return false;
  connection.record = recordOf(found, connection.around);
  connection.show();
  if (found.revoking) connection.foundFrozen(found.revoking.frozenAt);
  return true;
}

/** Nobody consented in time: what the save made is removed. An OAuth client made through its own route stays. */
async function expire(connection: ConnectionRun): Promise<{ v: 1; ended: string }> {
  const { tenant, connection: id } = parseRef(connection.ref);
  await run('destroySecrets', 'Remove what was saved: nobody consented in time', {
    v: 1,
    tenant,
    refs: [],
    remove: { connection: id },
    reason: 'no consent in time',
    ...connection.origin,
  });
  retireQueued(connection);
  return end(connection, 'no consent in time');
}

async function end<T = { v: 1; ended: string }>(connection: ConnectionRun, why: string, result?: T): Promise<T> {
  connection.ended = true;
  await condition(() => connection.retiring === 0 && allHandlersFinished());
  return result ?? ({ v: 1, ended: why } as T);
}
