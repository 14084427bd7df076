/** One refresh as the connection sees it: sent once, and whatever becomes of it ends in an event of the pure core. */
import { CancellationScope, condition, log, uuid4 } from '@temporalio/workflow';
import type { DurableOAuthActivities, Escrow, TokenReport } from '../activities/contract';
import type { FailureFacts } from '../src/connection/types';
import { recordState } from './connection-jobs';
import type { ConnectionRun } from './connection-run';
import { outcomeOf } from './failures';
import { run } from './run-activity';

type StoredEscrow = Awaited<ReturnType<DurableOAuthActivities['storeEscrowedTokenSet']>>;

/** One attempt to refresh (design 6). Never cancelled: a cut rotation is a lost grant. */
export async function refresh(it: ConnectionRun): Promise<void> {
  const { grant, generation, fingerprints } = it.state;
  const begunAt = new Date(Date.now()).toISOString();
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
      else if (timedOut) await recover(it, facts, begunAt);
      else failed(it, facts, begunAt);
    }
  });
  it.attempts++;
}

function refreshed(it: ConnectionRun, report: TokenReport): void {
  it.refreshes++;
  it.escrow = undefined;
  it.become({ type: 'refreshed', report });
}

function failed(it: ConnectionRun, failure: FailureFacts, begunAt?: string): void {
  const evidence = evidenceId();
  log.info('refresh failed', { connection: it.ref, class: failure.class, code: failure.code, evidence });
  it.become({ type: 'refresh_failed', failure, evidence, begunAt });
}

/** The answer is safe with us, sealed; the vault gets it as soon as it listens. Only a revocation interrupts. */
async function keep(it: ConnectionRun, escrow: Escrow): Promise<void> {
  it.escrow = escrow;
  it.become({ type: 'escrowed', evidence: evidenceId() });
  await recordState(it);
  const store = (): Promise<StoredEscrow> =>
    run('storeEscrowedTokenSet', `Store the kept answer (${it.ref})`, {
      v: 1,
      ref: it.ref,
      grant: escrow.grant,
      sealed: escrow.sealed,
    });
  try {
    const kept = await it.unlessRevoked(() => Promise.race([store(), watchExpiry(it)]));
    if (kept?.report) refreshed(it, kept.report);
  } catch (error) {
    // The grant was destroyed, or no key opens the answer: there is nothing left to store.
    it.escrow = undefined;
    failed(it, outcomeOf(error).facts);
  }
}

/** While an answer waits for the vault, the old token runs out: people are told when it has. Never ends by itself. */
async function watchExpiry(it: ConnectionRun): Promise<never> {
  const { expiresAt } = it.state;
  const left = expiresAt === null ? 0 : Date.parse(expiresAt) - Date.now();
  if (left > 0) {
    await condition(() => false, left, { summary: `${it.ref}: access token expires` });
    it.become({ type: 'time_passed' });
    await recordState(it);
  }
  return new Promise<never>(() => undefined);
}

/** The worker died with the request in flight. What the vault holds decides; else nobody knows. */
async function recover(it: ConnectionRun, failure: FailureFacts, begunAt: string): Promise<void> {
  const { grant, generation } = it.state;
  const summary = `Look what became of a refresh (generation ${generation} of ${it.ref})`;
  const input = { v: 1, ref: it.ref, grant: grant ?? '', generation } as const;
  try {
    const found = await it.unlessRevoked(() => run('recoverRefresh', summary, input));
    if (found === undefined) return;
    if (found.newer) return refreshed(it, found);
    // A dead access token means that the server committed: nothing is left to protect by waiting.
    if (found.probe === 'dead') it.record = { ...it.state, expiresAt: new Date(Date.now()).toISOString() };
  } catch (error) {
    // Nothing was learnt: the outcome stays unknown.
    outcomeOf(error);
  }
  failed(it, failure, begunAt);
}

const evidenceId = (): string => `at_${uuid4().replaceAll('-', '').slice(0, 12)}`;
