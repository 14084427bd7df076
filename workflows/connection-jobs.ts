/** The jobs of a connection's main loop. It does one at a time; each ends in an event of the pure core. */
import { CancellationScope, log, uuid4 } from '@temporalio/workflow';
import type { Escrow, TokenReport } from '../activities/contract';
import { grantRef, parseRef } from '../src/connection/ids';
import type { GrantReady } from '../src/connection/messages';
import { apply } from '../src/connection/transitions';
import type { FailureFacts } from '../src/connection/types';
import type { ConnectionRun } from './connection-run';
import { outcomeOf } from './failures';
import { run } from './run-activity';

const RECORD_AGAIN_MS = 30_000;

/** One attempt to refresh (design 6). Never cancelled: a cut rotation is a lost grant. */
export async function refresh(it: ConnectionRun): Promise<void> {
  const { grant, generation, fingerprints } = it.state;
  const summary = `Refresh the token set (generation ${generation} of ${it.ref})`;
  await CancellationScope.nonCancellable(async () => {
    try {
      const result = await run('refreshTokenSet', summary, {
        v: 1,
        ref: it.ref,
        grant: grant ?? '',
        generation,
        fingerprints,
      });
      if (result.kind === 'escrow') await keep(it, result);
      else refreshed(it, result);
    } catch (error) {
      const { heartbeat, facts, timedOut } = outcomeOf<Escrow>(error);
      if (heartbeat) await keep(it, heartbeat);
      else if (timedOut) await recover(it, facts);
      else failed(it, facts);
    }
  });
  it.attempts++;
}

function refreshed(it: ConnectionRun, report: TokenReport): void {
  it.refreshes++;
  it.escrow = undefined;
  it.become({ type: 'refreshed', report });
}

function failed(it: ConnectionRun, failure: FailureFacts): void {
  const evidence = evidenceId();
  log.info('refresh failed', { connection: it.ref, class: failure.class, code: failure.code, evidence });
  it.become({ type: 'refresh_failed', failure, evidence });
}

/** The answer is safe with us, sealed; the vault gets it as soon as it listens. Only a revocation interrupts. */
async function keep(it: ConnectionRun, escrow: Escrow): Promise<void> {
  it.escrow = escrow;
  it.become({ type: 'escrowed', evidence: evidenceId() });
  await recordState(it);
  const kept = await it.unlessRevoked(() =>
    run('storeEscrowedTokenSet', `Store the kept answer (${it.ref})`, {
      v: 1,
      ref: it.ref,
      grant: escrow.grant,
      sealed: escrow.sealed,
    }),
  );
  if (kept?.report) refreshed(it, kept.report);
}

/** The worker died with the request in flight. What the vault holds decides; else nobody knows. */
async function recover(it: ConnectionRun, failure: FailureFacts): Promise<void> {
  const { grant, generation } = it.state;
  const found = await it.unlessRevoked(() =>
    run('recoverRefresh', `Look what became of a refresh (generation ${generation} of ${it.ref})`, {
      v: 1,
      ref: it.ref,
      grant: grant ?? '',
      generation,
    }),
  );
  if (found === undefined) return;
  if (found.newer) return refreshed(it, found);
  // A dead access token means that the server committed: nothing is left to protect by waiting.
  if (found.probe === 'dead') it.record = { ...it.state, expiresAt: new Date(Date.now()).toISOString() };
  failed(it, failure);
}

/** Grants are adopted one at a time, after the refresh in flight; the newest consent wins. */
export async function adopt(it: ConnectionRun, message: GrantReady): Promise<void> {
  if (it.state.deliveries.includes(message.consent)) return;
  if ('keep' in message) return it.become({ type: 'keep_requested', consent: message.consent });
  const report = await run('adoptGrant', `Adopt the grant of a new consent (${it.ref})`, {
    v: 1,
    ref: it.ref,
    grant: message.grant,
    consent: message.consent,
    by: message.by,
    traceId: message.traceId,
  });
  it.become({ type: 'grant_adopted', report, consent: message.consent });
  it.attempts++;
  if (report.previousGrant !== null && report.previousGrant !== message.grant) {
    await destroyGrant(it, report.previousGrant, 'replaced by a newer consent');
  }
}

export async function destroyGrant(it: ConnectionRun, grant: string, reason: string): Promise<void> {
  const ref = parseRef(it.ref);
  await run('destroySecrets', `Destroy secrets in the vault (${reason})`, {
    v: 1,
    tenant: ref.tenant,
    refs: [grantRef(ref, grant)],
    reason,
    ...it.origin,
  });
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
    // A newer state that came up meanwhile is still owed.
    if (it.state.stateVersion === c.stateVersion) {
      it.record = apply(it.state, { type: 'recorded', ...answer }, it.around);
    }
  } catch (error) {
    outcomeOf(error);
    it.recordAt = Date.now() + RECORD_AGAIN_MS;
  }
}

const evidenceId = (): string => `at_${uuid4().replaceAll('-', '').slice(0, 12)}`;
