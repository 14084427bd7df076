/** What a benchmark runs on: Temporal dev server, database, scripted provider, and our parts composed in this process. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Client as PostgresClient } from 'pg';
import { startEmbeddedDatabase } from '../../src/cli/dev/embedded-database';
import { locateTemporal, startTemporalDevServer } from '../../src/cli/dev/temporal-server';
import { compose, type Composition } from '../../src/compose';
import { readConfig } from '../../src/config';
import { tendEnvelopeKeys } from '../../src/envelope-keys';
import { migrate } from '../../src/registry/migrator';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';

export const TENANT = 'bench';

export interface Stage {
  readonly provider: ScriptedProvider;
  readonly parts: Composition;
  readonly temporal: { readonly address: string; readonly pid: number };
  /** For processes of ours beside this one. */
  readonly env: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

export const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** BENCH_DATABASE_URL: a PostgreSQL; embedded when absent. */
export async function setStage(clients: Readonly<Record<string, { secret: string }>>): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'durable-oauth-bench-'));
  mkdirSync(join(folder, 'db'));
  const provider = await startScriptedProvider({ clients, tokenLifetime: 3600 });
  const given = process.env['BENCH_DATABASE_URL'];
  const database = given === undefined ? await startEmbeddedDatabase({ dataDir: join(folder, 'db') }) : undefined;
  const databaseUrl = given === undefined ? (database?.url ?? '') : await ownOn(given);
  await migrate(databaseUrl);
  const located = await locateTemporal({ log: say });
  if (located.kind === 'address') throw new Error('A benchmark starts its own Temporal server: unset TEMPORAL_ADDRESS');
  const server = await startTemporalDevServer({
    executable: located.path,
    dbFile: join(folder, 'temporal.db'),
    headless: true,
    log: () => undefined,
  });
  const env = {
    ...process.env,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: server.address,
    TEMPORAL_NAMESPACE: 'default',
    VAULT_PATH: join(folder, 'vault'),
    VAULT_KEY_FILE: join(folder, 'vault.key'),
    TOKEN_ROUTES: 'on',
    ALLOW_PRIVATE_NETWORKS: 'on',
    LOG_LEVEL: 'warn',
  };
  const connection = await Connection.connect({ address: server.address });
  const parts = await compose(readConfig(env), { temporal: new Client({ connection }) });
  await parts.registry.tenants.create(TENANT, 'Benchmarks');
  await tendEnvelopeKeys({ vault: parts.vault, registry: parts.registry.envelopeKeys, now: new Date() });
  return {
    provider,
    parts,
    temporal: { address: server.address, pid: await serverPid(server.pid) },
    env,
    async stop() {
      await parts.close();
      await connection.close();
      await server.stop();
      await database?.stop();
      await provider.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One benchmark, one database; the whole server is thrown away at the end. */
export async function ownOn(server: string): Promise<string> {
  const client = new PostgresClient({ connectionString: server });
  await client.connect();
  const name = `bench_${randomBytes(6).toString('hex')}`;
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** The dev server runs under a guard of ours: its child is what burns. */
async function serverPid(guard: number): Promise<number> {
  const children = readFileSync(`/proc/${guard}/task/${guard}/children`, 'utf8').trim().split(' ');
  return Number(children[0] ?? guard) || guard;
}

const TICKS_PER_SECOND = 100;

/** CPU seconds a process has used, user and system (Linux). */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory of a process, MB. */
export function residentMb(pid: number): number {
  const line = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The value below which so many percent lie. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}
