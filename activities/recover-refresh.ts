import { grantRef, parseRef } from '../src/connection/ids';
import type { AuthorizationServer } from '../src/oauth/contract';
import { isOAuthFailure } from '../src/oauth/failure';
import { tokenSetOf } from './cells';
import type { DurableOAuthActivities } from './contract';
import { untilDone } from './failure';
import {
  belongsTo,
  contextOf,
  newestOf,
  reportOfEntry,
  targetIn,
  type ContextDeps,
  type GrantContext,
} from './grant-context';
import type { TokenSet } from '../src/vault/secret';
import { project } from './refresh-token-set';

export interface RecoverDeps extends ContextDeps {
  readonly authorizationServer: Pick<AuthorizationServer, 'identify'>;
}

/**
 * Look what became of a refresh whose worker died: a newer generation in the vault means that it was stored. Else, with
 * strict rotation and an identity endpoint, probe the old access token: a dead one means that the server committed.
 * Sends no refresh; safe to repeat.
 */
export function createRecoverRefresh(deps: RecoverDeps): DurableOAuthActivities['recoverRefresh'] {
  return (input) =>
    untilDone(['VAULT_GONE', 'VAULT_CORRUPT', 'OAUTH_CLIENT_UNUSABLE'], async () => {
      const ref = parseRef(input.ref);
      const context = await contextOf(deps, ref);
      const grant = input.grant || context.connection.grantId || '';
      const entry = await newestOf(deps.vault, ref, grant);
      if (entry && entry.generation > input.generation) {
        const report = reportOfEntry(context, grant, entry);
        await project(deps, ref, report);
        return { ...report, newer: true };
      }
      const set = entry && tokenSetOf(entry, grantRef(ref, grant));
      return { v: 1, newer: false, probe: set ? await probe(deps, context, set) : 'not_probed' };
    });
}

async function probe(
  deps: RecoverDeps,
  context: GrantContext,
  set: TokenSet,
): Promise<'alive' | 'dead' | 'not_probed'> {
  const { settings } = context.integration;
  const { identity } = settings.endpoints;
  if (settings.rotation !== 'strict' || identity === undefined || !belongsTo(set, settings, identity)) {
    return 'not_probed';
  }
  try {
    await deps.authorizationServer.identify(await targetIn(deps.vault, context), set.accessToken);
    return 'alive';
  } catch (error) {
    if (!isOAuthFailure(error)) throw error;
    return error.facts.httpStatus === 401 ? 'dead' : 'not_probed';
  }
}
