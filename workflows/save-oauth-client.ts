/**
 * `saveOAuthClientWorkflow`: one execution makes or changes the OAuth client a tenant has for a component, id
 * `oauth-client/<tenant>/<client>`, for seconds.
 *
 * Reserve → store → publish: of several that want the same place only one stores a secret, and each secret is named by a
 * row before it is stored. Whatever fails before the
 * publication is undone here, without limit of attempts and uncancellable.
 */
import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import type { SaveOAuthClientInput } from '../src/connection/messages';
import type { ErrorCode } from '../src/errors';
import { outcomeOf } from './failures';
import { run } from './run-activity';

/** Nothing was written: the place is another one's or not to be had, or the client is not the one that was to be changed. */
const REFUSALS: readonly ErrorCode[] = ['NOT_FOUND', 'ALREADY_EXISTS', 'IN_USE', 'PRECONDITION_FAILED'];

export async function saveOAuthClientWorkflow(input: SaveOAuthClientInput): Promise<{ v: 1; client: string }> {
  const { tenant, client, component } = input;
  return CancellationScope.nonCancellable(async () => {
    await reserve(input);
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
    const { tenant, client, component, update } = input;
    const summary = update
      ? `Begin to change OAuth client ${tenant}/${client}`
      : `Reserve the OAuth client of component ${component}`;
    await run('reserveOAuthClient', summary, input);
  } catch (error) {
    const { code } = outcomeOf(error);
    // What is no refusal may have come after the place was taken: it would be nobody's for ever.
    throw REFUSALS.includes(code) ? failure(code) : await undone(input, error, 'REGISTRY_UNAVAILABLE');
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
