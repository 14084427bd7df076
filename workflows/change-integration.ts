/**
 * `changeIntegrationWorkflow`: one execution gives an integration's own OAuth client another secret, id
 * `change/<tenant>/<integration>`, for seconds.
 *
 * Prove → store → publish, and the settings change with the secret or not at all. The secret is named by a row before it is
 * stored; one that is not published is destroyed here, without limit of attempts and uncancellable. Until the publication the
 * secret before is the current one.
 * Whichever way it ends, the log of the tenant says so: who was answered before the end hears of it nowhere else.
 */
import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import type { UnmadeChange } from '../activities/contract';
import { clientSecretRef } from '../src/connection/ids';
import { originIn, type ChangeIntegrationInput, type ChangeIntegrationResult } from '../src/connection/messages';
import type { FailureFacts } from '../src/connection/types';
import type { ErrorCode } from '../src/errors';
import { outcomeOf } from './failures';
import { run } from './run-activity';

export async function changeIntegrationWorkflow(input: ChangeIntegrationInput): Promise<ChangeIntegrationResult> {
  return CancellationScope.nonCancellable(async () => {
    const { integration } = input;
    const proven = await prove(input);
    const outdated = await storeAndPublish(input);
    return { v: 1, integration, proven, outdated };
  });
}

async function prove(input: ChangeIntegrationInput): Promise<ChangeIntegrationResult['proven']> {
  try {
    return (await run('proveClient', `Prove the client with the provider (${input.to.grant_type})`, input)).proven;
  } catch (error) {
    const { facts, code } = outcomeOf(error);
    // Whether or not it arrived: asking again is harmless.
    const said = code === 'REFRESH_OUTCOME_UNKNOWN' ? 'PROVIDER_UNREACHABLE' : code;
    throw await told(input, 'integration.change_refused', said, facts);
  }
}

async function storeAndPublish(input: ChangeIntegrationInput): Promise<number> {
  const { tenant, integration, client, secret, sealed, audience } = input;
  const at = `${tenant}/${integration}`;
  try {
    const kept = { v: 1, tenant, client, secret, sealed, audience } as const;
    const { fingerprint } = await run('storeClientSecret', `Store the client secret of integration ${at}`, kept);
    const published = { ...input, fingerprint };
    return (await run('publishIntegrationChange', `Publish the change of integration ${at}`, published)).outdated;
  } catch (error) {
    const { code, timedOut } = outcomeOf(error);
    await undo(input);
    throw await told(input, 'integration.change_failed', timedOut ? 'VAULT_UNAVAILABLE' : code);
  }
}

async function undo(input: ChangeIntegrationInput): Promise<void> {
  const { tenant, client, secret } = input;
  const reason = 'the change was not published';
  const refs = [clientSecretRef(tenant, client, secret)];
  const unpublished = { client, secret };
  await run('destroySecrets', `Undo: ${reason}`, { v: 1, tenant, refs, unpublished, reason, ...originIn(input) });
}

/** A code that has words for people. */
const SAID: Partial<Record<ErrorCode, ErrorCode>> = { VAULT_UNAVAILABLE: 'STORAGE_UNREACHABLE' };

async function told(
  input: ChangeIntegrationInput,
  event: UnmadeChange['event'],
  failed: ErrorCode,
  facts?: FailureFacts,
): Promise<ApplicationFailure> {
  const { tenant, integration, secret, members } = input;
  const code = SAID[failed] ?? failed;
  const change = { v: 1, tenant, integration, secret, members, ...originIn(input) } as const;
  const summary = `Record that integration ${tenant}/${integration} was not changed (${code})`;
  await run('recordChangeNotMade', summary, { ...change, event, code, oauthError: facts?.oauthError });
  return ApplicationFailure.nonRetryable(`The integration was not changed [code=${code}]`, code, facts);
}
