/** Modes `session` and `handback`: REST, pages and a browser with cookies, in front of everything real. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { claimPorts } from '../../src/cli/dev/ports';
import { issueKey } from '../../src/cli/create-key';
import { confirmationCodeOf, csrfOf, sha256 } from '../../src/client/cookies';
import type { ConnectionRef } from '../../src/connection/types';
import { buildApp } from '../../src/http/app';
import { findCanaries } from '../../src/testing/canary';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { eventually, Harness } from '../support/harness';
import { saved } from '../support/scenes';
import { commandsOf, describeWithCurl } from '../support/shell';

const APPLICATION = 'https://shop.example';
const BACKEND = 'backend@acme.example';
const RETURN = `${APPLICATION}/connected?order=7%20a&x#top`;
const [ANN, VIC] = ['end-user-ann-0001', 'end-user-vic-0002'];

/** A browser after the provider, with what its application was handed. */
interface Arrival {
  readonly cookie: string;
  readonly confirmUrl: string;
  readonly location: URL;
  readonly consent: string;
  readonly code: string;
}

describe('consent confirmed by an application', () => {
  let provider: ScriptedProvider;
  let harness: Harness;
  let url: string;
  let stopApp: () => Promise<void>;
  let [backend, other] = ['', ''];
  const logged: string[] = [];

  beforeAll(async () => {
    provider = await startScriptedProvider({ clients: { app: { secret: 'app-secret-canary' } } });
    const [port] = await claimPorts([0]);
    url = `http://127.0.0.1:${port}`;
    harness = await Harness.start({
      tuning: { jitter: 0 },
      // Every task and every query replays from the start.
      maxCachedWorkflows: 0,
      config: { publicUrl: url, callbackUrl: `${url}/callback`, port, returnOrigins: [APPLICATION] },
      secrets: () => provider.issuedSecrets(),
    });
    const { parts, tenant } = harness;
    const app = buildApp({
      ...parts,
      config: { ...parts.config, callbackBase: `${url}/callback` },
      log: pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) }),
    });
    await app.listen({ host: '127.0.0.1', port });
    stopApp = () => app.close();
    backend = await issueKey(parts.registry, { tenant, email: BACKEND });
    other = await issueKey(parts.registry, { tenant, email: 'other@acme.example' });
    harness.tripwire.watch([backend, other, ANN, VIC]);
  }, 120_000);
  afterEach(async () => {
    provider.assertLedger();
    await harness.judge();
    expect(findCanaries(logged.join('\n'), harness.tripwire.secrets)).toEqual([]);
  });
  afterAll(async () => {
    await stopApp?.();
    await harness?.stop();
    await provider?.stop();
  });

  const connection = (): Promise<ConnectionRef> =>
    saved(harness, {
      at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
      clientSecret: 'app-secret-canary',
      change: {
        grant_type: 'authorization_code',
        client_id: 'app',
        endpoints: provider.endpoints,
        scope: 'read write',
        redirect_uri: `${url}/callback`,
      },
    });
  const row = (ref: ConnectionRef) => harness.parts.registry.connections.get(ref);
  const active = (ref: ConnectionRef) =>
    eventually(
      'active',
      () => row(ref),
      (now) => now?.state === 'active',
    );

  async function post(ref: ConnectionRef, type: string, attributes: object, key = backend) {
    const answer = await fetch(`${url}/v2/tenants/${ref.tenant}/connections/${ref.connection}/${type}s`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ data: { type, attributes } }),
    });
    return { status: answer.status, body: await answer.json() };
  }

  async function linkFor(ref: ConnectionRef, attributes: object): Promise<string> {
    const { status, body } = await post(ref, 'consent-link', { return_to: RETURN, ...attributes });
    expect(status).toBe(201);
    const { data } = body as { data: { attributes: { url: string } } };
    harness.tripwire.watch([data.attributes.url.split('/').at(-1) ?? '']);
    return data.attributes.url;
  }

  const open = (address: string, cookie = '', init: RequestInit = {}): Promise<Response> =>
    fetch(address, { redirect: 'manual', headers: { accept: 'text/html', cookie }, ...init });

  /** Press the button, consent at the provider, and come to where the application takes over. */
  async function travel(startUrl: string): Promise<Arrival> {
    const started = await open(startUrl, '', { method: 'POST' });
    const cookie = started.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const callback = (await open(started.headers.get('location') ?? '')).headers.get('location') ?? '';
    const { searchParams } = new URL(callback);
    const attempt = attemptIn(cookie);
    harness.tripwire.watch([
      searchParams.get('code') ?? '',
      searchParams.get('state') ?? '',
      attempt.browserSecret,
      confirmationCodeOf(attempt).split('.')[1] ?? '',
    ]);
    const confirmUrl = (await open(callback, cookie)).headers.get('location') ?? '';
    const onward = await eventually(
      'the browser is sent on',
      () => onwardAt(confirmUrl, cookie),
      (address) => address !== undefined,
    );
    const location = new URL(onward ?? '');
    const [consent, code] = ['consent', 'confirmation_code'].map((name) => location.searchParams.get(name) ?? '');
    return { cookie, confirmUrl, location, consent: consent ?? '', code: code ?? '' };
  }

  /** Where a page of ours sends the browser at once. */
  async function onwardAt(confirmUrl: string, cookie: string): Promise<string | undefined> {
    const html = await (await open(confirmUrl, cookie)).text();
    return /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(html)?.[1]?.replaceAll('&#38;', '&');
  }

  function attemptIn(cookie: string): { stateHash: string; browserSecret: string } {
    const [stateHash = '', browserSecret = ''] = cookie.slice(cookie.indexOf('=') + 1).split('.');
    return { stateHash, browserSecret };
  }

  const confirm = async (ref: ConnectionRef, { consent, code }: Arrival, change: object = {}, key = backend) => {
    const attributes = { consent, confirmation_code: code, ...change };
    // A worker that is slow to answer is asked again, as an application would.
    const answer = await eventually(
      'the outcome of a confirmation',
      () => post(ref, 'confirmation', attributes, key),
      ({ status }) => status !== 202 && status !== 503,
    );
    return {
      status: answer.status,
      ...(answer.body as { data?: { attributes: unknown }; errors?: { meta: object }[] }),
    };
  };

  const grantsOf = async (ref: ConnectionRef): Promise<string[]> => {
    const found = [];
    for await (const one of harness.parts.vault.list(`grant/${ref.tenant}/${ref.connection}/`)) found.push(one);
    return found;
  };

  it('handback: the application confirms with its user’s id, and is told the outcome again when the answer was lost', async () => {
    const ref = await connection();
    const arrival = await travel(await linkFor(ref, { mode: 'handback', end_user_id: ANN }));
    const appended = `consent=${arrival.consent}&confirmation_code=${arrival.code}`;
    expect(arrival.location.href).toBe(`${APPLICATION}/connected?order=7%20a&x&${appended}#top`);
    expect(await row(ref)).toMatchObject({ state: 'pending_consent', grantId: null });

    const confirmed = await confirm(ref, arrival, { end_user_id: ANN });
    expect(confirmed).toMatchObject({
      status: 201,
      data: { id: arrival.consent, attributes: { stage: 'connected', account: 'ann@example.test' } },
    });
    expect(await active(ref)).toMatchObject({ accountLabel: 'ann@example.test', grantId: arrival.consent });
    expect(await confirm(ref, arrival, { end_user_id: ANN })).toEqual(confirmed);
    expect((await confirm(ref, arrival, { end_user_id: VIC })).status).toBe(404);
    expect((await row(ref))?.state).toBe('active');
    const events = await harness.parts.registry.events.list(ref.tenant, ref.connection, { size: 100 });
    expect(events).toContainEqual(expect.objectContaining({ type: 'consent.granted', by: BACKEND }));
    const page = await open(arrival.confirmUrl, arrival.cookie);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('ann@example.test')]);
  });

  it('handback: a link of one user opened by another connects nothing, and the new access is revoked and destroyed', async () => {
    const ref = await connection();
    const revoked = provider.revocations();
    // Ann sends her link to Vic, who is signed in as himself in the application.
    const arrival = await travel(await linkFor(ref, { mode: 'handback', end_user_id: ANN }));
    const refused = await confirm(ref, arrival, { end_user_id: VIC });
    expect(refused).toMatchObject({
      status: 409,
      errors: [{ code: 'CONSENT_NOT_COMPLETED', meta: { detail: 'other_user' } }],
    });
    expect((await confirm(ref, arrival, { end_user_id: ANN })).status).toBe(404);
    await eventually(
      'the grant is destroyed',
      () => grantsOf(ref),
      (left) => left.length === 0,
    );
    expect(provider.revocations()).toBeGreaterThan(revoked);
    expect(await row(ref)).toMatchObject({ state: 'pending_consent', grantId: null });
    await eventually(
      'the event',
      () => harness.parts.registry.events.list(ref.tenant, ref.connection, { size: 100 }),
      (events) =>
        events.some(
          ({ type, by, facts }) => type === 'consent.failed' && by === BACKEND && facts?.['detail'] === 'other_user',
        ),
    );
    const page = (await (await open(arrival.confirmUrl, arrival.cookie)).text()).replaceAll('&#38;', '&');
    expect(page).toContain('It was given by another user than the one the link was made for.');
    expect(page).toContain(`<a href="${RETURN}">`);
  });

  it('a wrong code, or the code of another consent, connection or mode, is 404 and changes nothing', async () => {
    const [ref, elsewhere] = [await connection(), await connection()];
    const terms = { mode: 'handback', end_user_id: ANN };
    const link = await linkFor(ref, terms);
    const [arrival, second] = [await travel(link), await travel(link)];
    const third = await travel(await linkFor(elsewhere, terms));
    const wrong: [ConnectionRef, object][] = [
      [ref, { confirmation_code: 'x' }],
      [ref, { confirmation_code: arrival.code.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) }],
      [ref, { confirmation_code: second.code }],
      [ref, { confirmation_code: third.code }],
      [ref, { confirmation_code: `${'x'.repeat(43)}.${arrival.code.split('.')[1]}` }],
      [ref, { consent: second.consent }],
      [ref, { consent: 'cs_never-was' }],
      [elsewhere, {}],
      [{ ...ref, connection: 'cn_never-was' }, {}],
    ];
    const answers = [];
    for (const [where, change] of wrong) {
      for (const user of [ANN, VIC]) answers.push(await confirm(where, arrival, { end_user_id: user, ...change }));
    }
    expect(answers.filter(({ status, errors }) => status !== 404 || errors?.length !== 1)).toEqual([]);
    expect(await row(ref)).toMatchObject({ state: 'pending_consent', grantId: null });
    expect((await confirm(ref, arrival, { end_user_id: ANN })).status).toBe(201);
    await active(ref);
    const late = await confirm(ref, second, { end_user_id: ANN });
    expect(late).toMatchObject({ status: 409, errors: [{ meta: { detail: 'used' } }] });
  });

  it('session: the principal that made the link confirms, and another one ends the attempt', async () => {
    const ref = await connection();
    const stolen = await travel(await linkFor(ref, { mode: 'session' }));
    expect(await confirm(ref, stolen, {}, other)).toMatchObject({
      status: 409,
      errors: [{ meta: { detail: 'other_user' } }],
    });
    expect((await confirm(ref, stolen)).status).toBe(404);
    expect(await row(ref)).toMatchObject({ state: 'pending_consent', grantId: null });

    const own = await travel(await linkFor(ref, { mode: 'session' }));
    expect(await confirm(ref, own)).toMatchObject({ status: 201 });
    expect(await active(ref)).toMatchObject({ grantId: own.consent });
  });

  it.each([
    ['handback', { end_user_id: ANN }, {}, 'MEMBER_MISSING'],
    ['session', {}, { end_user_id: ANN }, 'MEMBER_INVALID'],
  ])('%s: a confirmation of the other mode is told what is wrong with it, and the attempt goes on', async (...row) => {
    const [mode, right, wrong, code] = row;
    const ref = await connection();
    const arrival = await travel(await linkFor(ref, { mode, ...right }));
    expect(await confirm(ref, arrival, wrong)).toMatchObject({
      status: 422,
      errors: [{ code, source: { pointer: '/data/attributes/end_user_id' } }],
    });
    expect((await confirm(ref, arrival, right)).status).toBe(201);
    await active(ref);
  });

  it('what registry and history keep of an end user is not to be had from the id alone', async () => {
    const ref = await connection();
    const url = await linkFor(ref, { mode: 'handback', end_user_id: ANN });
    const { confirmerHash = null } =
      (await harness.parts.registry.consentLinks.findByHash(sha256(url.split('/').at(-1) ?? ''))) ?? {};
    const plain = ['handback', ref.tenant, ref.connection, ANN];
    const guesses = [ANN, plain.join('/'), JSON.stringify(plain), JSON.stringify(plain.slice(1))].map(sha256);
    expect(confirmerHash).toMatch(/^[\w-]{22}$/);
    expect(guesses.filter((guess) => guess.startsWith(confirmerHash ?? guess))).toEqual([]);
  });

  it('our page confirms nothing in these modes, not even a form that its browser sends', async () => {
    const ref = await connection();
    const arrival = await travel(await linkFor(ref, { mode: 'session' }));
    const forged = await open(arrival.confirmUrl, arrival.cookie, {
      method: 'POST',
      headers: { cookie: arrival.cookie },
      body: new URLSearchParams({ csrf: csrfOf(attemptIn(arrival.cookie)) }),
    });
    expect(forged.status).toBe(303);
    expect(await onwardAt(arrival.confirmUrl, arrival.cookie)).toBe(arrival.location.href);
    expect(await row(ref)).toMatchObject({ state: 'pending_consent', grantId: null });
    expect((await confirm(ref, arrival)).status).toBe(201);
  });

  it('mode link is confirmed by its browser only: the code that it could make opens nothing', async () => {
    const ref = await connection();
    const started = await open(await linkFor(ref, {}), '', { method: 'POST' });
    const cookie = started.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const attempt = attemptIn(cookie);
    harness.tripwire.watch([attempt.browserSecret]);
    const callback = (await open(started.headers.get('location') ?? '')).headers.get('location') ?? '';
    const confirmUrl = (await open(callback, cookie)).headers.get('location') ?? '';
    const page = await eventually(
      'the question',
      async () => (await open(confirmUrl, cookie)).text(),
      (html) => html.includes('<form'),
    );
    expect(page).toContain('Connect account ann@example.test');
    const handle = harness.parts.temporal.workflow.getHandle(`consent/${attempt.stateHash}`);
    const { consent = '' } = await handle.query<{ consent?: string }>('describeConsent');
    const made = { cookie, confirmUrl, location: new URL(confirmUrl), consent, code: confirmationCodeOf(attempt) };
    expect((await confirm(ref, made)).status).toBe(404);
    expect(await row(ref)).toMatchObject({ state: 'pending_consent', grantId: null });
  });

  describeWithCurl('docs/consent.md', () => {
    it('every command works as printed, with the browser between link and confirmation', async () => {
      const { script } = await commandsOf('consent.md');
      const [prelude = '', ...commands] = script.split(/^(?=# 201\b)/m);
      const ref = await connection();
      let arrival: Arrival | undefined;
      const answered = [];
      for (const command of commands) {
        const env = {
          ...process.env,
          NO_PROXY: '127.0.0.1',
          DURABLE_OAUTH_URL: url,
          DURABLE_OAUTH_TENANT: ref.tenant,
          DURABLE_OAUTH_EMAIL: BACKEND,
          DURABLE_OAUTH_API_KEY: backend,
          CONNECTION: ref.connection,
          CONSENT: arrival?.consent,
          CONFIRMATION_CODE: arrival?.code,
        };
        const { stdout } = await promisify(execFile)('bash', ['-euc', `${prelude}${command}`], { env });
        const { data } = JSON.parse(stdout) as { data: { attributes: Readonly<Record<string, string>> } };
        const { mode, stage, url: link = '' } = data.attributes;
        answered.push(mode ?? stage);
        if (mode !== undefined) harness.tripwire.watch([link.split('/').at(-1) ?? '']);
        if (mode === 'session' || mode === 'handback') arrival = await travel(link);
      }
      expect(answered).toEqual(['link', 'handback', 'connected', 'session', 'connected']);
      expect(await active(ref)).toMatchObject({ accountLabel: 'ann@example.test' });
    });
  });

  it('of two confirmers at once one decides, and the other learns nothing', async () => {
    const ref = await connection();
    const arrival = await travel(await linkFor(ref, { mode: 'handback', end_user_id: ANN }));
    const [right, wrong] = await Promise.all(
      [ANN, VIC].map(async (user) => (await confirm(ref, arrival, { end_user_id: user })).status),
    );
    expect([
      [201, 404],
      [404, 409],
    ]).toContainEqual([right, wrong]);
    if (right === 201) await active(ref);
    else expect(await row(ref)).toMatchObject({ state: 'pending_consent', grantId: null });
  });
});
