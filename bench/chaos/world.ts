/** What chaos runs on: a scripted authorization server in this process, and durable-oauth in processes that can be killed. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild, type Child } from '../../src/cli/dev/child';
import { startEmbeddedDatabase, type EmbeddedDatabase } from '../../src/cli/dev/embedded-database';
import { packageFolder } from '../../src/cli/dev/package-folder';
import { claimPorts } from '../../src/cli/dev/ports';
import { createKey } from '../../src/cli/create-key';
import { locateTemporal, startTemporalDevServer, type TemporalDevServer } from '../../src/cli/dev/temporal-server';
import { ROTATION_MODES, type Rotation, type RotationMode } from '../../src/connection/types';
import { migrate } from '../../src/registry/migrator';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { Rest } from '../../demo/rest';

export const TENANT = 'chaos';
const GRACE_SECONDS = 30;
const CALLERS = 6;
const MAIN = join(packageFolder(), 'dist', 'src', 'cli', 'main.js');

/** One OAuth client per connection: the server's ledger then names the connection. */
export interface Victim {
  readonly clientId: string;
  readonly mode: RotationMode;
  connection: string;
}

/** A process that is started again whenever it was killed. */
export interface Unit {
  readonly name: string;
  readonly kind: 'worker' | 'server';
  child: Child | undefined;
  start(): Promise<void>;
}

export interface ChaosOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly connections: number;
  /** Default: all six, in turn. */
  readonly modes?: readonly RotationMode[];
  /** Default 60. */
  readonly tokenSeconds?: number;
  /** Mean time between odd answers of the authorization server; default 3000. */
  readonly oddAnswerMs?: number;
  /** Whether the vault, Temporal and the database go away for a while; default true. */
  readonly outages?: boolean;
  /** How long the connections may take to come to rest; default 240. */
  readonly settleSeconds?: number;
  /** Instead of `durable-oauth worker`: a test plants a bug in it. */
  readonly worker?: { readonly script: string; readonly env: NodeJS.ProcessEnv };
}

export interface Chaos {
  readonly tokenSeconds: number;
  readonly provider: ScriptedProvider;
  readonly victims: readonly Victim[];
  readonly units: readonly Unit[];
  /** One client of the API per server. */
  readonly rests: readonly Rest[];
  /** Keys of the callers, each with the servers' addresses: token routes are limited per key. */
  readonly callers: readonly { readonly email: string; readonly key: string; readonly urls: readonly string[] }[];
  readonly folder: string;
  readonly databaseUrl: string;
  readonly temporalAddress: () => string;
  /** Everything the processes printed. */
  readonly output: string[];
  temporalAway(ms: number): Promise<void>;
  databaseAway(ms: number): Promise<void>;
  vaultAway(ms: number): Promise<void>;
  stop(): Promise<void>;
}

function victimsOf({ connections, modes = ROTATION_MODES }: ChaosOptions): Victim[] {
  return Array.from({ length: connections }, (_, index) => {
    const mode = modes[index % modes.length] ?? 'strict';
    return { clientId: `chaos-${mode}-${index}`, mode, connection: '' };
  });
}

const rotationOf = (mode: RotationMode): Rotation =>
  mode === 'grace' ? { mode, graceSeconds: GRACE_SECONDS } : { mode };

export async function startChaos(options: ChaosOptions, log: (line: string) => void): Promise<Chaos> {
  const victims = victimsOf(options);
  const { tokenSeconds = 60 } = options;
  const folder = mkdtempSync(join(tmpdir(), 'durable-oauth-chaos-'));
  mkdirSync(join(folder, 'db'));
  const provider = await startScriptedProvider({
    clients: Object.fromEntries(
      victims.map(({ clientId, mode }) => [clientId, { secret: `secret-of-${clientId}`, rotation: rotationOf(mode) }]),
    ),
    tokenLifetime: tokenSeconds,
  });
  let database: EmbeddedDatabase = await startEmbeddedDatabase({ dataDir: join(folder, 'db') });
  const databaseUrl = database.url;
  await migrate(databaseUrl);
  const [temporalPort, one, two] = await claimPorts([0, 0, 0]);
  const located = await locateTemporal({ log });
  if (located.kind === 'address') throw new Error('Chaos kills its Temporal server: unset TEMPORAL_ADDRESS');
  const startTemporal = (): Promise<TemporalDevServer> =>
    startTemporalDevServer({
      executable: located.path,
      dbFile: join(folder, 'temporal.db'),
      port: temporalPort,
      headless: true,
      log,
    });
  let temporal = await startTemporal();

  const people = { tenant: TENANT, email: 'chaos@localhost' };
  const access = { ...people, key: await createKey(databaseUrl, people) };
  const urls = [one, two].map((port) => `http://127.0.0.1:${port}`);
  const callers = [];
  for (let caller = 0; caller < CALLERS; caller++) {
    const email = `caller-${caller}@localhost`;
    callers.push({ email, key: await createKey(databaseUrl, { tenant: TENANT, email }), urls });
  }
  const output: string[] = [];
  const unit = (kind: Unit['kind'], name: string, port = 0): Unit => {
    const made: Unit = {
      name,
      kind,
      child: undefined,
      async start() {
        made.child = await startChild({
          script: (kind === 'worker' && options.worker?.script) || MAIN,
          args: [kind],
          env: {
            ...process.env,
            ...(kind === 'worker' && options.worker?.env),
            DATABASE_URL: databaseUrl,
            TEMPORAL_ADDRESS: temporal.address,
            TEMPORAL_NAMESPACE: 'default',
            PORT: String(port),
            PUBLIC_URL: `http://127.0.0.1:${one}`,
            VAULT_PATH: join(folder, 'vault'),
            VAULT_KEY_FILE: join(folder, 'vault.key'),
            TOKEN_ROUTES: 'on',
            ALLOW_PRIVATE_NETWORKS: 'on',
            LOG_LEVEL: 'info',
          },
          ready: 'ready',
          log: (line) => void output.push(`${name}: ${line}`),
        });
      },
    };
    return made;
  };
  const units = [
    ...['worker 1', 'worker 2', 'worker 3'].map((name) => unit('worker', name)),
    unit('server', 'server 1', one),
    unit('server', 'server 2', two),
  ];
  for (const each of units) await each.start();
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  return {
    tokenSeconds,
    provider,
    victims,
    units,
    rests: urls.map((url) => new Rest({ ...access, url })),
    callers,
    folder,
    databaseUrl,
    temporalAddress: () => temporal.address,
    output,
    async temporalAway(ms) {
      await temporal.stop();
      await pause(ms);
      temporal = await startTemporal();
    },
    async databaseAway(ms) {
      process.kill(database.pid, 'SIGKILL');
      await database.ended;
      await pause(ms);
      database = await startEmbeddedDatabase({ dataDir: join(folder, 'db'), url: databaseUrl });
    },
    async vaultAway(ms) {
      const [here, away] = [join(folder, 'vault'), join(folder, 'vault.away')];
      await rename(here, away);
      await pause(ms);
      await rename(away, here);
    },
    async stop() {
      await Promise.all(units.flatMap(({ child }) => (child ? [child.stop()] : [])));
      await temporal.stop();
      await database.stop();
      await provider.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const settingsOf = ({ clientId, mode }: Victim, provider: ScriptedProvider): Record<string, unknown> => ({
  label: clientId,
  grant_type: 'authorization_code',
  authorization_url: provider.endpoints.authorization,
  token_url: provider.endpoints.token,
  revocation_url: provider.endpoints.revocation,
  identity_url: provider.endpoints.identity,
  client_id: clientId,
  client_secret: `secret-of-${clientId}`,
  scope: 'read',
  api_base_url: provider.apiBaseUrl,
  rotation: mode,
  ...(mode === 'grace' && { rotation_grace_seconds: GRACE_SECONDS }),
});
