/** `OAuthClients`: saving, changing and retiring OAuth clients, over the workflows that own them. */
import {
  ApplicationFailure,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { changeWorkflowId, oauthClientWorkflowId, retireWorkflowId, TASK_QUEUE } from '../connection/ids';
import {
  CHANGE_INTEGRATION_WORKFLOW,
  RETIRE_OAUTH_CLIENT_WORKFLOW,
  SAVE_OAUTH_CLIENT_WORKFLOW,
  type ChangeIntegrationInput,
  type ChangeIntegrationResult,
  type RetireOAuthClientInput,
  type SaveOAuthClientInput,
  type Tuning,
} from '../connection/messages';
import type { Sealer } from '../envelope';
import { DurableOAuthError, isErrorCode } from '../errors';
import { audienceOf } from '../providers/resolve';
import { failureOf, newId } from './connections';
import type { OAuthClients } from './contract';
import { orLate, soon } from './patience';
import { retire } from './retire';
import { asOurs } from './temporal-errors';

const START_DEADLINE_MS = 15_000;
/** How long a save is awaited before it is answered with 202. */
const SAVE_WAIT_MS = 25_000;

export interface OAuthClientsDeps {
  readonly temporal: Client;
  readonly sealer: Sealer;
  readonly tuning?: Tuning;
}

export function createOAuthClients({ temporal, sealer, tuning }: OAuthClientsDeps): OAuthClients {
  const start = <I>(type: string, workflowId: string, input: I): Promise<WorkflowHandle> =>
    temporal.withDeadline(soon(START_DEADLINE_MS), () =>
      temporal.workflow.start(type, { workflowId, taskQueue: TASK_QUEUE, args: [input] }),
    );

  return {
    async save({ clientSecret, ...request }, caller) {
      const { tenant, client } = request;
      const secret = newId('sec');
      const sealed = await sealer.seal('client', { client_secret: clientSecret.reveal() });
      const input: SaveOAuthClientInput = { v: 1, ...request, secret, sealed, ...caller };
      try {
        const handle = await start(SAVE_OAUTH_CLIENT_WORKFLOW, oauthClientWorkflowId(tenant, client), input);
        return (await orLate<unknown>(handle.result(), SAVE_WAIT_MS)) ? 'saved' : 'running';
      } catch (error) {
        if (error instanceof WorkflowFailedError) return { failed: codeOf(error) };
        if (error instanceof WorkflowExecutionAlreadyStartedError) {
          throw new DurableOAuthError('SAVE_IN_PROGRESS', 'This OAuth client is being changed', { tenant, client });
        }
        throw asOurs(error, 'Saving an OAuth client');
      }
    },

    async change({ clientSecret, ...request }, caller) {
      const { tenant, integration, to } = request;
      const secret = newId('sec');
      const sealed = await sealer.seal('client', { client_secret: clientSecret.reveal() });
      const input: ChangeIntegrationInput = { v: 1, ...request, secret, sealed, audience: audienceOf(to), ...caller };
      try {
        const handle = await start(CHANGE_INTEGRATION_WORKFLOW, changeWorkflowId(tenant, integration), input);
        const result = handle.result() as Promise<ChangeIntegrationResult>;
        const done = await orLate(result, SAVE_WAIT_MS);
        return done ? { kind: 'changed', proven: done.proven, outdated: done.outdated } : { kind: 'running' };
      } catch (error) {
        if (error instanceof WorkflowFailedError) return failureOf(error);
        if (error instanceof WorkflowExecutionAlreadyStartedError) {
          throw new DurableOAuthError('SAVE_IN_PROGRESS', 'This integration is being changed', { tenant, integration });
        }
        throw asOurs(error, 'Changing an integration');
      }
    },

    retire: (tenant, client, remove, caller, waitMs = 0) => {
      const input: RetireOAuthClientInput = { v: 1, tenant, client, remove, tuning, ...caller };
      const workflowId = retireWorkflowId(tenant, client, remove);
      return retire(temporal, { type: RETIRE_OAUTH_CLIENT_WORKFLOW, workflowId, input }, waitMs);
    },
  };
}

function codeOf({ cause }: WorkflowFailedError): Extract<Awaited<ReturnType<OAuthClients['save']>>, object>['failed'] {
  return cause instanceof ApplicationFailure && isErrorCode(cause.type) ? cause.type : 'INTERNAL';
}
