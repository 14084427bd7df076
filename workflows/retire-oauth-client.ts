/**
 * `retireOAuthClientWorkflow`: what was granted through an OAuth client is revoked with that client's own credentials; only
 * then, when it is to be deleted, are its secrets destroyed. Id `oauth-client/<tenant>/<client>/remove` or `…/disconnect`;
 * lasts as long as the slowest provider.
 */
import { CancellationScope } from '@temporalio/workflow';
import { originIn, type RetireOAuthClientInput } from '../src/connection/messages';
import { run } from './run-activity';

export async function retireOAuthClientWorkflow(input: RetireOAuthClientInput): Promise<{ v: 1; client: string }> {
  const { tenant, client } = input;
  return CancellationScope.nonCancellable(async () => {
    const { refs } = await run('disconnectOAuthClient', `Revoke what was granted through ${tenant}/${client}`, input);
    if (input.remove) {
      const reason = 'the OAuth client was deleted';
      await run('destroySecrets', `Destroy secrets in the vault (${reason})`, {
        v: 1,
        tenant,
        refs,
        reason,
        ...originIn(input),
      });
      await run('recordOAuthClientDeleted', `Record that OAuth client ${tenant}/${client} is gone`, input);
    }
    return { v: 1, client };
  });
}
