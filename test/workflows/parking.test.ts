/** Two hundred flows wait for one consent, and the connection's own history does not notice. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from '@temporalio/worker';
import { connectionWorkflowId } from '../../src/connection/ids';
import type { ConnectionRef } from '../../src/connection/types';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { eventually, Harness } from '../support/harness';
import { complete, link, saved } from '../support/scenes';

const CALLBACK = 'http://127.0.0.1:3000/callback';
const FLOWS = 200;

describe('flows parked on a connection', () => {
  let provider: ScriptedProvider;
  let harness: Harness;
  let authors: Worker;
  let running: Promise<void>;

  beforeAll(async () => {
    provider = await startScriptedProvider({
      clients: { app: { secret: 'app-secret-canary' }, robot: { secret: 'robot-secret-canary' } },
    });
    harness = await Harness.start({ tuning: { jitter: 0, retryBaseMs: 500 }, secrets: () => provider.issuedSecrets() });
    authors = await Worker.create({
      connection: harness.env.nativeConnection,
      namespace: harness.env.namespace ?? 'default',
      taskQueue: 'authors',
      workflowsPath: require.resolve('../support/flows'),
    });
    running = authors.run();
  }, 120_000);
  afterAll(async () => {
    authors?.shutdown();
    await running;
    await harness?.stop();
    await provider?.stop();
  });

  const judge = (): Promise<void> =>
    harness.judge().catch((error: unknown) => {
      // The authors' flows are of another bundle: they do not replay here, and nothing else may fail.
      if (!String(error).includes('does not replay')) throw error;
    });

  async function consent(ref: ConnectionRef): Promise<void> {
    const { location, cookie } = await harness.parts.consents.begin(await link(harness, ref), 'en');
    const there = await fetch(location, { redirect: 'manual' });
    const [stateHash = ''] = cookie.value.split('.');
    const visitor = {
      callbackUrl: there.headers.get('location') ?? '',
      cookie: `${cookie.name}=${cookie.value}`,
      stateHash,
      attempt: stateHash.slice(0, 8),
    };
    expect(await complete(harness, visitor)).toBe('connected');
  }

  it('200 parked flows resume after one consent; the connection’s history holds none of it', async () => {
    const ref = await saved(harness, {
      at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
      clientSecret: 'app-secret-canary',
      change: {
        grant_type: 'authorization_code',
        client_id: 'app',
        endpoints: provider.endpoints,
        scope: 'read',
        redirect_uri: CALLBACK,
      },
    });
    const name = `${ref.tenant}/${ref.connection}`;
    const { workflow } = harness.parts.temporal;
    const eventsOf = async (): Promise<number> => (await harness.history(connectionWorkflowId(ref))).length;
    await eventually(
      'the connection waits for consent',
      () => harness.history(connectionWorkflowId(ref)),
      (events) => events.some(({ json }) => json.includes('timerStartedEventAttributes')),
    );
    const before = await eventsOf();
    const flows = await Promise.all(
      Array.from({ length: FLOWS }, (_, i) =>
        workflow.start('requestFlow', {
          workflowId: `flow-${i}`,
          taskQueue: 'authors',
          args: [name, { method: 'GET', path: '/orders' }],
        }),
      ),
    );
    await eventually(
      'all are parked',
      () => harness.parts.registry.waiters.list(ref),
      (waiters) => waiters.length === FLOWS,
      120_000,
    );
    expect(await eventsOf()).toBe(before);

    await consent(ref);
    const answers = await Promise.all(flows.map((flow) => flow.result() as Promise<{ status: number }>));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await harness.parts.registry.waiters.list(ref)).toEqual([]);
    // One signal, one adoption, one record, and the workflow tasks around them.
    expect((await eventsOf()) - before).toBeLessThan(25);
    await judge();
  }, 240_000);

  it('004-23 an outage of the provider, longer than its tokens live, only pauses: every step is done, and once', async () => {
    const done: string[] = [];
    let dead = 0;
    const api = createServer((request, response) => {
      const alive = provider.fateOf((request.headers.authorization ?? '').replace('Bearer ', '')) === 'alive';
      if (alive) done.push(String(request.headers['idempotency-key']));
      else dead++;
      response.writeHead(alive ? 200 : 401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end('{}');
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    provider.tokenLifetime(6);
    const ref = await saved(harness, {
      at: { issuer: provider.issuer, apiUrl: `http://127.0.0.1:${(api.address() as AddressInfo).port}` },
      clientSecret: 'robot-secret-canary',
      change: { client_id: 'robot', endpoints: provider.endpoints },
    });
    const row = () => harness.parts.registry.connections.get(ref);
    provider.outage(503);
    const step = (id: number) =>
      harness.parts.temporal.workflow.start('requestFlow', {
        workflowId: `step-${id}`,
        taskQueue: 'authors',
        args: [`${ref.tenant}/${ref.connection}`, { method: 'POST', path: '/orders', idempotencyKey: `key-${id}` }],
      });
    const early = await Promise.all(Array.from({ length: 5 }, (_, id) => step(id)));
    await eventually('its token is dead', row, (r) => r?.state === 'disconnected' && r.recovery === 'automatic');
    const late = await Promise.all(Array.from({ length: 20 }, (_, id) => step(100 + id)));
    await eventually(
      'the late ones are parked',
      () => harness.parts.registry.waiters.list(ref),
      (waiters) => waiters.length >= 20,
    );
    provider.tokenLifetime(3600);
    provider.outage(null);
    const answers = await Promise.all([...early, ...late].map((flow) => flow.result() as Promise<{ status: number }>));
    expect(answers.map(({ status }) => status)).toEqual(Array(25).fill(200));
    expect(done).toHaveLength(25);
    expect(new Set(done).size).toBe(25);
    expect(dead).toBe(0);
    api.close();
    await judge();
  }, 120_000);
});
