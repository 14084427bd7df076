/**
 * `retireIntegrationWorkflow`: the connections of an integration that is being deleted are revoked with their client's own
 * credentials; only then, and not before the consents end that are under way, are the secrets of the integration's own
 * client destroyed (a component's client stays). Id `integration/<tenant>/<integration>/remove`; lasts as long as the slowest
 * provider.
 */
import { CancellationScope } from '@temporalio/workflow';
import { originIn, type RetireIntegrationInput } from '../src/connection/messages';
import { outliveConsents } from './consent-life';
import { run } from './run-activity';

export async function retireIntegrationWorkflow(input: RetireIntegrationInput): Promise<{ v: 1; integration: string }> {
  const { tenant, integration, tuning } = input;
  const what = `${tenant}/${integration}`;
  return CancellationScope.nonCancellable(async () => {
    const { refs, attemptedAt } = await run('disconnectIntegration', `Revoke the connections of ${what}`, input);
    if (refs.length > 0) {
      await outliveConsents(what, attemptedAt, tuning);
      const reason = 'the integration was deleted';
      await run('destroySecrets', `Destroy secrets in the vault (${reason})`, {
        v: 1,
        tenant,
        refs,
        reason,
        ...originIn(input),
      });
    }
    await run('recordIntegrationDeleted', `Record that integration ${what} is gone`, input);
    return { v: 1, integration };
  });
}
