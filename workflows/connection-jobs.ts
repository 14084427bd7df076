/** Jobs of a connection's main loop beside the refresh. It does one at a time; each ends in an event of the pure core. */
import { log } from '@temporalio/workflow';
import type { DurableOAuthActivities } from '../activities/contract';
import { originIn, type GrantReady } from '../src/connection/messages';
import { recordOf } from '../src/connection/start';
import { apply } from '../src/connection/transitions';
import { retire } from './connection-grants';
import type { ConnectionRun } from './connection-run';
import { outcomeOf } from './failures';
import { run } from './run-activity';

const RECORD_AGAIN_MS = 30_000;

/** @returns false when the registry knows no such connection */
export async function load(it: ConnectionRun): Promise<boolean> {
  // A frozen row is read without the vault: a reading that waits for the vault is given up for another.
  const found = (await it.unlessRevoked(() => read(it))) ?? (await read(it));
  if (!found.known) return false;
  it.record = recordOf(found, it.around);
  it.show();
  if (found.revoking) it.foundFrozen(found.revoking.frozenAt);
  // Its run may have been lost on the way; once more is harmless.
  if (found.previousGrant) retire(it, found.previousGrant, 'replaced');
  return true;
}

const read = (it: ConnectionRun): ReturnType<DurableOAuthActivities['loadConnection']> =>
  run('loadConnection', `Read registry and vault (${it.ref})`, { v: 1, ref: it.ref });

/** Grants are adopted one at a time, after the refresh in flight; the newest consent wins. */
export async function adopt(it: ConnectionRun, message: GrantReady): Promise<void> {
  if (it.state.deliveries.includes(message.consent)) return;
  if ('keep' in message) return it.become({ type: 'keep_requested', consent: message.consent });
  const { grant, consent } = message;
  const { revocation } = it;
  const { grant: former, frozen: thaw } = it.state;
  // Consented to after the freeze: it connects again, and another revocation is another one.
  it.revocation = undefined;
  try {
    const input = { v: 1, ref: it.ref, grant, consent, thaw, ...originIn(message) } as const;
    const report = await run('adoptGrant', `Adopt the grant of a new consent (${it.ref})`, input);
    it.become({ type: 'grant_adopted', report, consent });
    it.attempts++;
    succeed(it, report.previousGrant, grant, thaw);
  } catch (error) {
    const { code } = outcomeOf(error);
    log.warn('grant not adopted', { connection: it.ref, consent, code });
    if (code === 'REVOKED_HERE') {
      it.foundFrozen(new Date(Date.now()).toISOString());
      return retire(it, grant, 'revoked');
    }
    // The answer of its adoption may be all that was lost: what the registry names is not let go.
    const found = await it.unlessRevoked(() => read(it));
    if (found?.known && found.grant === grant) {
      it.record = recordOf(found, it.around);
      return succeed(it, former, grant, thaw);
    }
    retire(it, grant, it.revocation ? 'revoked' : 'refused');
    it.revocation ??= revocation;
  }
}

/** The former grant of a frozen connection is its revocation's business. */
function succeed(it: ConnectionRun, former: string | null, grant: string, thawed: boolean): void {
  if (former === null || former === grant || thawed) return;
  retire(it, former, it.revocation ? 'revoked' : 'replaced');
}

/** Project the state. Not to be had now = owed: it never stands between a token and its refresh. */
export async function recordState(it: ConnectionRun): Promise<void> {
  const c = it.state;
  try {
    const answer = await run('recordTransition', `Record: ${c.state}${c.reason ? ` (${c.reason})` : ''}`, {
      v: 1,
      ref: it.ref,
      stateVersion: c.stateVersion,
      state: c.state,
      recovery: c.recovery,
      reason: c.reason,
      since: c.since,
      evidence: c.evidence,
      nextAttemptAt: c.nextAttemptAt,
      usable: !c.frozen && c.state !== 'reauth_required' && c.state !== 'pending_consent',
      event: c.event,
      freeze: c.frozen || undefined,
      facts: { state: c.state, reason: c.reason, generation: c.generation, evidence: c.evidence?.id },
      ...it.origin,
    });
    // The answer to a freeze was lost, or this run was reset to before it: the revocation goes on.
    if (answer.frozen && !it.state.frozen) it.foundFrozen(new Date(Date.now()).toISOString());
    // A newer state that came up meanwhile is still owed.
    if (it.state.stateVersion === c.stateVersion) {
      it.record = apply(it.state, { type: 'recorded', ...answer }, it.around);
    }
  } catch (error) {
    outcomeOf(error);
    it.recordAt = Date.now() + RECORD_AGAIN_MS;
  }
}
