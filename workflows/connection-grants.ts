/** How a connection lets go of grants: a replaced one beside the main loop, a revoked one as the end of its run. */
import { CancellationScope, log } from '@temporalio/workflow';
import { grantRef, parseRef } from '../src/connection/ids';
import type { Tombstone } from '../src/connection/messages';
import type { ConnectionRun } from './connection-run';
import { outcomeOf } from './failures';
import { REVOKE_REPLACED } from './policies';
import { run } from './run-activity';

/**
 * A grant that is no longer of record: revoked at the provider where that concerns it alone, destroyed in any case. The
 * connection goes on meanwhile; its run neither ends nor continues as new before this is done.
 */
export function retire(it: ConnectionRun, grant: string): void {
  it.retiring++;
  const work = CancellationScope.nonCancellable(async () => {
    const summary = `Revoke the replaced grant where that concerns it alone (${it.ref})`;
    try {
      await run('revokeGrant', summary, { v: 1, ref: it.ref, grant }, REVOKE_REPLACED);
    } catch (error) {
      const { code } = outcomeOf(error);
      log.info('replaced grant not revoked at the provider', { connection: it.ref, code });
    }
    await destroyGrant(it, grant, 'replaced by a newer consent');
  });
  void work.finally(() => it.retiring--);
}

/** Grants that nobody will adopt: the connection is revoked, or there is none. */
export function retireQueued(it: ConnectionRun): void {
  for (const message of it.grants.splice(0)) if ('grant' in message) retire(it, message.grant);
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
