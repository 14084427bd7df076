/**
 * `changeIntegrationWorkflow`: one execution gives an integration's own OAuth client another secret, id
 * `change/<tenant>/<integration>`, for seconds.
 *
 * Prove → store → publish, and the settings change with the secret or not at all. What was stored and is not published is
 * destroyed here, without limit of attempts and uncancellable; until the publication the secret before is the current one.
 */
import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
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
    throw failure(code === 'REFRESH_OUTCOME_UNKNOWN' ? 'PROVIDER_UNREACHABLE' : code, facts);
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
    throw failure(timedOut ? 'VAULT_UNAVAILABLE' : code);
  }
}

async function undo(input: ChangeIntegrationInput): Promise<void> {
  const { tenant, client, secret } = input;
  const reason = 'the change was not published';
  const refs = [clientSecretRef(tenant, client, secret)];
  await run('destroySecrets', `Undo: ${reason}`, { v: 1, tenant, refs, reason, ...originIn(input) });
}

/** A code that has words for people. */
const SAID: Partial<Record<ErrorCode, ErrorCode>> = { VAULT_UNAVAILABLE: 'STORAGE_UNREACHABLE' };

const failure = (code: ErrorCode, facts?: FailureFacts): ApplicationFailure =>
  ApplicationFailure.nonRetryable(`The integration was not changed [code=${code}]`, SAID[code] ?? code, facts);
