/** `examples/order-sync` in its own worker, while everything around it is killed; and the consent withdrawn behind our back. */
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { WorkflowHandle } from '@temporalio/client';
import { until, type Cell } from './cells';
import type { Histories } from './history';
import { consent } from './kills';
import type { Demo } from './setup';

export interface OrderSyncRun {
  finish(id: string, login: string, log: (line: string) => void): Promise<Cell>;
  stop(): Promise<void>;
}

const LOGIN_ROUNDS = 400;

export async function startOrderSync(demo: Demo, histories: Histories, connection: string): Promise<OrderSyncRun> {
  const child = spawn(process.execPath, [join(__dirname, '..', 'examples', 'order-sync', 'worker.js')], {
    env: { ...process.env, TEMPORAL_ADDRESS: demo.dev.temporalAddress, TEMPORAL_NAMESPACE: 'default' },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  const handle: WorkflowHandle = await histories.client.workflow.start('orderSyncWorkflow', {
    workflowId: `order-sync-${connection}`,
    taskQueue: 'order-sync',
    args: [{ connection: `${demo.rest.tenant}/${connection}`, rounds: LOGIN_ROUNDS, secondsBetween: 1 }],
  });
  return {
    async finish(id, login, log) {
      log('revoking the grant at the provider, behind our back');
      await demo.provider.admin.revokeGrant({ sub: login });
      const parkedFrom = Date.now();
      await until(
        'the connection asks for renewed consent',
        () => demo.rest.connection(id),
        ({ state }) => state === 'reauth_required',
        90_000,
      );
      await until('the flow is parked', () => parked(handle), Boolean, 60_000);
      log('the flow is parked; renewing consent');
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      await consent(demo, id, login);
      await until(
        'the flow goes on',
        () => parked(handle),
        (still) => !still,
        60_000,
      );
      const parkedSeconds = Math.round((Date.now() - parkedFrom) / 1000);
      const created = await demo.provider.admin.stopOrders();
      log(`the flow goes on; ${created} orders are to be acknowledged`);
      const journal = await until(
        'every order is acknowledged',
        () => demo.provider.admin.journal(),
        ({ effects }) => new Set(effects.map(({ order }) => order)).size >= created,
        240_000,
      );
      const orders = journal.effects.map(({ order }) => order);
      const twice = orders.length - new Set(orders).size;
      const missing = created - new Set(orders).size;
      return {
        name: 'order-sync',
        demanded: 'no order missing, none with two effects, parked',
        seen: `${missing} of ${created} missing, ${twice} with two effects (${journal.repeats.length} repeats under one key), parked for ${parkedSeconds} s`,
        ok: missing === 0 && twice === 0,
      };
    },
    async stop() {
      await handle.terminate('the demo is over').catch(() => undefined);
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Whether the flow waits in `untilActive` for a consent. */
async function parked(handle: WorkflowHandle): Promise<boolean> {
  const { raw } = await handle.describe();
  return (raw.pendingActivities ?? []).some(({ activityType }) => activityType?.name === 'untilActive');
}
