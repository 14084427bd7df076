/** Housekeeping of a worker: idempotent, jittered, by any number of workers at once. Not a workflow: Temporal is what it mends. */
import type { Client } from '@temporalio/client';
import { isGone } from './client/temporal-errors';
import { MINUTE, SECOND } from './connection/clocks';
import {
  changeWorkflowId,
  clientSecretRef,
  connectionWorkflowId,
  formatRef,
  oauthClientWorkflowId,
  TASK_QUEUE,
} from './connection/ids';
import { CONNECTION_WORKFLOW } from './connection/messages';
import type { Composition } from './compose';
import { tendEnvelopeKeys } from './envelope-keys';
import { isDurableOAuthError } from './errors';
import type { OverdueConnection, TenantAndId } from './registry/contract';
import { Secret } from './vault/secret';

const EVERY_MS = 5 * MINUTE;
/** Overdue by this much means that nobody is at work on it. */
const OVERDUE_MS = 2 * MINUTE;
const BATCH = 500;
const STARTS_PER_SECOND = 50;
/** A save or change of an OAuth client takes seconds; one that ended longer ago than this has nothing under way any more. */
const ABANDONED_MS = 60 * MINUTE;
/** What a server that died left to be done is done this soon. */
const EFFECTS_EVERY_MS = 5 * SECOND;
/** A replaced client secret is destroyed once no request that read it can be under way. */
const OVERLAP_MS = 10 * MINUTE;
/** Who asked is told by the event with which the deletion began. */
const CALLER = { by: 'system', traceId: 'housekeeping' };

export interface Housekeeping {
  stop(): Promise<void>;
}

type Report = (what: string, facts: Readonly<Record<string, unknown>>) => void;

/**
 * Start housekeeping: once now (awaited: a worker without envelope key cannot keep an escrow), then every 5 minutes.
 * @throws VAULT_UNAVAILABLE, REGISTRY_UNAVAILABLE of the first run
 */
export async function startHousekeeping(parts: Composition, report: Report): Promise<Housekeeping> {
  await tend(parts);
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = sweep();
  const plan = (): void => {
    timer = setTimeout(
      () => {
        running = tend(parts).then(sweep, failed).finally(plan);
      },
      EVERY_MS * (0.9 + Math.random() / 5),
    );
  };
  plan();
  let effectsTimer: NodeJS.Timeout | undefined;
  let happening: Promise<unknown> = Promise.resolve();
  const planEffects = (): void => {
    effectsTimer = setTimeout(
      () => {
        happening = parts.effects.drain().catch(failed).finally(planEffects);
      },
      EFFECTS_EVERY_MS * (0.9 + Math.random() / 5),
    );
  };
  planEffects();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      clearTimeout(effectsTimer);
      await Promise.all([running, happening]);
      clearTimeout(timer);
      clearTimeout(effectsTimer);
    },
  };

  async function sweep(): Promise<void> {
    try {
      const started = await startOverdue(parts, new Date(), () => stopped);
      if (started > 0) report('started overdue connections', { started });
      await resumeDeletions(parts, () => stopped);
      const saves = await giveBackAbandoned(parts);
      if (saves > 0) report('gave back what abandoned saves and changes of OAuth clients left', { saves });
    } catch (error) {
      failed(error);
    }
  }

  function failed(error: unknown): void {
    report('housekeeping failed', { code: isDurableOAuthError(error) ? error.code : 'INTERNAL' });
  }
}

async function tend(parts: Composition): Promise<void> {
  const { vault, registry, fingerprint } = parts;
  await tendEnvelopeKeys({ vault, registry: registry.envelopeKeys, now: new Date() });
  await destroyRetiredSecrets(parts);
  // Makes the key while nobody waits, so that a failed save writes nothing at all.
  await fingerprint(new Secret('first use'));
}

/**
 * Start every connection whose next action is overdue: its run was terminated or lost with Temporal's database.
 * One that runs is left alone.
 */
export async function startOverdue(
  parts: Composition,
  now = new Date(),
  stopped = (): boolean => false,
): Promise<number> {
  const { registry, config, temporal, tuning } = parts;
  const before = new Date(now.getTime() - OVERDUE_MS).toISOString();
  let started = 0;
  let last: OverdueConnection | undefined;
  do {
    const due = await registry.connections.overdue(before, BATCH, config.tenants, last);
    for (const ref of due) {
      if (stopped()) return started;
      await temporal.workflow.start(CONNECTION_WORKFLOW, {
        workflowId: connectionWorkflowId(ref),
        taskQueue: TASK_QUEUE,
        args: [{ v: 1, ref: formatRef(ref), tuning }],
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      started++;
      await betweenStarts();
    }
    last = due.length === BATCH ? due.at(-1) : undefined;
  } while (last !== undefined);
  return started;
}

const betweenStarts = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, SECOND / STARTS_PER_SECOND);
  });

/**
 * Go on with every deletion of an integration or OAuth client that was begun and is not finished: its run was terminated or
 * lost with Temporal's database. One that runs is left alone.
 */
export async function resumeDeletions(
  { registry, config, connections, oauthClients }: Composition,
  stopped = (): boolean => false,
): Promise<void> {
  const resumes = [
    {
      of: registry.integrations,
      retire: ({ tenant, id }: TenantAndId) => connections.retire(tenant, id, CALLER),
    },
    {
      of: registry.oauthClients,
      retire: ({ tenant, id }: TenantAndId) => oauthClients.retire(tenant, id, true, CALLER),
    },
  ];
  for (const { of, retire } of resumes) {
    let last: TenantAndId | undefined;
    do {
      const begun = await of.unfinishedDeletions(BATCH, config.tenants, last);
      for (const one of begun) {
        if (stopped()) return;
        await retire(one);
        await betweenStarts();
      }
      last = begun.length === BATCH ? begun.at(-1) : undefined;
    } while (last !== undefined);
  }
}

/**
 * Give back what a save of an OAuth client, or a change of an integration's own, left behind that was ended by hand: the
 * secret it may have stored, which a row names, and a place it had reserved.
 * @returns how many of them
 */
export async function giveBackAbandoned(
  { vault, registry, config, temporal }: Composition,
  now = new Date(),
): Promise<number> {
  const before = new Date(now.getTime() - ABANDONED_MS);
  const unpublished = await registry.oauthClients.unpublishedSecrets(before.toISOString(), BATCH, config.tenants);
  let given = 0;
  for (const { tenant, client, id, integration } of unpublished) {
    const workflowId =
      integration === null ? oauthClientWorkflowId(tenant, client) : changeWorkflowId(tenant, integration);
    if (!(await hasEnded(temporal, workflowId, before))) continue;
    await vault.destroy(clientSecretRef(tenant, client, id));
    await registry.oauthClients.abandon(tenant, client, id);
    given++;
  }
  return given;
}

/** So long ago that no activity of it can still be at work; or Temporal has forgotten it. */
async function hasEnded(temporal: Client, workflowId: string, before: Date): Promise<boolean> {
  try {
    const { closeTime } = await temporal.workflow.getHandle(workflowId).describe();
    return closeTime !== undefined && closeTime < before;
  } catch (error) {
    if (isGone(error)) return true;
    throw error;
  }
}

/** @returns how many client secrets were destroyed: those replaced long enough ago */
export async function destroyRetiredSecrets(
  { vault, registry, config }: Composition,
  now = new Date(),
): Promise<number> {
  const before = new Date(now.getTime() - OVERLAP_MS).toISOString();
  const retired = await registry.oauthClients.retiredSecrets(before, BATCH, config.tenants);
  for (const { tenant, client, id } of retired) {
    await vault.destroy(clientSecretRef(tenant, client, id));
    await registry.oauthClients.forgetSecret(tenant, client, id);
  }
  return retired.length;
}
