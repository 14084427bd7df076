import { grantRef, parseRef } from '../src/connection/ids';
import { originIn } from '../src/connection/messages';
import { DurableOAuthError, type ErrorCode } from '../src/errors';
import type { Registry } from '../src/registry/contract';
import { tokenSetOf } from './cells';
import type { DurableOAuthActivities } from './contract';
import { untilDone } from './failure';
import { contextOf, newestOf, reportOf, type ContextDeps } from './grant-context';

export interface AdoptDeps extends ContextDeps {
  readonly registry: Pick<Registry, 'connections'>;
}

const FINAL: readonly ErrorCode[] = [
  'VAULT_MISSING',
  'VAULT_GONE',
  'OAUTH_CLIENT_UNUSABLE',
  'NOT_FOUND',
  'WRONG_ACCOUNT',
  'REVOKED_HERE',
  'INTEGRATION_DELETED',
];

/**
 * Make a grant the connection's grant of record: the pointer `connections.grant_id` is written (and a row thawed that was
 * frozen before the consent) before the old grant is destroyed by the workflow. Repeated until it succeeds; repeating is
 * harmless.
 *
 * @returns facts of the grant, and the grant that was of record before
 * Fails with VAULT_MISSING or VAULT_GONE when the grant is not in the vault, OAUTH_CLIENT_UNUSABLE or NOT_FOUND when the
 * connection is gone, INTEGRATION_DELETED when its integration is, WRONG_ACCOUNT when another consent connected another
 * account meanwhile, REVOKED_HERE when a revocation overtook it. A grant may be of record although a repetition failed: the
 * answer of the commit was lost.
 */
export function createAdoptGrant(deps: AdoptDeps): DurableOAuthActivities['adoptGrant'] {
  return (input) =>
    untilDone(FINAL, async () => {
      const ref = parseRef(input.ref);
      const context = await contextOf(deps, ref);
      const entry = await newestOf(deps.vault, ref, input.grant);
      if (entry === undefined) {
        throw new DurableOAuthError('VAULT_MISSING', 'The consented grant is not in the vault', { ref: input.ref });
      }
      const set = tokenSetOf(entry, grantRef(ref, input.grant));
      const report = reportOf(context, input.grant, entry.generation, set);
      const { previousGrant } = await deps.registry.connections.adoptGrant(ref, {
        token: report.token,
        account: set.account,
        grantedAt: set.grantedAt,
        // What is gone revokes what was granted through it, and looks once: nothing comes to life behind it.
        thaw: input.thaw && context.unusable !== 'client_gone' && context.unusable !== 'component_gone',
        event: { type: 'grant.adopted', ...originIn(input), facts: { consent: input.consent } },
      });
      return { ...report, previousGrant };
    });
}
