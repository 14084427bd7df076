/**
 * `saveIntegrationWorkflow`: one execution is one save, id `save/<tenant>/<integration>`, for seconds.
 *
 * Validate → store → register → start the connection. Whatever fails after something was stored is undone here, without
 * limit of attempts and uncancellable: no orphan in the vault, no row without entry.
 */
import {
  ApplicationFailure,
  CancellationScope,
  ParentClosePolicy,
  setCurrentDetails,
  startChild,
} from '@temporalio/workflow';
import type { SaveValidation } from '../activities/contract';
import { clientSecretRef, connectionWorkflowId, formatRef, grantRef } from '../src/connection/ids';
import { CONNECTION_WORKFLOW, originIn, type SaveInput, type SaveResult } from '../src/connection/messages';
import type { FailureFacts } from '../src/connection/types';
import type { ErrorCode } from '../src/errors';
import { outcomeOf } from './failures';
import { run } from './run-activity';

export async function saveIntegrationWorkflow(input: SaveInput): Promise<SaveResult> {
  return CancellationScope.nonCancellable(async () => {
    const { tenant, connection, integration, draft } = input;
    const ref = formatRef({ tenant, connection });
    show(`Validating "${draft.label}" with the provider.`);
    const validation = await validate(input, ref);
    let result: SaveResult;
    try {
      result = await run('registerIntegration', `Register integration ${tenant}/${integration}`, {
        ...input,
        validation,
      });
    } catch (error) {
      await undo(input, 'registration failed');
      const { code, timedOut } = outcomeOf(error);
      throw failure(timedOut ? 'REGISTRY_UNAVAILABLE' : code);
    }
    await startConnection(input, ref);
    show(`Saved as ${ref}.`);
    return result;
  });
}

async function validate(input: SaveInput, ref: string): Promise<SaveValidation> {
  const validation = await obtain(input);
  if (validation.escrow) {
    const { grant, sealed } = validation.escrow;
    show('The provider accepted; waiting for the vault.');
    await run('storeEscrowedTokenSet', `Store what the provider answered (${ref})`, { v: 1, ref, grant, sealed });
  }
  return validation;
}

async function obtain(input: SaveInput): Promise<SaveValidation> {
  const { grant_type: grantType } = input.draft;
  try {
    return await run('validateIntegration', `Validate with the provider (${grantType})`, input);
  } catch (error) {
    const { facts, code, timedOut, heartbeat } = outcomeOf<SaveValidation>(error);
    if (heartbeat) return heartbeat;
    // An activity that answered stored nothing; one that did not may have.
    if (!timedOut) throw failure(code === 'VAULT_UNAVAILABLE' ? facts.code : code, facts);
    await undo(input, 'the answer was lost');
    throw failure(grantType === 'refresh_token' ? 'SAVE_OUTCOME_UNKNOWN' : 'PROVIDER_UNREACHABLE');
  }
}

async function undo(input: SaveInput, reason: string): Promise<void> {
  const { tenant, connection, client, component, secret, grant } = input;
  const granted = grantRef({ tenant, connection }, grant);
  await run('destroySecrets', `Undo the save: ${reason}`, {
    v: 1,
    tenant,
    // The client of a component was there before.
    refs: component === undefined ? [clientSecretRef(tenant, client, secret), granted] : [granted],
    remove: { connection },
    reason,
    ...originIn(input),
  });
}

async function startConnection(input: SaveInput, ref: string): Promise<void> {
  const { tenant, connection } = input;
  try {
    await startChild(CONNECTION_WORKFLOW, {
      workflowId: connectionWorkflowId({ tenant, connection }),
      parentClosePolicy: ParentClosePolicy.ABANDON,
      args: [{ v: 1, ref, tuning: input.tuning }],
    });
  } catch (error) {
    // Housekeeping or a caller was faster; there is one run, and that is all we want.
    // By name: the class is not for the sandbox.
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
  }
}

/** The facts say what the provider answered; the route turns them into words. */
const failure = (code: ErrorCode, facts?: FailureFacts): ApplicationFailure =>
  ApplicationFailure.nonRetryable(`The integration was not saved [code=${code}]`, code, facts);

const show = (text: string): void => setCurrentDetails(text);
