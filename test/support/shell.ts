/** A server that listens and a shell beside it, for pages of curl commands: run as printed, answered as their comments say. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { issueKey } from '../../src/cli/create-key';
import { claimPorts } from '../../src/cli/dev/ports';
import { buildApp } from '../../src/http/app';
import { Harness, type HarnessOptions } from './harness';

export const EMAIL = 'ops@acme.example';

/** `describe`, where there is a curl. */
export const describeWithCurl = (name: string, tests: () => void): void =>
  spawnSync('curl', ['--version']).status === 0
    ? describe(name, tests)
    : describe.skip(`${name} (skipped: there is no curl here)`, tests);

interface Printed {
  readonly output: string;
  /** Status of each answer, in order. */
  readonly statuses: readonly number[];
}

export interface Shell {
  readonly harness: Harness;
  readonly url: string;
  /** Of an operator. */
  readonly key: string;
  /** What the server logged. */
  readonly logged: readonly string[];
  bash(script: string): Promise<Printed>;
  stop(): Promise<void>;
}

/** The commands of a page of docs/, and the statuses that the comments over them promise. */
export async function commandsOf(page: string): Promise<{ script: string; promised: number[] }> {
  const text = await readFile(join(__dirname, '../../docs', page), 'utf8');
  const script = [...text.matchAll(/^```bash\n([^]*?)^```$/gm)].map(([, block]) => block).join('');
  return { script, promised: [...script.matchAll(/^# (\d{3})\b/gm)].map(([, status]) => Number(status)) };
}

export async function startShell(options: HarnessOptions = {}): Promise<Shell> {
  const [port] = await claimPorts([0]);
  const url = `http://127.0.0.1:${port}`;
  const harness = await Harness.start({ ...options, config: { publicUrl: url, callbackUrl: `${url}/callback`, port } });
  const { parts, tenant } = harness;
  const logged: string[] = [];
  const app = buildApp({
    ...parts,
    config: { ...parts.config, callbackBase: `${url}/callback` },
    log: pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }),
  });
  await app.listen({ host: '127.0.0.1', port });
  const key = await issueKey(parts.registry, { tenant, email: EMAIL });
  harness.tripwire.watch([key]);
  const folder = await mkdtemp(join(tmpdir(), 'durable-oauth-shell-'));
  // Where `durable-oauth dev` leaves it: there the pages look for the server.
  await mkdir(join(folder, '.durable-oauth'));
  const access = { url, tenant, email: EMAIL, key };
  await writeFile(join(folder, '.durable-oauth', 'api-key.json'), JSON.stringify(access));

  async function bash(script: string): Promise<Printed> {
    // A function, so that commands stay as they are printed.
    const counted = `curl() { command curl -s -w '%{stderr}status %{http_code}\\n' "$@"; }`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['-euc', `${counted}\n${script}`], {
      cwd: folder,
      env: { ...process.env, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' },
    });
    return { output: stdout, statuses: [...stderr.matchAll(/^status (\d+)$/gm)].map(([, status]) => Number(status)) };
  }

  return {
    harness,
    url,
    key,
    logged,
    bash,
    async stop() {
      await app.close();
      await harness.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
