/** Import on real parts: nothing is spent before the first token is proven, the others at the pace, each of them once. */
import { createHash } from 'node:crypto';
import { pino } from 'pino';
import { issueKey } from '../../src/cli/create-key';
import type { Ports } from '../../src/compose';
import { saveWorkflowId } from '../../src/connection/ids';
import { buildApp } from '../../src/http/app';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { eventually, Harness } from '../support/harness';

const SECRET = 'app-secret-canary';
const PACE_SECONDS = 2;
/** A timer may fire a little early by the clock it is compared with. */
const TIMER_TOLERANCE_MS = 5;

let provider: ScriptedProvider;
let harness: Harness;
let app: ReturnType<typeof buildApp>;
let auth: string;
let answers = 0;
/** Answers of the provider beyond so many wait until `release`. */
let unheld = Infinity;
let released = Promise.resolve();
let release = (): void => undefined;

const decorate = (ports: Ports): Ports => {
  const { authorizationServer: server } = ports;
  return {
    ...ports,
    authorizationServer: {
      ...server,
      async refresh(...given) {
        const answer = await server.refresh(...given);
        answers += 1;
        if (answers > unheld) await released;
        return answer;
      },
    },
  };
};

beforeAll(async () => {
  provider = await startScriptedProvider({ clients: { app: { secret: SECRET, rotation: { mode: 'strict' } } } });
  harness = await Harness.start({ tuning: { jitter: 0 }, decorate, secrets: () => provider.issuedSecrets() });
  const { parts, tenant } = harness;
  const { config } = parts;
  app = buildApp({ ...parts, config: { ...config, callbackBase: config.callbackUrl }, log: pino({ level: 'silent' }) });
  const key = await issueKey(parts.registry, { tenant, email: 'ops@acme.example' });
  harness.tripwire.watch([key]);
  auth = `Bearer ${key}`;
}, 120_000);
afterEach(async () => {
  unheld = Infinity;
  release();
  provider.assertLedger();
  await harness.judge();
});
afterAll(async () => {
  await app?.close();
  await harness?.stop();
  await provider?.stop();
});

interface Account {
  readonly id: string;
  readonly refresh_token: string;
}

const accounts = (...ids: string[]): Account[] =>
  ids.map((id) => ({ id, refresh_token: provider.issueRefreshToken('app') }));

async function importing(entries: readonly Account[], options: object) {
  const template = {
    label: 'Shop',
    token_url: provider.endpoints.token,
    client_id: 'app',
    client_secret: SECRET,
    api_base_url: provider.apiBaseUrl,
  };
  const answer = await app.inject({
    method: 'POST',
    url: `/v2/tenants/${harness.tenant}/imports`,
    headers: { authorization: auth },
    payload: { data: { type: 'import', attributes: { template, entries, ...options } } },
  });
  const { data, errors } = answer.json<{
    data?: { attributes: { entries: { status: string }[] } };
    errors?: { code: string; source: unknown }[];
  }>();
  return { status: answer.statusCode, said: data?.attributes.entries.map(({ status }) => status), errors };
}
const forReal = (entries: readonly Account[]) =>
  importing(entries, { old_refresher_stopped: true, pace_seconds: PACE_SECONDS });

const handle = ({ id }: Account) => harness.parts.temporal.workflow.getHandle(saveWorkflowId(harness.tenant, id));
const eventsOf = async (account: Account) => (await handle(account).fetchHistory()).events ?? [];
const isSaved = async ({ id }: Account): Promise<boolean> =>
  (await harness.parts.registry.integrations.get(harness.tenant, id)) !== undefined;
const allSaved = (entries: readonly Account[]) =>
  eventually(
    'every entry is saved',
    async () => (await Promise.all(entries.map(isSaved))).every(Boolean),
    (all) => all,
  );

/** When the provider was sent each token, in the order of its ledger. */
function spent(entries: readonly Account[]): { id: string; at: number }[] {
  const fingerprint = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
  const ids = new Map(entries.map(({ id, refresh_token }) => [fingerprint(refresh_token), id]));
  return provider.ledger().flatMap(({ fingerprint: sent = '', startedAt }) => {
    const id = ids.get(sent);
    return id === undefined ? [] : [{ id, at: startedAt }];
  });
}

it('checks without sending; then proves the first, and begins the others one after another at the pace', async () => {
  const entries = accounts('first', 'second', 'third', 'fourth');
  expect(await importing(entries, { dry_run: true })).toMatchObject({
    status: 200,
    said: entries.map(() => 'checked'),
  });
  expect(spent(entries)).toEqual([]);
  for (const account of entries) await expect(handle(account).describe()).rejects.toThrow();

  const answer = await forReal(entries);
  expect(answer).toMatchObject({ status: 202, said: ['saved', 'saving', 'saving', 'saving'] });
  await allSaved(entries);
  const sent = spent(entries);
  expect(sent.map(({ id }) => id)).toEqual(entries.map(({ id }) => id));
  for (const [turn, account] of entries.entries()) {
    const [started] = await eventsOf(account);
    const begun = Number(started?.eventTime?.seconds) * 1000 + (started?.eventTime?.nanos ?? 0) / 1_000_000;
    const delay = Number(started?.workflowExecutionStartedEventAttributes?.firstWorkflowTaskBackoff?.seconds ?? 0);
    expect([account.id, delay]).toEqual([account.id, turn * PACE_SECONDS]);
    expect(sent[turn]!.at).toBeGreaterThanOrEqual(begun + delay * 1000 - TIMER_TOLERANCE_MS);
    if (turn > 0) expect(begun).toBeGreaterThan(sent[0]!.at);
  }
  expect(await forReal(entries)).toMatchObject({ said: entries.map(() => 'exists') });
  expect(spent(entries)).toHaveLength(entries.length);
}, 90_000);

it('spends nothing else when the first one is refused', async () => {
  const dead = { id: 'dead', refresh_token: 'rt-canary-that-nobody-issued' };
  const others = accounts('alive-1', 'alive-2');
  harness.tripwire.watch([dead.refresh_token]);
  const answer = await forReal([dead, ...others]);
  expect(answer.status).toBe(422);
  expect(answer.errors).toMatchObject([{ code: 'GRANT_REFUSED', source: { pointer: '/data/attributes/entries/0' } }]);
  expect(spent([dead, ...others]).map(({ id }) => id)).toEqual(['dead']);
  for (const account of others) await expect(handle(account).describe()).rejects.toThrow();
  expect(await forReal(others)).toMatchObject({ status: 202, said: ['saved', 'saving'] });
  await allSaved(others);
  expect(spent(others).map(({ id }) => id)).toEqual(['alive-1', 'alive-2']);
}, 90_000);

it('spends each token once when the workers stop in the middle and come back', async () => {
  const entries = accounts('before', 'meanwhile', 'after');
  unheld = answers + 1;
  released = new Promise((resolve) => (release = resolve));
  expect(await forReal(entries)).toMatchObject({ said: ['saved', 'saving', 'saving'] });
  await eventually(
    'the second was sent, and its answer is held back',
    async () => answers,
    (count) => count > unheld,
  );
  const stopped = harness.stopWorkers();
  release();
  await stopped;
  await eventually(
    'the third is due, and nobody is there',
    async () => (await eventsOf(entries[2]!)).length,
    (events) => events > 1,
  );
  await harness.startWorkers();
  await allSaved(entries);
  expect(spent(entries).map(({ id }) => id)).toEqual(['before', 'meanwhile', 'after']);
}, 120_000);
