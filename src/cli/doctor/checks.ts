/** What `durable-oauth doctor` looks at, in order: each answers in one line, and says what to do when it is red. */
import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Config } from '../../config';
import { outageSlackMs } from '../../connection/clocks';
import { formatRef, REQUESTS_TASK_QUEUE, TASK_QUEUE } from '../../connection/ids';
import { isDurableOAuthError } from '../../errors';
import type { Catalogue } from '../../providers/preset';
import { findPreset, policyOf } from '../../providers/resolve';
import type { Registry } from '../../registry/contract';
import { migrationsOf } from '../../registry/migrator';
import type { Vault } from '../../vault/port';
import { Secret } from '../../vault/secret';
import { everyConnection } from '../every-connection';

export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'red';
  readonly text: string;
  /** What to do; for everything that is not ok. */
  readonly todo?: string;
}

type Verdict = Omit<Finding, 'check'>;

/** What could be opened; a check of something that could not is red without it. */
export interface Patient {
  readonly config: Config;
  readonly registry: Registry | undefined;
  readonly vault: Vault | undefined;
  readonly temporal: Client | undefined;
  readonly catalogue: Catalogue;
  /** The outage that tokens should outlive, milliseconds; absent = only told. */
  readonly outageMs?: number;
}

const ok = (text: string): Verdict => ({ status: 'ok', text });
const warning = (text: string, todo: string): Verdict => ({ status: 'warning', text, todo });
const red = (text: string, todo: string): Verdict => ({ status: 'red', text, todo });

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** A large fleet is judged by its first connections. */
const SLACK_SAMPLE = 1_000;
const SKEW_WARNING_MS = 2_000;
const SKEW_RED_MS = 30_000;
const KEY_WARNING_MS = 50 * HOUR_MS;
const POLLED_WITHIN_MS = 120_000;
const PATIENCE_MS = 5_000;

export const CHECKS: Readonly<Record<string, (patient: Patient) => Promise<Verdict>>> = {
  registry: checkRegistry,
  'clock skew': checkClock,
  vault: checkVault,
  'envelope key': checkEnvelopeKey,
  Temporal: checkTemporal,
  [`queue ${TASK_QUEUE}`]: (patient) => checkPollers(patient, TASK_QUEUE, ['WORKFLOW', 'ACTIVITY']),
  [`queue ${REQUESTS_TASK_QUEUE}`]: (patient) => checkPollers(patient, REQUESTS_TASK_QUEUE, ['ACTIVITY']),
  'outage slack': checkSlack,
  callback: checkCallback,
};

export async function examine(patient: Patient): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [check, run] of Object.entries(CHECKS)) {
    const verdict = await run(patient).catch((error: unknown) =>
      red(
        isDurableOAuthError(error) ? error.message : 'failed',
        isDurableOAuthError(error) ? 'see the message' : 'report it: this is a defect of the check',
      ),
    );
    findings.push({ check, ...verdict });
  }
  return findings;
}

const NO_REGISTRY = red('does not answer', 'check that the database of DATABASE_URL runs and lets us in');
const NEEDS_REGISTRY = red('cannot be told without the registry', 'mend the registry first');

async function checkRegistry({ registry, config }: Patient): Promise<Verdict> {
  if (registry === undefined) return NO_REGISTRY;
  const from = Date.now();
  await registry.ping();
  const took = Date.now() - from;
  const { missing, unknown } = await migrationsOf(config.databaseUrl);
  if (missing.length > 0) {
    const todo = 'run `durable-oauth admin migrate`';
    return red(`lacks ${missing.join(', ')}`, todo);
  }
  if (unknown.length > 0)
    return warning(`was migrated by a newer version (${unknown.join(', ')})`, 'update this version');
  return ok(`answers in ${took} ms, tables up to date`);
}

/** Times of tokens are this process's, those of projections the database's. */
async function checkClock({ registry }: Patient): Promise<Verdict> {
  if (registry === undefined) return NEEDS_REGISTRY;
  const from = Date.now();
  const there = Date.parse(await registry.ping());
  const skew = Math.round(there - (from + Date.now()) / 2);
  const text = `the database's clock is ${Math.abs(skew)} ms ${skew < 0 ? 'behind' : 'ahead of'} this one`;
  const todo = 'let both follow NTP: tokens would be refreshed too late or too early';
  if (Math.abs(skew) >= SKEW_RED_MS) return red(text, todo);
  return Math.abs(skew) >= SKEW_WARNING_MS ? warning(text, todo) : ok(text);
}

/** A probe of its own, destroyed at once. */
async function checkVault({ vault, config, registry }: Patient): Promise<Verdict> {
  const { driver } = config.vault;
  if (vault === undefined) {
    const keys = (await registry?.envelopeKeys.list())?.length;
    return keys === 0
      ? warning(`${driver} is not there yet`, 'the first worker makes it')
      : red(`${driver} cannot be opened`, 'its own words are above');
  }
  const ref = `system/doctor/${randomBytes(8).toString('hex')}`;
  const step = async <T>(what: string, work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw isDurableOAuthError(error) ? new Step(`${what}: ${error.message}`) : error;
    });
  try {
    await step('is not writable', vault.checkWritable());
    await step('does not store', vault.put(ref, 1, { kind: 'hmac_key', key: new Secret('probe') }));
    await step('does not read', vault.latest(ref));
    await step('does not destroy', vault.destroy(ref));
    return ok(`${driver} writes, reads and destroys`);
  } catch (error) {
    if (!(error instanceof Step)) throw error;
    return red(
      `${driver} ${error.message}`,
      'check its permissions, space and address; nothing is refreshed meanwhile',
    );
  }
}

class Step extends Error {}

async function checkEnvelopeKey({ registry }: Patient): Promise<Verdict> {
  if (registry === undefined) return NEEDS_REGISTRY;
  const [newest] = await registry.envelopeKeys.list();
  const todo = 'start a worker: it makes a key every day, and nothing can be sealed without one';
  if (newest === undefined) return red('there is none', todo);
  const age = Date.now() - Date.parse(newest.createdAt);
  const text = `the newest is ${Math.floor(age / HOUR_MS)} h old`;
  return age > KEY_WARNING_MS ? warning(text, todo) : ok(text);
}

async function checkTemporal({ temporal }: Patient): Promise<Verdict> {
  const todo = 'check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the credentials';
  if (temporal === undefined) return red('does not answer', todo);
  const { namespace } = temporal.options;
  try {
    await temporal.withDeadline(new Date(Date.now() + PATIENCE_MS), () =>
      temporal.workflowService.describeNamespace({ namespace }),
    );
    return ok(`answers, namespace ${namespace}`);
  } catch {
    return red(`namespace ${namespace} cannot be read`, todo);
  }
}

async function checkPollers(
  { temporal }: Patient,
  queue: string,
  kinds: readonly ('WORKFLOW' | 'ACTIVITY')[],
): Promise<Verdict> {
  if (temporal === undefined) return red('cannot be told without Temporal', 'mend Temporal first');
  const counts: number[] = [];
  for (const kind of kinds) counts.push(await pollersOf(temporal, queue, kind));
  const fewest = Math.min(...counts);
  const asked = kinds.map((kind, index) => `${counts[index]} for ${kind === 'WORKFLOW' ? 'workflows' : 'activities'}`);
  return fewest > 0
    ? ok(`pollers: ${asked.join(', ')}`)
    : red(`pollers: ${asked.join(', ')}`, 'start `durable-oauth worker`: nothing is refreshed without one');
}

/** Pollers that asked for work within two minutes. */
export async function pollersOf(temporal: Client, queue: string, kind: 'WORKFLOW' | 'ACTIVITY'): Promise<number> {
  const { pollers } = await temporal.withDeadline(new Date(Date.now() + PATIENCE_MS), () =>
    temporal.workflowService.describeTaskQueue({
      namespace: temporal.options.namespace,
      taskQueue: { name: queue },
      taskQueueType: kind === 'WORKFLOW' ? 1 : 2,
    }),
  );
  const since = Date.now() - POLLED_WITHIN_MS;
  return (pollers ?? []).filter(({ lastAccessTime: at }) => Number(at?.seconds ?? 0) * 1000 > since).length;
}

/** While Temporal or its database is away nothing is refreshed: the buffer before expiry is all there is. */
async function checkSlack({ registry, config, catalogue, outageMs = 0 }: Patient): Promise<Verdict> {
  if (registry === undefined) return NEEDS_REGISTRY;
  let [seen, short] = [0, 0];
  let least: { ref: string; slack: number } | undefined;
  for await (const { connection, integration, provider } of everyConnection(registry, config.tenants)) {
    const preset = findPreset(catalogue, integration.settings.preset, provider);
    if (preset === undefined || connection.frozenAt !== null) continue;
    const slack = outageSlackMs(connection.lifetimeSeconds, policyOf(integration.settings, preset));
    if (slack === undefined) continue;
    if (++seen > SLACK_SAMPLE) break;
    if (slack < outageMs) short++;
    if (least === undefined || slack < least.slack) {
      least = { ref: formatRef({ tenant: connection.tenant, connection: connection.id }), slack };
    }
  }
  if (least === undefined) return ok('no connection is refreshed by the clock');
  const of = seen > SLACK_SAMPLE ? ` of the first ${SLACK_SAMPLE}` : '';
  const text = `tokens outlive an outage of Temporal of ${Math.floor(least.slack / 1000)} s (${least.ref}, the least${of})`;
  if (short === 0) return ok(text);
  return warning(
    `${text}; ${short} would expire in one of ${outageMs / MINUTE_MS} min`,
    'lengthen policy.refresh_buffer_seconds of their integrations, as far as the provider refreshes that early',
  );
}

/** From here; whether the world reaches it, only the world can tell. */
async function checkCallback({ config: { callbackUrl } }: Patient): Promise<Verdict> {
  const { hostname, protocol } = new URL(callbackUrl);
  const todo = 'check PUBLIC_URL, CALLBACK_URL, DNS, TLS and the proxy in front of `durable-oauth server`';
  let status: number;
  try {
    ({ status } = await fetch(callbackUrl, { redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) }));
  } catch {
    return red(`${callbackUrl} does not answer`, todo);
  }
  if (status >= 500 || status === 404) return red(`${callbackUrl} answers ${status}`, todo);
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (local) return warning(`${callbackUrl} answers, on this machine only`, 'set PUBLIC_URL to what browsers reach');
  return protocol === 'https:'
    ? ok(`${callbackUrl} answers ${status}, as seen from here`)
    : red(`${callbackUrl} is not https`, todo);
}
