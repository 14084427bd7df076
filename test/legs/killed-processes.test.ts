/**
 * Saving an OAuth client while the processes at work on it are killed, with SIGKILL: after it was reserved, after its
 * secret was stored, after it was published and nobody had heard of it. Needs the build, as every leg has it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createKey } from '../../src/cli/create-key';
import { startChild, type Child } from '../../src/cli/dev/child';
import { claimPorts } from '../../src/cli/dev/ports';
import { oauthClientWorkflowId } from '../../src/connection/ids';
import type { Registry } from '../../src/registry/contract';
import { openRegistry } from '../../src/registry/open';
import { openDirectoryVault } from '../../src/vault/directory';
import { directoryKeyFromFile } from '../../src/vault/directory-key';
import type { Vault } from '../../src/vault/port';
import { testDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/harness';
import { startTemporal } from '../support/temporal';
import { runOn } from '../unit/registry/builders';

const TENANT = 'acme';
const MAIN = join(__dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
const HELD_WORKER = join(__dirname, '..', 'support', 'held-worker.js');
const STEPS = ['reserve', 'store', 'publish'] as const;

let database: TestDatabase;
let temporal: TestWorkflowEnvironment;
let folder: string;
let env: NodeJS.ProcessEnv;
let url: string;
let key: string;
let registry: Registry;
let vault: Vault;
let server: Child;
let worker: Child;
const output: string[] = [];

const log = (line: string): void => void output.push(line);
const startServer = (): Promise<Child> => startChild({ script: MAIN, args: ['server'], env, ready: 'ready at', log });
const startWorker = (): Promise<Child> =>
  startChild({ script: MAIN, args: ['worker'], env, ready: 'worker ready', log });
const startHeldWorker = (): Promise<Child> => startChild({ script: HELD_WORKER, env, ready: 'worker ready', log });
async function kill(child: Child): Promise<void> {
  child.kill('SIGKILL');
  await child.ended;
}

beforeAll(async () => {
  [database, temporal, folder] = await Promise.all([
    testDatabase(),
    startTemporal(),
    mkdtemp(join(tmpdir(), 'durable-oauth-killed-')),
  ]);
  const [port] = await claimPorts([0]);
  url = `http://127.0.0.1:${port}`;
  env = {
    ...process.env,
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace ?? 'default',
    PORT: String(port),
    PUBLIC_URL: url,
    VAULT_PATH: join(folder, 'vault'),
    VAULT_KEY_FILE: join(folder, 'vault.key'),
  };
  key = await createKey(database.url, { tenant: TENANT, email: 'ops@acme.test' });
  registry = await openRegistry({ url: database.url });
  server = await startServer();
  vault = await openDirectoryVault({
    path: join(folder, 'vault'),
    key: await directoryKeyFromFile(join(folder, 'vault.key')),
  });
}, 180_000);
beforeEach(async () => {
  worker = await startHeldWorker();
}, 60_000);
afterEach(() => worker?.stop(), 120_000);
afterAll(async () => {
  await server?.stop();
  await registry?.close();
  await temporal?.teardown();
  await database?.stop();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

interface Answer {
  readonly status: number;
  readonly code?: string;
  /** Of the resources that were answered. */
  readonly ids: readonly string[];
}

async function ask(method: string, path: string, resource?: object, idempotencyKey?: string): Promise<Answer> {
  const answer = await fetch(`${url}/v2/tenants/${TENANT}/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(resource && { 'content-type': 'application/json' }),
      ...(idempotencyKey && { 'idempotency-key': idempotencyKey }),
    },
    body: resource && JSON.stringify({ data: resource }),
  });
  const { data, errors } = JSON.parse((await answer.text()) || '{}') as {
    data?: { id: string } | { id: string }[];
    errors?: { code: string }[];
  };
  return { status: answer.status, code: errors?.[0]?.code, ids: [data ?? []].flat().map(({ id }) => id) };
}

async function component(): Promise<string> {
  const oauth2 = {
    client_id: '',
    client_secret: '',
    auth_uri: 'https://pizza.test/a',
    token_uri: 'https://pizza.test/t',
  };
  const file = { title: 'Pizza Van', useOAuthClient: true, credentials: { oauth2 } };
  const { ids } = await ask('POST', 'components', { type: 'component', attributes: { file } });
  return ids[0] ?? '';
}

const clientFor = (of: string, id?: string): object => ({
  type: 'oauth-client',
  id,
  attributes: { client_id: 'pizza', client_secret: `not-a-real-secret-of-${of}` },
  relationships: { component: { data: { type: 'component', id: of } } },
});
const clientsOf = async (of: string): Promise<readonly string[]> =>
  (await ask('GET', `oauth-clients?filter[component]=${of}`)).ids;

/** Every entry of the vault for clients, and every one that a row names as that of a client people see. */
async function secrets(): Promise<{ stored: string[]; named: string[] }> {
  const stored: string[] = [];
  for await (const ref of vault.list(`client/${TENANT}/`)) stored.push(ref);
  const clients = await registry.oauthClients.listForComponents(TENANT);
  const named = clients.map(({ id, secretId }) => `client/${TENANT}/${id}/${secretId}`);
  return { stored: stored.sort(), named: named.sort() };
}

it.each([
  ['the server', true, false],
  ['the worker', false, true],
  ['both', true, true],
])(
  'SIGKILL of %s leaves one client or none, no secret that no row names, and a place that is usable again',
  async (who, killsServer, killsWorker) => {
    const name = who.replace('the ', '');
    const saves = await Promise.all(
      STEPS.map(async (step) => ({
        step,
        client: `oc_${name}-${step}`,
        key: `${name}-${step}`,
        of: await component(),
      })),
    );
    const answers = saves.map(({ of, client, key: named }) =>
      ask('POST', 'oauth-clients', clientFor(of, client), named).then(
        ({ status }) => status,
        () => 'lost',
      ),
    );
    await eventually(
      'all three are held',
      async () => saves.filter(({ client }) => output.includes(`held ${client}`)),
      (held) => held.length === saves.length,
    );
    // Nobody sees what is not published.
    expect(await Promise.all(saves.map(({ of }) => clientsOf(of)))).toEqual([[], [], [saves[2]?.client]]);

    if (killsServer) await kill(server);
    if (killsWorker) await kill(worker);
    if (killsServer) expect(await Promise.all(answers)).toEqual(['lost', 'lost', 'lost']);
    if (killsServer) server = await startServer();
    if (killsWorker) worker = await startWorker();
    else worker.kill('SIGUSR2');

    for (const { client } of saves) {
      const workflow = temporal.client.workflow.getHandle(oauthClientWorkflowId(TENANT, client));
      await workflow.result().catch(() => undefined);
    }
    const heard = await Promise.all(answers);
    const seen = await Promise.all(saves.map(({ of }) => clientsOf(of)));
    const { stored, named } = await secrets();
    expect(stored).toEqual(named);
    for (const [at, { step, client, of, key: named }] of saves.entries()) {
      const clients = seen[at] ?? [];
      // What was published stays, and what a worker that lives was at work on is published; else it may have been undone.
      if (clients.length > 0 || step === 'publish' || !killsWorker) expect(clients).toEqual([client]);
      if (killsServer) {
        // The same request again does nothing twice.
        const repeated = await ask('POST', 'oauth-clients', clientFor(of, client), named);
        expect([repeated.status, repeated.code]).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
      }
      if (clients.length === 1) {
        if (!killsServer) expect([201, 202]).toContain(heard[at]);
        expect(await ask('POST', 'oauth-clients', clientFor(of))).toMatchObject({
          status: 409,
          code: 'ALREADY_EXISTS',
        });
        expect((await ask('DELETE', `oauth-clients/${client}`)).status).toBe(204);
      }
      expect((await ask('POST', 'oauth-clients', clientFor(of))).status).toBe(201);
      expect(await clientsOf(of)).toHaveLength(1);
    }
    await eventually(
      'the secrets of deleted clients are gone',
      secrets,
      (left) => left.stored.join() === left.named.join(),
    );
    if (!killsServer) return;
    // A process that is gone this long is dead: what became of its requests is for people to look at.
    const rows = await runOn(database.url)(
      `UPDATE idempotency_keys SET created_at = now() - interval '3 minutes' WHERE key LIKE $1 RETURNING key`,
      [`${name}-%`],
    );
    expect(rows).toHaveLength(saves.length);
    for (const { of, client, key: named } of saves) {
      const repeated = await ask('POST', 'oauth-clients', clientFor(of, client), named);
      expect([repeated.status, repeated.code]).toEqual([409, 'IDEMPOTENCY_OUTCOME_UNKNOWN']);
      expect(await clientsOf(of)).toHaveLength(1);
    }
  },
  300_000,
);
