/** How a connection lets go of grants, beside its main loop: replaced, revoked, or never adopted. */
import { CancellationScope, log } from '@temporalio/workflow';
import { grantRef, parseRef } from '../src/connection/ids';
import type { Origin, Retirement, Tombstone } from '../src/connection/messages';
import type { ConnectionRun } from './connection-run';
import { outcomeOf } from './failures';
import { ACTIVITY_POLICIES, REVOKE_WITHIN_MS } from './policies';
import { run } from './run-activity';

type Why = Retirement['why'];

const REASONS: Readonly<Record<Why, string>> = {
  replaced: 'replaced by a newer consent',
  revoked: 'revoked',
  refused: 'not adopted',
};

/** @param sealed an answer that the vault has not taken yet; its tokens are the newest */
export const retirementOf = (grant: string | null, why: Why, sealed?: string): Retirement => ({
  grant,
  why,
  since: new Date(Date.now()).toISOString(),
  sealed,
});

/** Work that the main loop does not wait for; the run does not end before it is done. */
export function beside(it: ConnectionRun, retirement: Retirement, work: () => Promise<void>): void {
  it.retiring.add(retirement);
  void CancellationScope.nonCancellable(work).finally(() => it.retiring.delete(retirement));
}

/** A grant that is not of record: revoked at the provider where that concerns it alone, destroyed in any case. */
export function retire(it: ConnectionRun, grant: string, why: Why): void {
  letGo(it, retirementOf(grant, why));
}

/** Also of what an earlier run began: doing it again is harmless. */
export function letGo(it: ConnectionRun, retirement: Retirement): void {
  const { grant, why } = retirement;
  beside(it, retirement, async () => {
    const provider = await revokeAtProvider(it, retirement);
    if (provider === 'gave_up') log.info('grant not revoked at the provider', { connection: it.ref, grant, why });
    await destroyGrant(it, grant, REASONS[why]);
  });
}

/** Grants that nobody will adopt. */
export function retireQueued(it: ConnectionRun, why: Why): void {
  for (const message of it.grants.splice(0)) if ('grant' in message) retire(it, message.grant, why);
}

export async function revokeAtProvider(
  it: ConnectionRun,
  { grant, why, since, sealed }: Retirement,
): Promise<Tombstone['provider']> {
  if (grant === null) return 'nothing_to_revoke';
  const left = Date.parse(since) + REVOKE_WITHIN_MS[why] - Date.now();
  if (left <= 0) return 'gave_up';
  const policy = { ...ACTIVITY_POLICIES.revokeGrant, scheduleToCloseTimeout: left };
  const summary = `Revoke the grant at the provider: ${REASONS[why]} (${it.ref})`;
  try {
    const { provider } = await run('revokeGrant', summary, { v: 1, ref: it.ref, grant, sealed }, policy);
    return provider;
  } catch (error) {
    outcomeOf(error);
    return 'gave_up';
  }
}

/** @param ended how the revocation of the connection ended at the provider, and who asked for it; absent when only this grant goes */
export async function destroyGrant(
  it: ConnectionRun,
  grant: string | null,
  reason: string,
  ended?: { readonly provider: Tombstone['provider']; readonly origin: Origin | undefined },
): Promise<void> {
  const ref = parseRef(it.ref);
  await run('destroySecrets', `Destroy secrets in the vault (${reason})`, {
    v: 1,
    tenant: ref.tenant,
    refs: grant === null ? [] : [grantRef(ref, grant)],
    revoked: ended && { connection: ref.connection, provider: ended.provider, grant },
    reason,
    ...(ended?.origin ?? it.origin),
  });
}
