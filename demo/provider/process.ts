/** Starts and stops the demo's authorization server, which is a process of its own because it is ES modules only. */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { adminClient } from './admin-client';
import type { ProviderAdmin } from './admin-client';

export interface ProviderClient {
  readonly clientId: string;
  /** Absent for a public client (`auth: 'none'`). */
  readonly clientSecret?: string;
  /** Code + PKCE with refresh tokens (scope `offline_access`, `prompt=consent`), or client credentials. */
  readonly kind: 'code' | 'm2m';
  /** Default `client_secret_basic`; the server accepts no other method than the one named. */
  readonly auth?: 'client_secret_basic' | 'client_secret_post' | 'none';
}

export interface ProviderOptions {
  /** Grants, ledger, orders and ports live here; a second start with the same folder goes on with them. */
  readonly dataDir: string;
  /** 0 or absent: the port this folder had before, else any free one. */
  readonly port?: number;
  readonly clients: readonly ProviderClient[];
  /** Allowed for every code client. */
  readonly redirectUris: readonly string[];
  /** Default 60. */
  readonly accessTokenSeconds?: number;
  /** Orders at the start, one more every so often, up to a number. Default 10, every 2 s, up to 2000. */
  readonly orders?: { readonly first: number; readonly everySeconds: number; readonly most: number };
  /** Gets one line at a time; never a secret. */
  readonly log?: (line: string) => void;
}

export interface RunningProvider {
  readonly issuer: string;
  readonly apiUrl: string;
  readonly adminUrl: string;
  readonly endpoints: {
    readonly authorization: string;
    readonly token: string;
    readonly revocation: string;
    readonly introspection: string;
    readonly identity: string;
  };
  /** One JSON line per request to the token endpoint; no secrets. */
  readonly ledgerFile: string;
  readonly pid: number;
  readonly admin: ProviderAdmin;
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** End the process and wait for it; what it answered is on disk. Twice is fine. */
  stop(): Promise<void>;
}

type Ready = Pick<RunningProvider, 'issuer' | 'apiUrl' | 'adminUrl' | 'ledgerFile'>;

const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 5_000;
/** What oidc-provider prints at every start of a development server. */
const NOISE = /^oidc-provider (WARNING|NOTICE):/;

/**
 * Starts the authorization server and its API on loopback, and waits until it listens. It ends when this process does.
 *
 * @throws Error with the server's own words when it cannot start (a port in use, an unreadable data folder)
 */
export async function startProvider(options: ProviderOptions): Promise<RunningProvider> {
  const { log = () => undefined, ...config } = options;
  const child = spawn(process.execPath, [scriptPath()], {
    // By environment: arguments, and so the clients' secrets, would be readable by everybody on the machine.
    env: { ...process.env, PROVIDER_CONFIG: JSON.stringify(config) },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Out of the terminal's group: on Ctrl-C a worker's refresh under way must still get its answer.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await ended;
    clearTimeout(kill);
  };
  try {
    const ready = await readiness(child, log);
    const { issuer } = ready;
    return {
      ...ready,
      endpoints: {
        authorization: `${issuer}/auth`,
        token: `${issuer}/token`,
        revocation: `${issuer}/token/revocation`,
        introspection: `${issuer}/token/introspection`,
        identity: `${issuer}/me`,
      },
      pid: child.pid ?? 0,
      admin: adminClient(ready.adminUrl),
      ended,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function readiness(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  log: (line: string) => void,
): Promise<Ready> {
  return new Promise((resolve, reject) => {
    let lastWords = '';
    const deadline = setTimeout(
      () => reject(new Error(`the demo's authorization server did not listen within ${START_DEADLINE_MS / 1000} s`)),
      START_DEADLINE_MS,
    );
    createInterface(child.stdout).on('line', (line) => {
      if (!line.startsWith('{')) return;
      clearTimeout(deadline);
      resolve(JSON.parse(line) as Ready);
    });
    createInterface(child.stderr).on('line', (line) => {
      if (NOISE.test(line)) return;
      lastWords = line;
      log(line);
    });
    child.once('error', () => reject(new Error("the demo's authorization server could not be started")));
    child.once('close', () => {
      clearTimeout(deadline);
      reject(new Error(lastWords || "the demo's authorization server ended at its start"));
    });
  });
}

/** The script is not compiled: from `dist/demo/provider` it is found in the checkout. */
function scriptPath(): string {
  const beside = join(__dirname, 'provider.mjs');
  return existsSync(beside) ? beside : join(__dirname, '../../../demo/provider/provider.mjs');
}
