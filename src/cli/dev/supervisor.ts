/**
 * `durable-oauth dev`: everything embedded. The supervisor owns the Temporal dev server and the embedded database, and
 * starts server and worker as children; killing the worker kills nothing else.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DurableOAuthError } from '../../errors';
import { migrate } from '../../registry/migrator';
import { createKey } from '../create-key';
import { startChild, type Child } from './child';
import { startEmbeddedDatabase } from './embedded-database';
import { claimPorts, LOOPBACK } from './ports';
import { locateTemporal, startTemporalDevServer } from './temporal-server';

export interface DevOptions {
  /** Database, vault, Temporal's file and the API key live here. */
  readonly dataDir: string;
  /** 0 = a free one; so for the others. */
  readonly port: number;
  readonly temporalPort: number;
  readonly uiPort: number;
  readonly log: (line: string) => void;
  /** Lines of the children. */
  readonly childLog?: (who: 'server' | 'worker', line: string) => void;
  /** Scripts to run instead of this package's own: the demo's worker wraps ports. */
  readonly scripts?: { readonly worker?: string; readonly server?: string };
  /** More environment for the children. */
  readonly env?: NodeJS.ProcessEnv;
}

/** What the CLI needs to talk to a `dev` server; kept 0600 in the data folder. */
export interface DevKey {
  readonly url: string;
  readonly tenant: string;
  readonly email: string;
  readonly key: string;
}

export interface Dev {
  readonly url: string;
  readonly temporalAddress: string;
  readonly temporalUi: string | undefined;
  readonly access: DevKey;
  readonly environment: NodeJS.ProcessEnv;
  worker(): Child;
  /** SIGKILL now; a new one is started unless told otherwise. */
  killWorker(): Promise<void>;
  startWorker(): Promise<void>;
  /** Stop Temporal, delete its database, start it again: nothing of ours is lost by it. */
  loseTemporal(): Promise<void>;
  stop(): Promise<void>;
}

const TENANT = 'demo';
const EMAIL = 'dev@localhost';
const MAIN = join(__dirname, '..', 'main.js');

export async function startDev(options: DevOptions): Promise<Dev> {
  const { dataDir, log } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const undo: (() => Promise<unknown>)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const one of undo.splice(0).reverse()) await one();
  };
  try {
    const [port] = await claimPorts([options.port]);
    log('Starting the embedded database …');
    const database = await startEmbeddedDatabase({ dataDir: join(dataDir, 'database'), log });
    undo.push(() => database.stop());
    await migrate(database.url);

    const located = await locateTemporal({ log });
    const dbFile = join(dataDir, 'temporal.db');
    const startTemporal = async (): ReturnType<typeof startTemporalDevServer> => {
      if (located.kind === 'address')
        throw new DurableOAuthError(
          'CONFIGURATION_INVALID',
          'TEMPORAL_ADDRESS is set: run `durable-oauth server` and `durable-oauth worker` against it',
        );
      log('Starting the Temporal dev server …');
      return startTemporalDevServer({
        executable: located.path,
        dbFile,
        port: options.temporalPort,
        uiPort: options.uiPort,
        log,
      });
    };
    let temporal = await startTemporal();
    undo.push(() => temporal.stop());

    const url = `http://${LOOPBACK}:${port}`;
    const access = await firstStart(dataDir, database.url, url, log);
    const environment: NodeJS.ProcessEnv = {
      ...process.env,
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: 'default',
      HOST: LOOPBACK,
      PORT: String(port),
      PUBLIC_URL: url,
      VAULT_PATH: join(dataDir, 'vault'),
      VAULT_KEY_FILE: join(dataDir, 'vault.key'),
      TOKEN_ROUTES: 'on',
      ALLOW_PRIVATE_NETWORKS: 'on',
      CALLBACK_SIGNAL: 'sealed-or-code',
      LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'warn',
      ...options.env,
    };
    const start = (who: 'server' | 'worker'): Promise<Child> => {
      log(`Starting the ${who} …`);
      const script = options.scripts?.[who];
      return startChild({
        script: script ?? MAIN,
        args: script ? [] : [who],
        env: environment,
        ready: 'ready',
        log: (line) => options.childLog?.(who, line),
      });
    };
    let worker = await start('worker');
    undo.push(() => worker.stop());
    const server = await start('server');
    undo.push(() => server.stop());
    return {
      url,
      temporalAddress: temporal.address,
      temporalUi: temporal.uiUrl,
      access,
      environment,
      worker: () => worker,
      async killWorker() {
        worker.kill('SIGKILL');
        await worker.ended;
      },
      async startWorker() {
        worker = await start('worker');
      },
      async loseTemporal() {
        await temporal.stop();
        for (const end of ['', '-wal', '-shm']) await rm(`${dbFile}${end}`, { force: true });
        temporal = await startTemporal();
      },
      stop: stopAll,
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** Tenant, principal and API key of the first start; the key is printed once and kept for the CLI. */
async function firstStart(
  dataDir: string,
  databaseUrl: string,
  url: string,
  log: (line: string) => void,
): Promise<DevKey> {
  const file = join(dataDir, 'api-key.json');
  if (existsSync(file)) {
    const known = { ...(JSON.parse(await readFile(file, 'utf8')) as DevKey), url };
    await writeFile(file, JSON.stringify(known));
    return known;
  }
  const who = { tenant: TENANT, email: EMAIL };
  const access = { ...who, url, key: await createKey(databaseUrl, who) };
  await writeFile(file, JSON.stringify(access), { mode: 0o600 });
  log(`API key of ${EMAIL} in tenant ${TENANT}, printed once: ${access.key}`);
  return access;
}
