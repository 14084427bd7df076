/** Jobs of a connection's main loop beside the refresh. It does one at a time; each ends in an event of the pure core. */
import { log } from '@temporalio/workflow';
import type { GrantReady } from '../src/connection/messages';
import { apply } from '../src/connection/transitions';
import { retire } from './connection-grants';
import type { ConnectionRun } from './connection-run';
import { outcomeOf } from './failures';
import { run } from './run-activity';

const RECORD_AGAIN_MS = 30_000;

/** Grants are adopted one at a time, after the refresh in flight; the newest consent wins. */
export async function adopt(it: ConnectionRun, message: GrantReady): Promise<void> {
  if (it.state.deliveries.includes(message.consent)) return;
  if ('keep' in message) return it.become({ type: 'keep_requested', consent: message.consent });
  const { grant, consent, by, traceId } = message;
  const input = { v: 1, ref: it.ref, grant, consent, by, traceId } as const;
  try {
    const report = await run('adoptGrant', `Adopt the grant of a new consent (${it.ref})`, input);
    it.become({ type: 'grant_adopted', report, consent });
    it.attempts++;
    if (report.previousGrant !== null && report.previousGrant !== grant) retire(it, report.previousGrant);
  } catch (error) {
    // The grant or the connection's client is gone: what was there before goes on.
    const { code } = outcomeOf(error);
    log.warn('grant not adopted', { connection: it.ref, consent, code });
    if (it.state.grant !== grant) retire(it, grant);
  }
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
