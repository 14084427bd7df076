/** `OAuthClients`: saving and retiring the OAuth clients of components, over the workflows that own them. */
import {
  ApplicationFailure,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type Client,
} from '@temporalio/client';
import { oauthClientWorkflowId, retireWorkflowId, TASK_QUEUE } from '../connection/ids';
import {
  RETIRE_OAUTH_CLIENT_WORKFLOW,
  SAVE_OAUTH_CLIENT_WORKFLOW,
  type RetireOAuthClientInput,
  type SaveOAuthClientInput,
} from '../connection/messages';
import type { Sealer } from '../envelope';
import { DurableOAuthError, isErrorCode } from '../errors';
import { newId } from './connections';
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
}

export function createOAuthClients({ temporal, sealer }: OAuthClientsDeps): OAuthClients {
  return {
    async save({ clientSecret, ...request }, caller) {
      const { tenant, client } = request;
      const secret = newId('sec');
      const sealed = await sealer.seal('client', { client_secret: clientSecret.reveal() });
      const input: SaveOAuthClientInput = { v: 1, ...request, secret, sealed, ...caller };
      try {
        const handle = await temporal.withDeadline(soon(START_DEADLINE_MS), () =>
          temporal.workflow.start(SAVE_OAUTH_CLIENT_WORKFLOW, {
            workflowId: oauthClientWorkflowId(tenant, client),
            taskQueue: TASK_QUEUE,
            args: [input],
          }),
        );
        return (await orLate<unknown>(handle.result(), SAVE_WAIT_MS)) ? 'saved' : 'running';
      } catch (error) {
        if (error instanceof WorkflowFailedError) return { failed: codeOf(error) };
        if (error instanceof WorkflowExecutionAlreadyStartedError) {
          throw new DurableOAuthError('SAVE_IN_PROGRESS', 'This OAuth client is being changed', { tenant, client });
        }
        throw asOurs(error, 'Saving an OAuth client');
      }
    },

    retire: (tenant, client, remove, caller, waitMs = 0) => {
      const input: RetireOAuthClientInput = { v: 1, tenant, client, remove, ...caller };
      // A client is removed once in its life; a component may go, come back by a move of the client, and go again.
      const reuse = remove ? 'ALLOW_DUPLICATE_FAILED_ONLY' : 'ALLOW_DUPLICATE';
      const workflowId = retireWorkflowId(tenant, client, remove);
      return retire(temporal, { type: RETIRE_OAUTH_CLIENT_WORKFLOW, workflowId, input, reuse }, waitMs);
    },
  };
}

function codeOf({ cause }: WorkflowFailedError): Extract<Awaited<ReturnType<OAuthClients['save']>>, object>['failed'] {
  return cause instanceof ApplicationFailure && isErrorCode(cause.type) ? cause.type : 'INTERNAL';
}
