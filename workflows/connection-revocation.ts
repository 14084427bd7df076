/**
 * A revocation: frozen first, whatever else is down; then, beside the main loop, revoked at the provider and destroyed in
 * the vault; a tombstone as the result of the run.
 *
 * What the connection heard of before the freeze goes with it: the grant of record, consents that are queued, one whose
 * adoption is in flight. What it hears of afterwards connects again, and does not wait for the provider.
 */
import { CancellationScope, condition } from '@temporalio/workflow';
import { originIn, type Revoke, type Tombstone } from '../src/connection/messages';
import { beside, destroyGrant, retirementOf, revokeAtProvider } from './connection-grants';
import { recordState } from './connection-jobs';
import type { ConnectionRun, Revocation } from './connection-run';
import { run } from './run-activity';

/**
 * Freeze: from here on no reader serves, wherever it runs. Done at once: a refresh may be in flight, and the run may not
 * have been able to read row and vault.
 * @throws when the registry does not answer, or knows no such connection; nothing was revoked then
 */
export async function freeze(it: ConnectionRun, revocation: Revocation, ask: Revoke): Promise<void> {
  await run('recordTransition', `Freeze ${it.ref}: ${ask.reason}`, {
    v: 1,
    ref: it.ref,
    stateVersion: it.record?.stateVersion ?? 0,
    state: 'disconnected',
    recovery: 'reconnect',
    reason: 'REVOKED_HERE',
    since: now(),
    nextAttemptAt: null,
    usable: false,
    event: 'connection.frozen',
    facts: { reason: ask.reason },
    freeze: true,
    ...originIn(ask),
  });
  revocation.tombstone = { v: 1, by: ask.by, reason: ask.reason, frozenAt: now(), provider: 'pending' };
  if (it.record) it.become({ type: 'frozen', reason: 'REVOKED_HERE' });
}

/** Begin what follows the freeze, once it is known to hold; a cancelled run still does. */
export function beginRevocation(it: ConnectionRun, revocation: Revocation): Promise<void> {
  return CancellationScope.nonCancellable(async () => {
    await condition(() => revocation.tombstone !== undefined || it.revocation !== revocation);
    const { tombstone } = revocation;
    if (tombstone === undefined) return;
    revocation.begun = true;
    // An adoption that was under way when the freeze came has made it active again.
    it.become({ type: 'frozen', reason: 'REVOKED_HERE' });
    const { grant } = it.state;
    const retirement = retirementOf(grant, 'revoked', it.escrow?.sealed);
    it.escrow = undefined;
    await recordState(it);
    beside(it, retirement, async () => {
      const provider = await revokeAtProvider(it, retirement);
      const asked: Tombstone = { ...tombstone, provider, providerAt: now() };
      revocation.tombstone = asked;
      await destroyGrant(it, grant, 'revoked', { provider, origin: revocation.origin });
      revocation.tombstone = { ...asked, destroyedAt: now() };
    });
  });
}

const now = (): string => new Date(Date.now()).toISOString();
