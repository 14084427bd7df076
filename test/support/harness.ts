/**
 * The whole product on real parts, for workflow tests: Temporal dev server, embedded database, directory vault, our
 * workers; watched by the wires of design 12. Time moves by tuning and the server's flags.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Client as TemporalClient } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { Client as PostgresClient } from 'pg';
import { compose, type Composition, type Ports } from '../../src/compose';
import type { Config } from '../../src/config';
import type { Tuning } from '../../src/connection/messages';
import { isDurableOAuthError } from '../../src/errors';
import { startHousekeeping, type Housekeeping } from '../../src/housekeeping';
import { createCatalogue } from '../../src/providers/catalogue';
import type { PresetInput } from '../../src/providers/preset';
import { findCanaries } from '../../src/testing/canary';
import { createWorkers } from '../../src/workers';
import { testDatabase, type TestDatabase } from './database';
import { MonotonicVault } from './monotonic-vault';
import { startTemporal } from './temporal';
import { boundaryGuard, Tripwire } from './tripwire';
import { workflowBundle } from './workflow-bundle';

export interface HarnessOptions {
  readonly presets?: readonly PresetInput[];
  readonly tuning?: Tuning;
  readonly decorate?: (ports: Ports) => Ports;
  readonly config?: Partial<Config>;
  /** Another way to the database, for example through a proxy. */
  readonly databaseVia?: (url: string) => Promise<string>;
  /** 0 = every workflow task replays from the start. */
  readonly maxCachedWorkflows?: number;
  /** Secrets made by the provider as the test goes. */
  readonly secrets?: () => Iterable<string>;
}

/** The two runs of every workflow test. */
export const RUNS = [
  { run: 'cached', tuning: { jitter: 0 }, maxCachedWorkflows: undefined },
  { run: 'uncached, new run after 2 refreshes', tuning: { jitter: 0, continueAfter: 2 }, maxCachedWorkflows: 0 },
] as const;

const logs: string[] = [];
let runtime = false;

function installRuntime(): void {
  if (runtime) return;
  runtime = true;
  Runtime.install({ logger: new DefaultLogger('WARN', (entry) => logs.push(inspect(entry, { depth: 8 }))) });
}

export class Harness {
  readonly env: TestWorkflowEnvironment;
  readonly parts: Composition;
  readonly tripwire: Tripwire;
  readonly vault: MonotonicVault;
  readonly violations: string[] = [];
  readonly tenant: string;
  readonly #database: TestDatabase;
  readonly #folder: string;
  readonly #options: HarnessOptions;
  #workers: readonly Worker[] = [];
  #running: Promise<unknown> = Promise.resolve();
  #housekeeping: Housekeeping | undefined;

  private constructor(made: {
    env: TestWorkflowEnvironment;
    parts: Composition;
    tripwire: Tripwire;
    vault: MonotonicVault;
    database: TestDatabase;
    folder: string;
    options: HarnessOptions;
    tenant: string;
  }) {
    this.env = made.env;
    this.parts = made.parts;
    this.tripwire = made.tripwire;
    this.vault = made.vault;
    this.tenant = made.tenant;
    this.#database = made.database;
    this.#folder = made.folder;
    this.#options = made.options;
  }

  static async start(options: HarnessOptions = {}): Promise<Harness> {
    installRuntime();
    const [env, database, folder] = await Promise.all([
      startTemporal(),
      testDatabase(),
      mkdtemp(join(tmpdir(), 'durable-oauth-')),
    ]);
    const tripwire = new Tripwire();
    const temporal = new TemporalClient({
      connection: env.connection,
      namespace: env.namespace ?? 'default',
      dataConverter: { payloadCodecs: [tripwire] },
    });
    let vault: MonotonicVault | undefined;
    const config: Config = {
      databaseUrl: (await options.databaseVia?.(database.url)) ?? database.url,
      publicUrl: 'http://127.0.0.1:3000',
      callbackUrl: 'http://127.0.0.1:3000/callback',
      host: '127.0.0.1',
      port: 0,
      vault: { driver: 'directory', path: join(folder, 'vault'), keyFile: join(folder, 'vault.key') },
      tokenRoutes: true,
      elasticioSecrets: false,
      returnOrigins: [],
      allowPrivateNetworks: true,
      callbackSignal: 'sealed-or-code',
      brand: 'Acme Inc',
      tenants: undefined,
      ratePerMinute: 600,
      logLevel: 'silent',
      ...options.config,
    };
    const parts = await compose(config, {
      temporal,
      // Who deletes waits for no consent, unless that is what the test is about.
      tuning: { consentLifeMs: 0, ...options.tuning },
      catalogue: createCatalogue(options.presets),
      decorate: (ports) => {
        vault = new MonotonicVault(ports.vault);
        const watched = { ...ports, vault };
        return options.decorate?.(watched) ?? watched;
      },
    });
    if (vault === undefined) throw new Error('The vault was not decorated');
    const tenant = `t-${Math.random().toString(36).slice(2, 10)}`;
    await parts.registry.tenants.create(tenant, 'Test tenant');
    const harness = new Harness({ env, parts, tripwire, vault, database, folder, options, tenant });
    await harness.startWorkers();
    return harness;
  }

  async startWorkers(): Promise<void> {
    this.#housekeeping = await startHousekeeping(this.parts, () => undefined);
    this.#workers = await createWorkers(this.parts, {
      connection: this.env.nativeConnection,
      namespace: this.env.namespace ?? 'default',
      worker: {
        workflowBundle: await workflowBundle(),
        shutdownGraceTime: '1 s',
        maxCachedWorkflows: this.#options.maxCachedWorkflows,
        dataConverter: { payloadCodecs: [this.tripwire] },
        interceptors: { activity: [boundaryGuard(this.violations)] },
      },
    });
    this.#running = Promise.all(this.#workers.map((worker) => worker.run()));
  }

  async stopWorkers(): Promise<void> {
    await this.#housekeeping?.stop();
    for (const worker of this.#workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await this.#running;
  }

  /** Events of one workflow's latest run. */
  async history(workflowId: string): Promise<readonly { readonly type: string; readonly json: string }[]> {
    const { events } = await this.parts.temporal.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).map((event) => ({ type: String(event.eventType), json: JSON.stringify(event) }));
  }

  /**
   * What every test ends with: no leak, no foreign error, no lost generation; every history replays; no canary in
   * histories, rows, logs or vault files.
   */
  async judge(): Promise<void> {
    this.tripwire.watch(this.#options.secrets?.() ?? []);
    expect(this.tripwire.leaks).toEqual([]);
    expect(this.violations).toEqual([]);
    this.vault.assertClean();
    const left: string[] = [];
    const histories = [];
    for await (const one of this.parts.temporal.workflow.list().intoHistories({ concurrency: 5 })) {
      left.push(historyToJSON(one.history as Parameters<typeof historyToJSON>[0]));
      histories.push(one);
    }
    left.push(await this.#rows(), logs.join('\n'));
    for (const text of left) expect(findCanaries(withDecodedPayloads(text), this.tripwire.secrets)).toEqual([]);
    for (const file of await this.#vaultFiles()) expect(findCanaries(file, this.tripwire.secrets)).toEqual([]);
    const replays = Worker.runReplayHistories(
      { workflowBundle: await workflowBundle(), dataConverter: { payloadCodecs: [this.tripwire] } },
      histories,
    );
    for await (const replay of replays) {
      if (replay.error) throw new Error(`${replay.workflowId} does not replay: ${replay.error.message}`);
    }
  }

  async stop(): Promise<void> {
    await this.stopWorkers();
    await this.parts.close();
    await this.env.teardown();
    await this.#database.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #rows(): Promise<string> {
    const client = new PostgresClient({ connectionString: this.#database.url });
    await client.connect();
    try {
      const tables = await client.query<{ name: string }>(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
      );
      const dumps = [];
      for (const { name } of tables.rows) dumps.push((await client.query(`SELECT * FROM "${name}"`)).rows);
      return JSON.stringify(dumps);
    } finally {
      await client.end();
    }
  }

  async #vaultFiles(): Promise<readonly Buffer[]> {
    const root = join(this.#folder, 'vault');
    if (this.parts.config.vault.driver !== 'directory') return [];
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const files = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
    // A cell may be destroyed while we look.
    return Promise.all(files.map((file) => readFile(file).catch(() => Buffer.alloc(0))));
  }
}

/** Payloads are base64 in a history's JSON: the scan reads them open, too. */
function withDecodedPayloads(json: string): string {
  const open = [...json.matchAll(/"data":\s*"([A-Za-z0-9+/=]+)"/g)].map(([, data]) =>
    Buffer.from(data!, 'base64').toString(),
  );
  return [json, ...open].join('\n');
}

/** Ask again until the answer satisfies, for things that have no event to wait for. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  satisfies: (answer: T) => boolean,
  withinMs = 60_000,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    let last: string;
    try {
      const answer = await ask();
      if (satisfies(answer)) return answer;
      last = JSON.stringify(answer);
    } catch (error) {
      // On a busy machine a part may be slow to answer; every other failure is one.
      if (!isDurableOAuthError(error, 'TEMPORAL_UNAVAILABLE')) throw error;
      last = error.message;
    }
    if (Date.now() > end) throw new Error(`Never came true: ${what} (last seen: ${last})`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
