import { MockActivityEnvironment, type TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { connectionInterceptor, withConnection } from '../../activities/with-connection';
import { REQUESTS_TASK_QUEUE } from '../../src/connection/ids';
import { DurableOAuthPlugin, type PluginParts } from '../../src/plugin';
import { fakeConnection } from '../../src/testing/fake-connection';
import { json, portsTo, quiet, REF, scriptedApi, ScriptedReader } from '../support/api';
import type * as flows from '../support/flows';
import { startTemporal } from '../support/temporal';

let env: TestWorkflowEnvironment;
const shop = fakeConnection({ 'GET /orders': () => ({ body: ['order-1'] }) });
const interceptor = connectionInterceptor(portsTo('https://api.test', new ScriptedReader('unused')));

/** Starts our requests worker, as `createWorkers` does. */
const startWorkers: PluginParts['startWorkers'] = async ({ connection, namespace }) => [
  await Worker.create({ connection, namespace, taskQueue: REQUESTS_TASK_QUEUE, activities: shop.activities }),
];

const author = (plugins: WorkerOptions['plugins'], connection = env.nativeConnection): Promise<Worker> =>
  Worker.create({
    connection,
    taskQueue: 'author',
    workflowsPath: require.resolve('../support/flows'),
    plugins,
  });

const orders = (): Promise<unknown> =>
  env.client.workflow.execute<typeof flows.requestFlow>('requestFlow', {
    taskQueue: 'author',
    workflowId: `orders-${Math.random().toString(36).slice(2)}`,
    args: [REF, { method: 'GET', path: '/orders' }],
  });

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  env = await startTemporal();
}, 60_000);
afterAll(() => env?.teardown());

describe('DurableOAuthPlugin', () => {
  it("runs our workers beside the author's, and stops them with it", async () => {
    const ours: Worker[] = [];
    const plugin = new DurableOAuthPlugin({
      interceptor,
      startWorkers: async (where) => {
        const workers = (await startWorkers(where)) as Worker[];
        ours.push(...workers);
        return workers;
      },
    });
    const worker = await author([plugin]);
    expect(await worker.runUntil(orders)).toMatchObject({ body: ['order-1'] });
    expect([worker, ...ours].map((one) => one.getState())).toEqual(['STOPPED', 'STOPPED']);
  });

  it('ends also when the author is done before our workers are there', async () => {
    let make = (): void => undefined;
    const wanted = new Promise<void>((resolve) => (make = resolve));
    const started: Worker[] = [];
    const plugin = new DurableOAuthPlugin({
      interceptor,
      startWorkers: async (where) => {
        await wanted;
        started.push(...((await startWorkers(where)) as Worker[]));
        return started;
      },
    });
    const connection = await NativeConnection.connect({ address: env.address });
    const worker = await author([plugin], connection);
    const ended = worker.runUntil(async () => 'done');
    while (worker.getState() !== 'STOPPED') await new Promise((resolve) => setTimeout(resolve, 20));
    make();
    expect(await ended).toBe('done');
    expect(started.map((one) => one.getState())).toEqual(['STOPPED']);
    // A worker that was made and never run would hold it open.
    await connection.close();
  });

  it("stops the author's worker when ours cannot start, and says why", async () => {
    const plugin = new DurableOAuthPlugin({ interceptor, startWorkers: () => Promise.reject(new Error('no vault')) });
    const worker = await author([plugin]);
    await expect(worker.run()).rejects.toThrow('no vault');
    expect(worker.getState()).toBe('STOPPED');
  });

  it("stops the author's worker when one of ours fails", async () => {
    const plugin = new DurableOAuthPlugin({
      interceptor,
      startWorkers: async () => [
        {
          run: () => Promise.reject(new Error('lost its namespace')),
          shutdown: () => undefined,
          getState: () => 'FAILED',
        },
      ],
    });
    await expect((await author([plugin])).run()).rejects.toThrow('lost its namespace');
  });

  it('may sit on the connection that our workers share: they start no workers of their own', async () => {
    let starts = 0;
    const plugin = new DurableOAuthPlugin({
      interceptor,
      startWorkers: (where) => {
        starts += 1;
        return startWorkers(where);
      },
    });
    const connection = await NativeConnection.connect({ address: env.address, plugins: [plugin] });
    const worker = await author(undefined, connection);
    expect(await worker.runUntil(orders)).toMatchObject({ body: ['order-1'] });
    expect(starts).toBe(1);
    await connection.close();
  });

  it("adds one interceptor to the author's and changes nothing else", () => {
    const plugin = new DurableOAuthPlugin({ interceptor, startWorkers });
    const own = (): object => ({});
    const options: WorkerOptions = { taskQueue: 'author', interceptors: { activity: [own], workflowModules: ['x'] } };
    const configured = plugin.configureWorker(options);
    expect(configured).toEqual({ ...options, interceptors: { activity: [own, interceptor], workflowModules: ['x'] } });
    expect(plugin.configureWorker(configured)).toBe(configured);
  });

  it("makes withConnection work in the author's activities", async () => {
    const api = await scriptedApi(() => json({ ok: true }));
    const own = connectionInterceptor(portsTo(api.url, new ScriptedReader('access-token-for-the-plugin')));
    const plugin = new DurableOAuthPlugin({ interceptor: own, startWorkers });
    const interceptors = plugin.configureWorker({ taskQueue: 'author' }).interceptors?.activity ?? [];
    const run = new MockActivityEnvironment({}, { ...quiet, interceptors }).run(() =>
      withConnection(REF, async (http) => (await http.get<unknown>('/orders')).data),
    );
    expect(await run).toEqual({ ok: true });
    expect(api.seen[0]!.headers.authorization).toBe('Bearer access-token-for-the-plugin');
    await api.close();
  });
});
