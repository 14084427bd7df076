/** `Connections`: saving, freshness, revocation and health, over the workflows that own them. */
import { randomBytes } from 'node:crypto';
import {
  ApplicationFailure,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type Client,
} from '@temporalio/client';
import { describeHealth } from '../connection/health';
import type { Lang } from '../connection/reasons';
import {
  connectionWorkflowId,
  formatRef,
  idFrom,
  retireIntegrationWorkflowId,
  saveWorkflowId,
  TASK_QUEUE,
  type IdPrefix,
} from '../connection/ids';
import {
  CONNECTION_WORKFLOW,
  DESCRIBE,
  ENSURE_FRESH,
  NUDGE,
  RETIRE_INTEGRATION_WORKFLOW,
  REVOKE,
  SAVE_WORKFLOW,
  type ConnectionInput,
  type FreshAnswer,
  type HealthReading,
  type RetireIntegrationInput,
  type SaveInput,
  type Tombstone,
  type Tuning,
} from '../connection/messages';
import type { ConnectionRef, FailureFacts } from '../connection/types';
import type { Sealer } from '../envelope';
import { DurableOAuthError, isErrorCode } from '../errors';
import { displayName, findPreset } from '../providers/resolve';
import type { Catalogue } from '../providers/preset';
import type { ConnectionContext, Registry } from '../registry/contract';
import type { Caller, Connections, Failed, SaveOutcome, SaveRequest } from './contract';
import { orLate, soon } from './patience';
import { retire } from './retire';
import { asOurs, isGone, isUnreachable } from './temporal-errors';

export interface ConnectionsDeps {
  readonly temporal: Client;
  readonly sealer: Sealer;
  readonly registry: Pick<Registry, 'connections'>;
  readonly catalogue: Catalogue;
  readonly tuning?: Tuning;
}

type ConnectionWorkflow = (input: ConnectionInput) => Promise<unknown>;

/** How long a save is awaited before it is answered with 202. */
const SAVE_WAIT_MS = 25_000;
const UPDATE_DEADLINE_MS = 15_000;
const QUERY_DEADLINE_MS = 3_000;
/** Callers of one generation within this window share one update. */
const SHARE_MS = 10_000;

/** The connection's run, started when it is lost. */
function startOperation(
  ref: ConnectionRef,
  tuning: Tuning | undefined,
): WithStartWorkflowOperation<ConnectionWorkflow> {
  return new WithStartWorkflowOperation(CONNECTION_WORKFLOW, {
    workflowId: connectionWorkflowId(ref),
    taskQueue: TASK_QUEUE,
    args: [{ v: 1, ref: formatRef(ref), tuning }],
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
}

/** `Connections.ensureFresh` on a Temporal client alone. Callers of one process share one call. */
export function createEnsureFresh(temporal: Client, tuning: Tuning | undefined): Connections['ensureFresh'] {
  const asking = new Map<string, Promise<FreshAnswer>>();
  return (ref, ask, caller) => {
    const updateId = `${ask.why === 'asked' ? 'asked' : 'fresh'}.${ask.generation}.${Math.floor(Date.now() / SHARE_MS)}`;
    const key = `${formatRef(ref)} ${updateId}`;
    const shared = asking.get(key);
    if (shared) return shared;
    const update = temporal.withDeadline(soon(UPDATE_DEADLINE_MS), () =>
      temporal.workflow.executeUpdateWithStart<ConnectionWorkflow, FreshAnswer, [unknown]>(ENSURE_FRESH, {
        startWorkflowOperation: startOperation(ref, tuning),
        updateId,
        args: [{ v: 1, ...ask, ...caller }],
      }),
    );
    const answer = update
      .catch((error: unknown) => {
        throw asOurs(error, 'Asking a connection for a fresh token');
      })
      .finally(() => asking.delete(key));
    asking.set(key, answer);
    return answer;
  };
}

export function createConnections(deps: ConnectionsDeps): Connections {
  return {
    save: (request, caller) => save(deps, request, caller),
    saveLater: async (request, delayMs, caller) => void (await startSave(deps, request, caller, delayMs)),

    async saveStatus(tenant, integration) {
      const handle = deps.temporal.workflow.getHandle(saveWorkflowId(tenant, integration));
      try {
        const { status } = await deps.temporal.withDeadline(soon(QUERY_DEADLINE_MS), () => handle.describe());
        if (status.name === 'RUNNING') return { kind: 'running' };
        if (status.name !== 'FAILED') return undefined;
        await handle.result();
        return undefined;
      } catch (error) {
        if (isGone(error)) return undefined;
        if (error instanceof WorkflowFailedError) return failureOf(error);
        throw asOurs(error, 'Asking for a save');
      }
    },

    retire: (tenant, integration, caller, waitMs = 0) => {
      const input: RetireIntegrationInput = { v: 1, tenant, integration, tuning: deps.tuning, ...caller };
      const workflowId = retireIntegrationWorkflowId(tenant, integration);
      return retire(deps.temporal, { type: RETIRE_INTEGRATION_WORKFLOW, workflowId, input }, waitMs);
    },

    ensureFresh: createEnsureFresh(deps.temporal, deps.tuning),

    async revoke(ref, reason, caller) {
      try {
        return await deps.temporal.withDeadline(soon(UPDATE_DEADLINE_MS), () =>
          deps.temporal.workflow.executeUpdateWithStart<ConnectionWorkflow, Tombstone, [unknown]>(REVOKE, {
            startWorkflowOperation: startOperation(ref, deps.tuning),
            args: [{ v: 1, reason, ...caller }],
          }),
        );
      } catch (error) {
        throw asOurs(error, 'Revoking a connection');
      }
    },

    async nudge(ref, why, caller, refresh) {
      try {
        await deps.temporal.workflow.signalWithStart(CONNECTION_WORKFLOW, {
          workflowId: connectionWorkflowId(ref),
          taskQueue: TASK_QUEUE,
          args: [{ v: 1, ref: formatRef(ref), tuning: deps.tuning }],
          signal: NUDGE,
          signalArgs: [{ v: 1, why, ...(refresh && { refresh }), ...caller }],
        });
      } catch (error) {
        throw asOurs(error, 'Nudging a connection');
      }
    },

    describe: (ref, lang) => describe(deps, ref, lang),
  };
}

/** @throws SAVE_IN_PROGRESS, TEMPORAL_UNAVAILABLE */
async function startSave(
  deps: ConnectionsDeps,
  request: SaveRequest,
  caller: Caller,
  startDelay?: number,
): Promise<{ readonly connection: string; result(): Promise<unknown> }> {
  const { tenant, integration, settings, lang } = request;
  const secrets = {
    client_secret: request.clientSecret?.reveal(),
    refresh_token: request.refreshToken?.reveal(),
  };
  const input: SaveInput = {
    v: 1,
    tenant,
    integration,
    connection: newId('cn'),
    client: request.component?.client ?? newId('oc'),
    component: request.component?.id,
    secret: newId('sec'),
    grant: newId('gr'),
    lang,
    draft: settings,
    about: request.about,
    sealed: secrets.client_secret || secrets.refresh_token ? await deps.sealer.seal('save', secrets) : undefined,
    tuning: deps.tuning,
    ...caller,
  };
  try {
    const handle = await deps.temporal.withDeadline(soon(UPDATE_DEADLINE_MS), () =>
      deps.temporal.workflow.start(SAVE_WORKFLOW, {
        workflowId: saveWorkflowId(tenant, integration),
        taskQueue: TASK_QUEUE,
        args: [input],
        startDelay,
      }),
    );
    return { connection: input.connection, result: () => handle.result() };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      throw new DurableOAuthError('SAVE_IN_PROGRESS', 'This integration is being saved', { tenant, integration });
    }
    throw asOurs(error, 'Saving an integration');
  }
}

async function save(deps: ConnectionsDeps, request: SaveRequest, caller: Caller): Promise<SaveOutcome> {
  const { connection, result } = await startSave(deps, request, caller);
  try {
    const done = await orLate(result(), SAVE_WAIT_MS);
    return done ? { kind: 'saved', integration: request.integration, connection } : { kind: 'running' };
  } catch (error) {
    if (error instanceof WorkflowFailedError) return failureOf(error);
    throw asOurs(error, 'Saving an integration');
  }
}

/** Why a save or a change failed. */
export function failureOf(error: WorkflowFailedError): Failed {
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure) || !isErrorCode(cause.type)) return { kind: 'failed', code: 'INTERNAL' };
  const facts = cause.details?.[0] as FailureFacts | undefined;
  return {
    kind: 'failed',
    code: cause.type,
    retryAfterSeconds: facts?.retryAfterSeconds,
    oauthError: facts?.oauthError,
  };
}

/** The workflow's own reading; the registry's row when no worker or no run answers. */
async function describe(deps: ConnectionsDeps, ref: ConnectionRef, lang: Lang = 'en'): Promise<HealthReading> {
  const context = await deps.registry.connections.context(ref);
  if (context === undefined) throw new DurableOAuthError('NOT_FOUND', 'Reading a connection', { ref: formatRef(ref) });
  const handle = deps.temporal.workflow.getHandle(connectionWorkflowId(ref));
  try {
    const reading = await deps.temporal.withDeadline(soon(QUERY_DEADLINE_MS), () =>
      handle.query<HealthReading | undefined>(DESCRIBE),
    );
    if (reading !== undefined && lang === 'en') return reading;
  } catch (error) {
    if (!isGone(error) && !isUnreachable(error)) throw asOurs(error, 'Reading a connection');
  }
  return healthOfRow(context, deps.catalogue, lang);
}

/**
 * @param flows how many include it, where that is known
 * @returns the same reading the workflow gives, out of the registry's projection
 */
export function healthOfRow(
  { connection, integration, client, provider }: ConnectionContext,
  catalogue: Catalogue,
  lang: Lang = 'en',
  flows?: number,
): HealthReading {
  const { settings } = integration;
  const preset = findPreset(catalogue, settings.preset, provider);
  const display = {
    app: preset ? displayName(settings, preset) : settings.label,
    client: client.label,
    account: connection.accountLabel ?? undefined,
    owner: connection.owner ?? undefined,
  };
  const ref = formatRef({ tenant: connection.tenant, connection: connection.id });
  return describeHealth({ ...connection, display, policy: settings.policy, flows }, ref, new Date(), lang);
}

export const newId = (prefix: IdPrefix): string => idFrom(prefix, randomBytes(17));
