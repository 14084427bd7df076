/**
 * `saveOAuthClientWorkflow`: one execution makes or changes the OAuth client a tenant has for a component, id
 * `oauth-client/<tenant>/<client>`, for seconds.
 *
 * Reserve → store → publish: of several that want the same place only one stores a secret. Whatever fails before the
 * publication is undone here, without limit of attempts and uncancellable.
 */
import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import type { SaveOAuthClientInput } from '../src/connection/messages';
import { outcomeOf } from './failures';
import { run } from './run-activity';

export async function saveOAuthClientWorkflow(input: SaveOAuthClientInput): Promise<{ v: 1; client: string }> {
  const { tenant, client, component } = input;
  return CancellationScope.nonCancellable(async () => {
    if (!input.update) await reserve(input);
    try {
      const { fingerprint } = await run(
        'storeClientSecret',
        `Store the secret of OAuth client ${tenant}/${client}`,
        input,
      );
      const summary = `Publish OAuth client ${tenant}/${client} of component ${component}`;
      await run('publishOAuthClient', summary, { ...input, fingerprint });
    } catch (error) {
      throw await undone(input, error, 'VAULT_UNAVAILABLE');
    }
    return { v: 1, client };
  });
}

async function reserve(input: SaveOAuthClientInput): Promise<void> {
  try {
    await run('reserveOAuthClient', `Reserve the OAuth client of component ${input.component}`, input);
  } catch (error) {
    const { timedOut, code } = outcomeOf(error);
    // Refused: the place is another one's, and nothing was written.
    throw timedOut ? await undone(input, error, 'REGISTRY_UNAVAILABLE') : failure(code);
  }
}

/** @param late the code of a step that never answered */
async function undone(input: SaveOAuthClientInput, error: unknown, late: string): Promise<ApplicationFailure> {
  const { code, timedOut } = outcomeOf(error);
  await run('undoOAuthClient', 'Undo: nothing was published', input);
  return failure(timedOut ? late : code);
}

const failure = (code: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(`The OAuth client was not saved [code=${code}]`, code);
