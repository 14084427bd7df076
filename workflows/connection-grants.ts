/** How a connection lets go of grants, beside its main loop: replaced, revoked, or never adopted. */
import { CancellationScope, log } from '@temporalio/workflow';
import { grantRef, parseRef } from '../src/connection/ids';
import type { Tombstone } from '../src/connection/messages';
import type { ConnectionRun } from './connection-run';
import { outcomeOf } from './failures';
import { ACTIVITY_POLICIES, REVOKE_REPLACED } from './policies';
import { run } from './run-activity';

/** Why a grant goes. A revocation keeps asking the provider for days; the others ask out of courtesy. */
const REASONS = {
  replaced: 'replaced by a newer consent',
  revoked: 'revoked',
  refused: 'not adopted',
} as const;
type Why = keyof typeof REASONS;

/** Work that the main loop does not wait for; the run neither ends nor continues as new before it is done. */
export function beside(it: ConnectionRun, work: () => Promise<void>): void {
  it.retiring++;
  void CancellationScope.nonCancellable(work).finally(() => it.retiring--);
}

/** A grant that is not of record: revoked at the provider where that concerns it alone, destroyed in any case. */
export function retire(it: ConnectionRun, grant: string, why: Why): void {
  beside(it, async () => {
    const provider = await revokeAtProvider(it, grant, why);
    if (provider === 'gave_up') log.info('grant not revoked at the provider', { connection: it.ref, grant, why });
    await destroyGrant(it, grant, REASONS[why]);
  });
}

/** Grants that nobody will adopt. */
export function retireQueued(it: ConnectionRun, why: Why): void {
  for (const message of it.grants.splice(0)) if ('grant' in message) retire(it, message.grant, why);
}

/** @param sealed an answer that the vault has not taken yet; its tokens are the newest */
export async function revokeAtProvider(
  it: ConnectionRun,
  grant: string,
  why: Why,
  sealed?: string,
): Promise<Tombstone['provider']> {
  const policy = why === 'revoked' ? ACTIVITY_POLICIES.revokeGrant : REVOKE_REPLACED;
  const summary = `Revoke the grant at the provider: ${REASONS[why]} (${it.ref})`;
  try {
    const { provider } = await run('revokeGrant', summary, { v: 1, ref: it.ref, grant, sealed }, policy);
    return provider;
  } catch (error) {
    outcomeOf(error);
    return 'gave_up';
  }
}

/** @param provider how the revocation of the connection ended there; absent when only this grant goes */
export async function destroyGrant(
  it: ConnectionRun,
  grant: string | null,
  reason: string,
  provider?: Tombstone['provider'],
): Promise<void> {
  const ref = parseRef(it.ref);
  await run('destroySecrets', `Destroy secrets in the vault (${reason})`, {
    v: 1,
    tenant: ref.tenant,
    refs: grant === null ? [] : [grantRef(ref, grant)],
    revoked: provider && { connection: ref.connection, provider, grant },
    reason,
    ...it.origin,
  });
}
