import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Client } from 'pg';
import { startEmbeddedDatabase, type EmbeddedDatabase } from '../../../src/cli/dev/embedded-database';
import type { DurableOAuthError } from '../../../src/errors';
import type { Registry } from '../../../src/registry/contract';
import { migrate } from '../../../src/registry/migrator';
import { openRegistry } from '../../../src/registry/open';
import { connected, event, newTenant, projection, registration } from './builders';

let database: EmbeddedDatabase;
let registry: Registry;
const idleLosses: DurableOAuthError[] = [];

beforeEach(async () => {
  database = await startEmbeddedDatabase({ dataDir: 'memory' });
  await migrate(database.url);
  registry = await openRegistry({ url: database.url, poolSize: 3, onError: (error) => idleLosses.push(error) });
});
afterEach(async () => {
  await registry.close();
  await database.stop();
});

/** The failure, how long it took, and nothing of the driver in it. */
async function failure(work: Promise<unknown>): Promise<DurableOAuthError> {
  const began = Date.now();
  const error = await work.then(
    () => new Error('no failure'),
    (reason: DurableOAuthError) => reason,
  );
  expect(Date.now() - began).toBeLessThan(10_000);
  expect(error).toMatchObject({ name: 'DurableOAuthError' });
  expect(error).not.toHaveProperty('cause');
  return error as DurableOAuthError;
}

/** Memory keeps nothing: a database that came back is made anew under the old address. */
async function bringBack(): Promise<void> {
  database = await startEmbeddedDatabase({ dataDir: 'memory', url: database.url });
  await migrate(database.url);
}

/** Hands bytes on; connections open at `silence` are never heard of again, neither closed nor answered. */
async function silencingProxy(target: number) {
  const pairs: [Socket, Socket][] = [];
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    pairs.push([near, far]);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    silence: () => pairs.forEach(([near, far]) => (near.unpipe(far), far.unpipe(near))),
    close: () => (server.close(), pairs.flat().forEach((socket) => socket.destroy())),
  };
}

it('a stopped database is REGISTRY_UNAVAILABLE in every part, and works again when it is back', async () => {
  const tenant = await newTenant(registry);
  const { ref } = await connected(registry, tenant);
  await database.stop();
  const failures = await Promise.all([
    failure(registry.ping()),
    failure(registry.connections.context(ref)),
    failure(registry.connections.recordTransition(ref, projection(1))),
    failure(registry.integrations.register(registration(tenant))),
    failure(registry.tenants.get(tenant)),
    failure(registry.envelopeKeys.list()),
  ]);
  expect(failures.map(({ code }) => code)).toEqual(failures.map(() => 'REGISTRY_UNAVAILABLE'));
  await bringBack();
  const again = await newTenant(registry);
  expect(await registry.tenants.get(again)).toMatchObject({ id: again });
});

it('a killed database loses idle connections without ending this process, and says so', async () => {
  idleLosses.length = 0;
  await Promise.all([registry.ping(), registry.ping(), registry.ping()]);
  process.kill(database.pid, 'SIGKILL');
  await database.ended;
  await failure(registry.ping());
  expect(idleLosses.map(({ code }) => code)).toContain('REGISTRY_UNAVAILABLE');
});

it('a database killed in the middle of transactions ends neither this process nor any promise otherwise', async () => {
  const tenant = await newTenant(registry);
  const { ref } = await connected(registry, tenant);
  let version = 0;
  const writers = Array.from({ length: 3 }, async () => {
    for (;;) await registry.connections.recordTransition(ref, projection(++version, { event: event('state.written') }));
  });
  while (version < 30) await registry.ping();
  process.kill(database.pid, 'SIGKILL');
  const failures = await Promise.all(writers.map(failure));
  expect(failures.map(({ code }) => code)).toEqual(failures.map(() => 'REGISTRY_UNAVAILABLE'));
});

it('a silent database is given up on in time', async () => {
  const tenant = await newTenant(registry);
  const { ref } = await connected(registry, tenant);
  process.kill(database.pid, 'SIGSTOP');
  const failures = await Promise.all([
    failure(registry.tenants.get(tenant)),
    failure(registry.connections.recordTransition(ref, projection(1))),
    failure(registry.connections.get(ref)),
    failure(registry.events.list(tenant, undefined, { size: 1 })),
  ]);
  expect(failures.map(({ code }) => code)).toEqual(failures.map(() => 'REGISTRY_UNAVAILABLE'));
  process.kill(database.pid, 'SIGCONT');
  expect(await registry.connections.get(ref)).toMatchObject({ id: ref.connection });
});

it('a connection that hung is not used again', async () => {
  const tenant = await newTenant(registry);
  const proxy = await silencingProxy(Number(new URL(database.url).port));
  const url = new URL(database.url);
  url.port = String(proxy.port);
  const behind = await openRegistry({ url: url.href, poolSize: 1 });
  proxy.silence();
  expect(await failure(behind.tenants.get(tenant))).toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  expect(await behind.tenants.get(tenant)).toMatchObject({ id: tenant });
  await behind.close();
  proxy.close();
});

it('tables that are not made yet are REGISTRY_UNAVAILABLE', async () => {
  const bare = new Client({ connectionString: database.url });
  await bare.connect();
  await bare.query('DROP TABLE waiters');
  await bare.end();
  const error = await failure(registry.waiters.list({ tenant: 't', connection: 'c' }));
  expect(error).toMatchObject({
    code: 'REGISTRY_UNAVAILABLE',
    coordinates: { operation: 'waiters.list', sqlState: '42P01' },
  });
});

it('a message of a failure repeats no value of the statement', async () => {
  const tenant = await newTenant(registry);
  const canary = 'canary-4711';
  const { ref } = await connected(registry, tenant);
  const link = {
    tenant,
    id: canary,
    connection: ref.connection,
    tokenHash: canary,
    createdBy: canary,
    expiresAt: '2030-01-01T00:00:00Z',
  };
  await registry.consentLinks.create(link);
  const failures = await Promise.all([
    failure(registry.consentLinks.create(link)),
    failure(
      registry.waiters.park({
        tenant,
        connection: canary,
        workflow: canary,
        activity: canary,
        taskToken: Buffer.from(canary),
      }),
    ),
    failure(registry.consentLinks.create({ ...link, id: 'cl_x', expiresAt: canary })),
    failure(registry.tenants.create(`${canary}\u0000`, canary)),
  ]);
  expect(failures.map(({ code }) => code)).toEqual(['ALREADY_EXISTS', 'NOT_FOUND', 'INTERNAL', 'INTERNAL']);
  for (const error of failures) {
    expect(`${error.message} ${error.stack ?? ''} ${JSON.stringify(error)}`).not.toContain(canary);
  }
});

it('a closed registry fails like a silent one', async () => {
  const closed = await openRegistry({ url: database.url });
  await closed.close();
  expect(await failure(closed.ping())).toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
});

it('opening where nothing listens is REGISTRY_UNAVAILABLE, without the password', async () => {
  const url = new URL(database.url);
  await database.stop();
  const error = await failure(openRegistry({ url: url.href }));
  expect(error.code).toBe('REGISTRY_UNAVAILABLE');
  expect(error.message).not.toContain(url.password);
});
