/**
 * `retireOAuthClientWorkflow`: what was granted through an OAuth client is revoked with that client's own credentials; only
 * then, when it is to be deleted, and not before the consents end that are under way, are its secrets destroyed. Id
 * `oauth-client/<tenant>/<client>/remove` or `…/disconnect`; lasts as long as the slowest provider.
 */
import { CancellationScope } from '@temporalio/workflow';
import { originIn, type RetireOAuthClientInput } from '../src/connection/messages';
import { outliveConsents } from './consent-life';
import { run } from './run-activity';

export async function retireOAuthClientWorkflow(input: RetireOAuthClientInput): Promise<{ v: 1; client: string }> {
  const { tenant, client, tuning } = input;
  const what = `${tenant}/${client}`;
  return CancellationScope.nonCancellable(async () => {
    const summary = `Revoke what was granted through ${what}`;
    const { refs, attemptedAt } = await run('disconnectOAuthClient', summary, input);
    if (input.remove) {
      await outliveConsents(what, attemptedAt, tuning);
      const reason = 'the OAuth client was deleted';
      await run('destroySecrets', `Destroy secrets in the vault (${reason})`, {
        v: 1,
        tenant,
        refs,
        reason,
        ...originIn(input),
      });
      await run('recordOAuthClientDeleted', `Record that OAuth client ${what} is gone`, input);
    }
    return { v: 1, client };
  });
}
