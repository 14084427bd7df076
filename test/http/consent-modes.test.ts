/** Consents that an application confirms: what makes such a link, and the order in which a confirmation is checked. */
import { sha256 } from '../../src/client/cookies';
import type { ConsentReading } from '../../src/connection/messages';
import { DurableOAuthError } from '../../src/errors';
import { settings } from '../support/settings';
import { call, seedConnection, startTestApp, type TestApp } from './support';

const REF = { tenant: 'acme', connection: 'cn_b2' };
const PATH = '/v2/tenants/acme/connections/cn_b2';
const RETURN = 'https://flows.test/done?order=7';
const END_USER = 'user-4711-of-the-shop';

let t: TestApp;
let auth: string;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
  const at = { issuer: 'https://shop.test', apiUrl: 'https://api.shop.test' };
  const draft = settings(at, { grant_type: 'authorization_code', redirect_uri: 'https://connect.test/callback' });
  await seedConnection(t.registry, { tenant: 'acme', integration: 'b2', settings: draft }, 'cn_b2');
  await t.bearer('other');
  await seedConnection(t.registry, { tenant: 'other', integration: 'b3', settings: draft }, 'cn_b3');
});
afterAll(() => t.stop());
beforeEach(() => {
  t.consents.failure = undefined;
  t.consents.reading = undefined;
  t.consents.confirmations.length = 0;
});

const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();

describe('a link that an application confirms', () => {
  const make = (attributes: Record<string, string>) =>
    call(t, 'POST', `${PATH}/consent-links`, { auth, body: { data: { type: 'consent-link', attributes } } });
  const rowOf = ({ url }: { url: string }) =>
    t.registry.consentLinks.findByHash(sha256(url.replace('https://connect.test/oauth/start/', '')));

  it('keeps a hash of who may confirm, bound to the connection, and the end user’s id nowhere', async () => {
    const answer = await make({ mode: 'handback', return_to: RETURN, end_user_id: END_USER });
    expect(answer.statusCode).toBe(201);
    const { attributes } = answer.json().data;
    expect(attributes.mode).toBe('handback');
    const row = await rowOf(attributes);
    const confirmerHash = await t.consents.confirmerHash(REF, { endUserId: END_USER });
    expect(row).toMatchObject({ mode: 'handback', returnTo: RETURN, confirmerHash });
    const elsewhere = { ...REF, connection: 'cn_other' };
    expect(confirmerHash).not.toBe(await t.consents.confirmerHash(elsewhere, { endUserId: END_USER }));
    const events = await t.registry.events.list('acme', 'cn_b2', { size: 100 });
    expect(events).toContainEqual(expect.objectContaining({ type: 'consent_link.created' }));
    for (const kept of [row, events, answer.json(), t.logged]) expect(JSON.stringify(kept)).not.toContain(END_USER);
  });

  it('of mode session belongs to the principal that made it', async () => {
    const { attributes } = (await make({ mode: 'session', return_to: RETURN })).json().data;
    const { id } = await t.registry.principals.ensure('acme', 'ops@acme.test');
    const confirmerHash = await t.consents.confirmerHash(REF, { principal: { tenant: 'acme', id } });
    expect(await rowOf(attributes)).toMatchObject({ mode: 'session', confirmerHash });
  });

  it('lives 10 minutes, and an hour at most', async () => {
    const { attributes } = (await make({ mode: 'session', return_to: RETURN })).json().data;
    const minutes = (Date.parse(attributes.expires_at) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(9);
    expect(minutes).toBeLessThanOrEqual(10);
    expect((await make({ mode: 'session', return_to: RETURN, expires_at: inMinutes(59) })).statusCode).toBe(201);
    const longer = await make({ mode: 'session', return_to: RETURN, expires_at: inMinutes(61) });
    expect([longer.statusCode, longer.json().errors[0].source.pointer]).toEqual([422, '/data/attributes/expires_at']);
  });

  it.each([
    [{ mode: 'session' }, 'return_to', 'MEMBER_MISSING'],
    [{ mode: 'handback', end_user_id: END_USER }, 'return_to', 'MEMBER_MISSING'],
    [{ mode: 'handback', return_to: RETURN }, 'end_user_id', 'MEMBER_MISSING'],
    [{ mode: 'handback', return_to: RETURN, end_user_id: '' }, 'end_user_id', 'MEMBER_INVALID'],
    [{ mode: 'handback', return_to: RETURN, end_user_id: 'x'.repeat(257) }, 'end_user_id', 'MEMBER_INVALID'],
    [{ mode: 'session', return_to: RETURN, end_user_id: END_USER }, 'end_user_id', 'MEMBER_INVALID'],
    [{ end_user_id: END_USER }, 'end_user_id', 'MEMBER_INVALID'],
    [{ mode: 'session', return_to: 'https://evil.test/' }, 'return_to', 'MEMBER_INVALID'],
    [{ mode: 'session', return_to: 'https://flows.test/?consent=mine' }, 'return_to', 'MEMBER_INVALID'],
    [{ mode: 'handback', return_to: 'https://flows.test/?confirmation_code=x' }, 'return_to', 'MEMBER_INVALID'],
    [{ mode: 'email', return_to: RETURN }, 'mode', 'MEMBER_INVALID'],
  ])('is refused with 422: %j because of %s', async (attributes, member, code) => {
    const answer = await make(attributes);
    expect(answer.statusCode).toBe(422);
    expect(answer.json().errors).toContainEqual(
      expect.objectContaining({ status: '422', code, source: { pointer: `/data/attributes/${member}` } }),
    );
  });

  it('names every missing member at once', async () => {
    const { errors } = (await make({ mode: 'handback' })).json();
    expect(errors.map(({ source }: { source: { pointer: string } }) => source.pointer)).toEqual([
      '/data/attributes/return_to',
      '/data/attributes/end_user_id',
    ]);
  });
});

describe('a confirmation', () => {
  const ASKED = { consent: 'cs_1', confirmation_code: 'a.b' };
  const READING: ConsentReading = {
    v: 1,
    ref: 'acme/cn_b2',
    consent: 'cs_1',
    mode: 'handback',
    stage: 'connected',
    app: 'Shop',
    account: 'ann@shop.test',
    sameAccount: 'first',
    scope: 'read',
    returnTo: RETURN,
    lang: 'en',
  };
  const confirm = (attributes: unknown = ASKED, headers: Record<string, string> = {}, path = PATH) =>
    call(t, 'POST', `${path}/confirmations`, {
      auth,
      headers,
      body: { data: { type: 'confirmation', attributes } },
    });

  it('is answered with what is connected now', async () => {
    t.consents.reading = READING;
    const answer = await confirm({ ...ASKED, end_user_id: END_USER });
    expect(answer.statusCode).toBe(201);
    expect(answer.json().data).toEqual({
      type: 'confirmation',
      id: 'cs_1',
      attributes: {
        stage: 'connected',
        app: 'Shop',
        account: 'ann@shop.test',
        same_account: 'first',
        scope: 'read',
      },
      relationships: { connection: { links: { related: PATH }, data: { type: 'connection', id: 'cn_b2' } } },
    });
    expect(t.consents.confirmations).toEqual([
      { ref: REF, consent: 'cs_1', code: 'a.b', confirmer: { endUserId: END_USER } },
    ]);
  });

  it('without an end user is the caller’s own', async () => {
    t.consents.reading = READING;
    await confirm();
    const { id } = await t.registry.principals.ensure('acme', 'ops@acme.test');
    expect(t.consents.confirmations[0]?.confirmer).toMatchObject({ principal: { tenant: 'acme', id } });
  });

  it.each([
    ['MEMBER_MISSING', 'without the end user of a link of mode handback', {}],
    ['MEMBER_INVALID', 'with an end user for a link of mode session', { end_user_id: END_USER }],
  ] as const)('is 422 %s %s, and points to the member', async (code, _which, more) => {
    t.consents.failure = new DurableOAuthError(code);
    const answer = await confirm({ ...ASKED, ...more });
    expect([answer.statusCode, answer.json().errors]).toEqual([
      422,
      [expect.objectContaining({ code, status: '422', source: { pointer: '/data/attributes/end_user_id' } })],
    ]);
  });

  it('is 202 while the grant is handed over, and is asked for again', async () => {
    t.consents.reading = { ...READING, stage: 'handing_over', account: undefined };
    const answer = await confirm();
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([202, '2']);
    expect(answer.json().data.attributes).toMatchObject({ stage: 'handing_over', account: null });
  });

  it('for another user than the link was made for is 409 and says so, in the language asked for', async () => {
    t.consents.reading = { ...READING, stage: 'failed', code: 'CONSENT_NOT_COMPLETED', detail: 'other_user' };
    const answer = await confirm();
    expect(answer.statusCode).toBe(409);
    expect(answer.json().errors).toEqual([
      expect.objectContaining({
        code: 'CONSENT_NOT_COMPLETED',
        title: 'Consent was not completed',
        detail: expect.stringMatching(/^It was given by another user than the one the link was made for\./),
        meta: { detail: 'other_user', trace_id: expect.any(String) },
      }),
    ]);
    const spanish = await confirm(ASKED, { 'accept-language': 'es' });
    expect(spanish.json().errors[0].detail).toMatch(/^Lo dio un usuario distinto/);
  });

  it('is looked at in the order of checks', async () => {
    const statusAnd = async (answer: ReturnType<typeof confirm>): Promise<unknown> => {
      const { errors } = (await answer).json();
      return errors.map(({ status, source }: { status: string; source?: unknown }) => [status, source]);
    };
    expect(await statusAnd(confirm({ consent: 'cs_1' }))).toEqual([
      ['400', { pointer: '/data/attributes/confirmation_code' }],
    ]);
    expect(await statusAnd(confirm({ ...ASKED, more: 1 }))).toEqual([['422', { pointer: '/data/attributes/more' }]]);
    expect(await statusAnd(confirm(ASKED, {}, PATH.replace('cn_b2', 'cn_b3')))).toEqual([['404', undefined]]);
    expect(t.consents.confirmations).toEqual([]);
    expect(await statusAnd(confirm())).toEqual([['404', undefined]]);
    t.consents.failure = new DurableOAuthError('TEMPORAL_UNAVAILABLE');
    expect(await statusAnd(confirm())).toEqual([['503', undefined]]);
  });

  it('needs a permission of its own', async () => {
    const without = await t.bearer('acme', 'tenants.connections.create_consent_link');
    const body = { data: { type: 'confirmation', attributes: ASKED } };
    const answer = await call(t, 'POST', `${PATH}/confirmations`, { auth: without, body });
    expect([answer.statusCode, answer.json().errors[0].detail]).toEqual([
      403,
      expect.stringContaining('tenants.connections.confirm_consent'),
    ]);
  });

  it('leaves neither the code nor the end user’s id in the log', async () => {
    const code = 'code-canary-8c5f2f7d';
    await confirm({ consent: 'cs_1', confirmation_code: code, end_user_id: END_USER });
    expect(t.logged.join('')).not.toMatch(new RegExp(`${code}|${END_USER}`));
  });
});
