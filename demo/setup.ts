/** Everything the demo runs on: the authorization server with its API, and durable-oauth, embedded. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { claimPorts } from '../src/cli/dev/ports';
import { startDev, type Dev } from '../src/cli/dev/supervisor';
import { PROVIDER_VARIABLE } from './catalogue';
import { FAULTS_VARIABLE } from './faults';
import { startProvider, type ProviderClient, type RunningProvider } from './provider/process';
import { Rest } from './rest';

/** Clients of the demo's authorization server; it listens on loopback and knows nobody else. */
export const CLIENTS = {
  app: { clientId: 'demo-app', clientSecret: 'demo-app-secret', kind: 'code' },
  /** Its answers can be withheld without touching the others. */
  fragile: { clientId: 'demo-fragile', clientSecret: 'demo-fragile-secret', kind: 'code' },
  pasted: { clientId: 'demo-pasted', clientSecret: 'demo-pasted-secret', kind: 'code' },
  robot: { clientId: 'demo-robot', clientSecret: 'demo-robot-secret', kind: 'm2m' },
} as const satisfies Record<string, ProviderClient>;

export const SCOPE = 'openid email offline_access orders';

export interface Demo {
  readonly dev: Dev;
  readonly provider: RunningProvider;
  readonly rest: Rest;
  readonly callbackUrl: string;
  readonly faultsFile: string;
  stop(): Promise<void>;
}

export interface DemoOptions {
  readonly dataDir: string;
  readonly log: (line: string) => void;
  readonly workerLog: (line: string) => void;
}

export async function startDemo({ dataDir, log, workerLog }: DemoOptions): Promise<Demo> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const [port, temporalPort, uiPort] = await portsOf(join(dataDir, 'ports.json'));
  const callbackUrl = `http://127.0.0.1:${port}/callback`;
  log('Starting the authorization server and its API …');
  const provider = await startProvider({
    dataDir: join(dataDir, 'provider'),
    clients: Object.values(CLIENTS),
    redirectUris: [callbackUrl],
    accessTokenSeconds: 60,
  });
  const faultsFile = join(dataDir, 'faults.json');
  const { issuer, apiUrl, endpoints } = provider;
  try {
    const dev = await startDev({
      dataDir: join(dataDir, 'durable-oauth'),
      port,
      temporalPort,
      uiPort,
      log,
      childLog: (who, line) => (who === 'worker' ? workerLog(line) : undefined),
      scripts: { worker: join(__dirname, 'worker.js'), server: join(__dirname, 'server.js') },
      env: {
        [PROVIDER_VARIABLE]: JSON.stringify({ issuer, apiUrl, endpoints }),
        [FAULTS_VARIABLE]: faultsFile,
        // Whoever judges asks for every connection many times a second, under one key.
        API_RATE_PER_MINUTE: '60000',
        LOG_LEVEL: 'warn',
      },
    });
    return {
      dev,
      provider,
      rest: new Rest(dev.access),
      callbackUrl,
      faultsFile,
      // The server first: a refresh under way still gets its answer.
      async stop() {
        await dev.stop();
        await provider.stop();
      },
    };
  } catch (error) {
    await provider.stop();
    throw error;
  }
}

type Ports = readonly [number, number, number];

/** A second start finds the same addresses: redirect URIs are registered byte for byte. */
async function portsOf(file: string): Promise<Ports> {
  if (existsSync(file)) return claimPorts(JSON.parse(await readFile(file, 'utf8')) as Ports);
  const ports = await claimPorts([0, 0, 0]);
  await writeFile(file, JSON.stringify(ports));
  return ports;
}

export const codeIntegration = (label: string, client: ProviderClient): Record<string, unknown> => ({
  label,
  grant_type: 'authorization_code',
  preset: 'shop',
  client_id: client.clientId,
  client_secret: client.clientSecret,
  rotation: 'strict',
});

export const robotIntegration = (): Record<string, unknown> => ({
  label: 'Robot (client credentials)',
  grant_type: 'client_credentials',
  preset: 'shop',
  scope: 'orders',
  client_id: CLIENTS.robot.clientId,
  client_secret: CLIENTS.robot.clientSecret,
});
