import { Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { CancelledFailure, type ApplicationFailure, type Workflow } from '@temporalio/common';
import { MockActivityEnvironment, type TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import type { RequestActivities } from '../../activities/contract';
import { createCompleteWaiters } from '../../activities/complete-waiters';
import { createSendRequest } from '../../activities/send-request';
import { createUntilActive } from '../../activities/until-active';
import { connectionInterceptor, withConnection } from '../../activities/with-connection';
import { REQUESTS_TASK_QUEUE } from '../../src/connection/ids';
import { DurableOAuthError, type ErrorCode } from '../../src/errors';
import type { ConnectionOptions, RequestOptions } from '../../src/flow';
import type { ConnectionRow } from '../../src/registry/contract';
import { json, portsTo, quiet, REF, rowIn, scriptedApi, ScriptedReader, type ScriptedApi } from '../support/api';
import type * as flows from '../support/flows-of-examples';
import { eventually } from '../support/harness';
import { startTemporal } from '../support/temporal';
import { boundaryGuard, Tripwire } from '../support/tripwire';
import { MemoryWaiters } from '../support/waiters';

const AUTHOR = 'author';
const TOKEN = 'access-token-of-the-shop-for-flows';
const ref = { tenant: 'acme', connection: 'cn_7q4' };

const tripwire = new Tripwire();
const violations: string[] = [];
let env: TestWorkflowEnvironment;
let client: Client;
let bundle: WorkflowBundle;
let workers: Worker[];
let running: Promise<unknown>;
let api: ScriptedApi;
let tokens: ScriptedReader;
let waiters: MemoryWaiters;
let row: ConnectionRow | undefined;
/** Instead of the real `sendRequest`. */
let instead: RequestActivities['sendRequest'] | undefined;

beforeAll(async () => {
  tripwire.watch([TOKEN]);
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  [env, api, bundle] = await Promise.all([
    startTemporal(),
    scriptedApi(),
    bundleWorkflowCode({
      workflowsPath: require.resolve('../support/flows-of-examples'),
      logger: new DefaultLogger('ERROR'),
      webpackConfigHook: (config) => ({
        ...config,
        resolve: {
          ...config.resolve,
          alias: { ...config.resolve?.alias, 'durable-oauth/workflow': require.resolve('../../src/flow') },
        },
      }),
    }),
  ]);
  const dataConverter = { payloadCodecs: [tripwire] };
  client = new Client({ connection: env.connection, dataConverter });
  const ports = portsTo(api.url, { read: (...asked) => tokens.read(...asked) });
  const sendRequest = createSendRequest(ports);
  const untilActive = createUntilActive({
    connections: { get: async () => row },
    waiters: { park: (one) => waiters.park(one), remove: (one) => waiters.remove(one) },
  });
  const common = { connection: env.nativeConnection, dataConverter };
  workers = [
    await Worker.create({
      ...common,
      taskQueue: REQUESTS_TASK_QUEUE,
      activities: {
        sendRequest: (...given: Parameters<typeof sendRequest>) => (instead ?? sendRequest)(...given),
        untilActive,
      },
      interceptors: { activity: [boundaryGuard(violations)] },
    }),
    await Worker.create({
      ...common,
      taskQueue: AUTHOR,
      workflowBundle: bundle,
      activities: {
        exportLabels: (name: string) =>
          withConnection(name, async (http) => (await http.get<string[]>('/labels')).data),
      },
      interceptors: { activity: [connectionInterceptor(ports)] },
    }),
  ];
  running = Promise.all(workers.map((worker) => worker.run()));
}, 120_000);

afterAll(async () => {
  for (const worker of workers ?? []) worker.shutdown();
  await running;
  await env?.teardown();
  await api?.close();
});

beforeEach(() => {
  api.seen.length = 0;
  api.script = () => json({ ok: true });
  tokens = new ScriptedReader(TOKEN);
  waiters = new MemoryWaiters();
  row = rowIn('active');
  instead = undefined;
});

afterEach(() => expect([tripwire.leaks, violations]).toEqual([[], []]));

function start<F extends Workflow>(type: keyof typeof flows, ...args: Parameters<F>): Promise<WorkflowHandle<F>> {
  const workflowId = `${type}-${Math.random().toString(36).slice(2)}`;
  return client.workflow.start(type, { taskQueue: AUTHOR, workflowId, args: [...args] }) as Promise<WorkflowHandle<F>>;
}
const request = (
  asked: RequestOptions,
  options?: ConnectionOptions,
): Promise<WorkflowHandle<typeof flows.requestFlow>> =>
  start<typeof flows.requestFlow>('requestFlow', REF, asked, options);

async function failureOf(handle: WorkflowHandle): Promise<ApplicationFailure | CancelledFailure> {
  const error: unknown = await handle.result().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof WorkflowFailedError)) throw new Error('The flow did not fail');
  return error.cause as ApplicationFailure | CancelledFailure;
}

/** The summaries a person reads in the history, in their order. */
async function summaries(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ userMetadata }) => {
    const data = userMetadata?.summary?.data;
    return data ? [JSON.parse(Buffer.from(data).toString()) as string] : [];
  });
}

function lose(code: ErrorCode = 'CONSENT_NEEDED', state: ConnectionRow['state'] = 'reauth_required'): void {
  tokens.failure = new DurableOAuthError(code);
  row = rowIn(state);
}
const parked = (count: number): Promise<unknown> =>
  eventually(
    `${count} parked`,
    async () => waiters.rows.size,
    (size) => size === count,
  );

/** As `recordTransition` does. */
async function becomeActive(): Promise<void> {
  row = rowIn('active');
  tokens.failure = undefined;
  const complete = createCompleteWaiters({ waiters, completion: client.activity });
  await new MockActivityEnvironment({}, quiet).run(complete, ref, 'active' as const);
}

describe('a request of a flow', () => {
  it('comes back with status, headers and body, and its activity says in words what it is', async () => {
    api.script = ({ url }) => json({ url });
    const handle = await request({ method: 'GET', path: '/orders', query: { page: 2 } });
    expect(await handle.result()).toMatchObject({ status: 200, body: { url: '/orders?page=2' } });
    expect(await handle.result()).not.toHaveProperty('v');
    expect(await summaries(handle)).toEqual([`GET /orders through ${REF}`]);
  });

  it('fails with what the API answered, and the flow can read it', async () => {
    api.script = () => json({ error: 'no such order' }, 404);
    const failure = await failureOf(await request({ method: 'GET', path: '/orders/9' }));
    expect(failure).toMatchObject({
      type: 'PROVIDER_ANSWERED_4XX',
      details: [{ status: 404, body: { error: 'no such order' } }],
    });
    expect(api.seen).toHaveLength(1);
  });

  it('is repeated by the engine while a read or a write under a key meets a 5xx', async () => {
    api.script = () => (api.seen.length % 2 === 1 ? json({}, 503) : json({ ok: true }));
    for (const asked of [{ method: 'GET' }, { method: 'POST', idempotencyKey: 'order-7' }] as const) {
      expect(await (await request({ ...asked, path: '/orders' })).result()).toMatchObject({ status: 200 });
    }
    expect(api.seen.map(({ headers }) => headers['idempotency-key'])).toEqual([
      undefined,
      undefined,
      'order-7',
      'order-7',
    ]);
  });

  it('is not repeated as a write without key, whatever the API answers', async () => {
    api.script = () => json({}, 503);
    expect(await failureOf(await request({ method: 'POST', path: '/orders' }))).toMatchObject({
      type: 'PROVIDER_ANSWERED_5XX',
    });
    expect(api.seen).toHaveLength(1);
  });

  it('is an unknown outcome when a write without key gets no answer, and is never sent again', async () => {
    api.script = () => ({ hangUp: true });
    expect(await failureOf(await request({ method: 'POST', path: '/orders' }))).toMatchObject({
      type: 'REQUEST_OUTCOME_UNKNOWN',
    });
    expect(api.seen).toHaveLength(1);
  });

  it('is an unknown outcome when the worker is lost while a write without key is under way', async () => {
    let calls = 0;
    let release = (): void => undefined;
    instead = () => {
      calls += 1;
      return new Promise((resolve) => (release = () => resolve({ v: 1, status: 200, headers: {}, body: null })));
    };
    const failure = await failureOf(await request({ method: 'POST', path: '/orders' }));
    release();
    expect([(failure as ApplicationFailure).type, calls]).toEqual(['REQUEST_OUTCOME_UNKNOWN', 1]);
  }, 30_000);

  it('is sent after all, and once, when a write without key could not leave at first', async () => {
    const failures = [new DurableOAuthError('REGISTRY_UNAVAILABLE'), new DurableOAuthError('TOKEN_NOT_FRESH')];
    const read = tokens.read.bind(tokens);
    tokens.read = async (...asked) => {
      const failure = failures.shift();
      if (failure) throw failure;
      return read(...asked);
    };
    const handle = await request({ method: 'POST', path: '/orders', body: { id: '7' } });
    expect(await handle.result()).toMatchObject({ status: 200 });
    expect(api.seen).toHaveLength(1);
    expect(await summaries(handle)).toContain('POST /orders was not sent');
  });

  it.each([
    ['ORIGIN_NOT_ALLOWED', { method: 'GET', path: 'https://evil.test/' }, REF],
    ['SYNTAX_INVALID', { method: 'GET', path: '/' }, 'acme'],
    ['NOT_FOUND', { method: 'GET', path: '/' }, 'acme/cn_other'],
  ] as const)('fails the flow with %s, not its workflow task', async (type, asked, name) => {
    const handle = await start<typeof flows.requestFlow>('requestFlow', name, asked);
    expect(await failureOf(handle)).toMatchObject({ type });
    expect(await failureOf(await start<typeof flows.pathFlow>('pathFlow', '..'))).toMatchObject({
      type: 'SYNTAX_INVALID',
    });
  });
});

describe('a flow whose connection waits for people', () => {
  it.each([
    ['CONSENT_NEEDED', 'reauth_required'],
    ['CONSENT_NEEDED', 'pending_consent'],
    ['NOT_CONNECTED', 'disconnected'],
  ] as const)('004-17 pauses by default: %s, %s; it goes on at the same request', async (code, state) => {
    lose(code, state);
    const flows = await Promise.all([1, 2, 3].map((id) => request({ method: 'POST', path: `/orders/${id}/ack` })));
    await parked(3);
    expect(api.seen).toEqual([]);
    await becomeActive();
    for (const flow of flows) expect(await flow.result()).toMatchObject({ status: 200 });
    expect(api.seen.map(({ url }) => url).sort()).toEqual(['/orders/1/ack', '/orders/2/ack', '/orders/3/ack']);
    expect(await summaries(flows[0]!)).toEqual([
      `POST /orders/1/ack through ${REF}`,
      `Wait until ${REF} is active`,
      `POST /orders/1/ack through ${REF}`,
    ]);
  });

  it('004-17 fails when it says so', async () => {
    lose();
    const flow = await request({ method: 'GET', path: '/orders' }, { whenConsentNeeded: 'fail' });
    expect(await failureOf(flow)).toMatchObject({ type: 'CONSENT_NEEDED' });
    expect(waiters.rows.size).toBe(0);
  });

  it('004-17 skips the request when it says so, and nothing else', async () => {
    lose();
    const skip = { whenConsentNeeded: 'skip' } as const;
    expect(await (await request({ method: 'GET', path: '/orders' }, skip)).result()).toBe('skipped');
    tokens.failure = undefined;
    api.script = () => json({}, 404);
    const failure = await failureOf(await request({ method: 'GET', path: '/orders' }, skip));
    expect(failure).toMatchObject({ type: 'PROVIDER_ANSWERED_4XX' });
  });

  it('waits no longer than it says, then fails with what it waited for', async () => {
    lose();
    const flow = await request({ method: 'GET', path: '/orders' }, { whenConsentNeeded: { waitAtMost: '2 seconds' } });
    expect(await failureOf(flow)).toMatchObject({ type: 'CONSENT_NEEDED' });
    expect(await summaries(flow)).toContain(`Wait until ${REF} is active`);
    await becomeActive();
    expect(waiters.rows.size).toBe(0);
  });

  it('goes on although a reader still refuses for a moment after the consent', async () => {
    lose();
    row = rowIn('active');
    const flow = await request({ method: 'GET', path: '/orders' });
    await eventually(
      'refused twice',
      async () => tokens.reads,
      (reads) => reads >= 2,
    );
    tokens.failure = undefined;
    expect(await flow.result()).toMatchObject({ status: 200 });
  });

  it('fails when the connection is removed', async () => {
    tokens.failure = new DurableOAuthError('CONSENT_NEEDED');
    row = undefined;
    expect(await failureOf(await request({ method: 'GET', path: '/orders' }))).toMatchObject({ type: 'NOT_FOUND' });
  });

  it('can be cancelled while parked, and its wake-up call harms nobody', async () => {
    lose();
    const flow = await request({ method: 'GET', path: '/orders' });
    await parked(1);
    await flow.cancel();
    expect(await failureOf(flow)).toBeInstanceOf(CancelledFailure);
    await becomeActive();
    expect(waiters.rows.size).toBe(0);
  });

  it('runs its own work again: an activity that uses withConnection', async () => {
    api.script = () => json(['red', 'blue']);
    lose();
    const flow = await start<typeof flows.labelsFlow>('labelsFlow', REF);
    await parked(1);
    await becomeActive();
    expect(await flow.result()).toEqual(['red', 'blue']);
    expect(api.seen[0]!.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });
});

it('the example acknowledges each order once, also over a loss of consent and lost answers', async () => {
  const orders = Array.from({ length: 12 }, (_, n) => `order-${n + 1}`);
  const effects: string[] = [];
  let answers = 0;
  api.script = ({ method, url, headers }) => {
    answers += 1;
    if (answers === 6) lose();
    if (method === 'GET') {
      const page = Number(new URL(url, api.url).searchParams.get('page'));
      const found = orders.slice((page - 1) * 5, page * 5);
      return json({ page, orders: found.map((id) => ({ id })), full: found.length === 5 });
    }
    const key = String(headers['idempotency-key']);
    if (!effects.includes(key)) effects.push(key);
    return answers % 4 === 0 ? { hangUp: true } : json({ id: key });
  };
  const sync = { connection: REF, rounds: 5, secondsBetween: 0.05 };
  const flow = await start<typeof flows.orderSyncWorkflow>('orderSyncWorkflow', sync);
  await parked(1);
  await becomeActive();
  expect(await flow.result()).toEqual({ acknowledged: orders, page: 3 });
  expect(effects).toEqual(orders);
  expect(api.seen.filter(({ method }) => method === 'POST').length).toBeGreaterThan(orders.length);
}, 60_000);

it('every history of this file replays', async () => {
  const histories = client.workflow.list().intoHistories();
  const results = Worker.runReplayHistories(
    { workflowBundle: bundle, dataConverter: { payloadCodecs: [tripwire] } },
    histories,
  );
  let count = 0;
  for await (const { error } of results) {
    expect(error).toBeUndefined();
    count += 1;
  }
  expect(count).toBeGreaterThan(20);
}, 60_000);
