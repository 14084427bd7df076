import { DurableOAuthError } from '../../src/errors';
import { findCanaries } from '../../src/testing/canary';
import { call, CALLBACK, startTestApp, type TestApp } from './support';

const SECRET = 'cs-canary-1c9f7a3e5d';
const REFRESH_TOKEN = 'rt-canary-8e2b4d6f1a';
const PATH = '/v2/tenants/acme/integrations';

type Attributes = Record<string, unknown>;

const basic: Attributes = {
  label: 'Shop',
  grant_type: 'client_credentials',
  token_url: 'https://shop.test/token',
  client_id: 'app-1',
  client_secret: SECRET,
  api_base_url: 'https://api.shop.test/v1',
};
const code: Attributes = {
  ...basic,
  grant_type: 'authorization_code',
  authorization_url: 'https://shop.test/auth',
  scope: 'read write',
};
const pasted: Attributes = { ...basic, grant_type: 'refresh_token', refresh_token: REFRESH_TOKEN };

let t: TestApp;
let auth: string;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
});
afterAll(() => t.stop());
beforeEach(() => {
  t.connections.saves.length = 0;
  t.connections.outcome = undefined;
  t.connections.status = undefined;
});

const save = (attributes: Attributes, extra: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  call(t, 'POST', PATH, { auth, headers, body: { data: { type: 'integration', ...extra, attributes } } });

const without = (attributes: Attributes, name: string): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([key]) => key !== name));

/** Refused with the status, a code and a pointer for each problem; nothing called, nothing stored. */
async function expectRefused(
  attributes: Attributes,
  status: number,
  problem: { code: string; pointer: string },
): Promise<void> {
  const before = await t.registry.integrations.list('acme', { size: 100 });
  const answer = await save(attributes);
  expect({ status: answer.statusCode, errors: answer.json().errors }).toMatchObject({
    status,
    errors: [{ code: problem.code, source: { pointer: problem.pointer } }],
  });
  expect(t.connections.saves).toEqual([]);
  expect(await t.registry.integrations.list('acme', { size: 100 })).toEqual(before);
}

const at = (name: string): string => `/data/attributes/${name}`;

describe('saving an integration', () => {
  it('answers 201 with Location, the resource and its connection', async () => {
    const answer = await save(basic, { id: 'shop' });
    expect(answer.statusCode).toBe(201);
    expect(answer.headers.location).toBe(`${PATH}/shop`);
    expect(answer.json()).toMatchObject({
      data: {
        type: 'integration',
        id: 'shop',
        attributes: {
          label: 'Shop',
          client_id: 'app-1',
          token_url: 'https://shop.test/token',
          environment: 'production',
        },
        relationships: { connections: { data: [{ type: 'connection', id: 'cn_shop' }] } },
      },
    });
    expect(t.connections.saves[0]).toMatchObject({ tenant: 'acme', integration: 'shop', lang: 'en' });
    expect(t.connections.saves[0]?.clientSecret?.reveal()).toBe(SECRET);
    expect(t.connections.callers.at(-1)).toMatchObject({
      by: 'ops@acme.test',
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect((await call(t, 'GET', `${PATH}/shop`, { auth })).json().data).toEqual(answer.json().data);
  });

  it('makes the id when the client made none', async () => {
    const { data } = (await save(basic)).json();
    expect(data.id).toMatch(/^in_[a-z2-7]{26}$/);
  });

  it('hands the consent link of a code grant over at once, and the redirect URI to register', async () => {
    const answer = await save(code, { id: 'shop-code' });
    const { data, included } = answer.json();
    expect(answer.statusCode).toBe(201);
    expect(data.relationships.consent_link.data).toEqual({ type: 'consent-link', id: included[0].id });
    expect(included[0].attributes.url).toMatch(/^https:\/\/connect\.test\/oauth\/start\/[\w-]{43}$/);
    expect(data.attributes.redirect_uri).toBe(`${CALLBACK}/acme.shop-code`);
  });

  it('answers 409 for an id that is taken, before anything is sent', async () => {
    await save(basic, { id: 'taken' });
    t.connections.saves.length = 0;
    const answer = await save(basic, { id: 'taken' });
    expect([answer.statusCode, answer.json().errors[0].source.pointer]).toEqual([409, '/data/id']);
    expect(t.connections.saves).toEqual([]);
  });

  it('never shows a secret again', async () => {
    const answers = [await save(basic, { id: 'quiet' }), await save(pasted, { id: 'quiet-rt' })];
    answers.push(await call(t, 'GET', `${PATH}/quiet`, { auth }), await call(t, 'GET', PATH, { auth }));
    answers.push(await save({ ...basic, client_secret: `${SECRET}\n` }), await save({ ...basic, misspelt: SECRET }));
    const seen = [...answers.map(({ body, headers }) => JSON.stringify(headers) + body), ...t.logged].join('\n');
    expect(findCanaries(seen, [SECRET, REFRESH_TOKEN])).toEqual([]);
  });
});

describe('what is wrong with a draft is said with a pointer, and nothing is stored', () => {
  it.each(['password', 'implicit', 'client', '', 7])('000-02 grant type %s is refused', async (grant_type) => {
    await expectRefused({ ...basic, grant_type }, 422, { code: 'MEMBER_INVALID', pointer: at('grant_type') });
  });

  it('000-02 the three grant types are accepted', async () => {
    for (const draft of [basic, code, pasted]) expect((await save(draft)).statusCode).toBe(201);
  });

  it('000-31 there is no password grant, and no member for a password', async () => {
    await expectRefused({ ...basic, grant_type: 'password' }, 422, {
      code: 'MEMBER_INVALID',
      pointer: at('grant_type'),
    });
    for (const name of ['username', 'password']) {
      await expectRefused({ ...basic, [name]: 'x' }, 422, { code: 'MEMBER_INVALID', pointer: at(name) });
    }
  });

  it('000-04 a label is required, is not blank, and is shown in the list', async () => {
    await expectRefused(without(basic, 'label'), 422, { code: 'MEMBER_MISSING', pointer: at('label') });
    await expectRefused({ ...basic, label: ' \t ' }, 422, { code: 'MEMBER_INVALID', pointer: at('label') });
    await save({ ...basic, label: 'Salesforce Production Integration' });
    const { data } = (await call(t, 'GET', PATH, { auth })).json();
    expect(data.map((one: { attributes: Attributes }) => one.attributes['label'])).toContain(
      'Salesforce Production Integration',
    );
  });

  it.each([
    '/token',
    'shop.test/token',
    '//shop.test/token',
    'http://shop.test/token',
    'ftp://shop.test',
    'https:shop.test',
  ])('000-05 the token URL %s is refused', async (token_url) => {
    await expectRefused({ ...basic, token_url }, 422, { code: 'MEMBER_INVALID', pointer: at('token_url') });
  });

  it('000-05 the token URL is required', async () => {
    await expectRefused(without(basic, 'token_url'), 422, { code: 'MEMBER_MISSING', pointer: at('token_url') });
  });

  it('000-06 the client id is required', async () => {
    await expectRefused(without(basic, 'client_id'), 422, { code: 'MEMBER_MISSING', pointer: at('client_id') });
    await expectRefused({ ...basic, client_id: '' }, 422, { code: 'MEMBER_INVALID', pointer: at('client_id') });
  });

  it('000-08 a code grant needs a scope unless its preset has a default; client credentials need none', async () => {
    await expectRefused(without(code, 'scope'), 422, { code: 'MEMBER_MISSING', pointer: at('scope') });
    await expectRefused({ ...code, scope: ' , ' }, 422, { code: 'MEMBER_MISSING', pointer: at('scope') });
    const preset = {
      label: 'CRM',
      grant_type: 'authorization_code',
      preset: 'crm',
      client_id: 'a',
      client_secret: SECRET,
    };
    expect((await save(preset)).json().data.attributes.scope).toBe('contacts.read');
    expect((await save(basic)).statusCode).toBe(201);
  });

  it('takes a scope typed with commas (C28)', async () => {
    const { data } = (await save({ ...code, scope: 'read, write,api_access' })).json();
    expect(data.attributes.scope).toBe('read write api_access');
  });

  it('000-12 a code grant needs an authorization URL', async () => {
    const draft = without(code, 'authorization_url');
    await expectRefused(draft, 422, { code: 'MEMBER_MISSING', pointer: at('authorization_url') });
  });

  it.each([
    '/v1',
    'http://api.shop.test',
    'https://127.0.0.1/v1',
    'https://localhost/v1',
    'https://10.1.2.3',
    'https://169.254.169.254/',
    'https://[::1]/',
    'https://[fd00:ec2::254]/',
    'https://[::ffff:10.0.0.1]/',
    'https://0x7f000001/',
    'https://2130706433/',
    'https://100.100.100.200',
    'https://user@api.shop.test/',
    'https://api.shop.test\\@evil.test/',
    'https://api.shop.test/#x',
  ])('000-35 the API base URL %s is refused', async (api_base_url) => {
    await expectRefused({ ...basic, api_base_url }, 422, { code: 'MEMBER_INVALID', pointer: at('api_base_url') });
  });

  it('000-35 the API base URL is required, unless the preset has one', async () => {
    await expectRefused(without(basic, 'api_base_url'), 422, { code: 'MEMBER_MISSING', pointer: at('api_base_url') });
    const preset = {
      label: 'CRM',
      grant_type: 'client_credentials',
      preset: 'crm',
      client_id: 'a',
      client_secret: SECRET,
    };
    expect((await save(preset)).json().data.attributes.api_base_url).toBe('https://api.crm.test/v1');
  });

  it.each([
    ['grant_type', basic],
    ['client_secret', basic],
    ['client_secret', code],
    ['refresh_token', pasted],
  ])('000-36 %s is required', async (name, draft) => {
    await expectRefused(without(draft, name), 422, { code: 'MEMBER_MISSING', pointer: at(name) });
  });

  it('000-36 a client without authentication needs no secret', async () => {
    const answer = await save({ ...without(code, 'client_secret'), client_auth: 'none' });
    expect(answer.statusCode).toBe(201);
    expect(t.connections.saves.at(-1)?.clientSecret).toBeUndefined();
  });

  it.each(['***', '••••', ' **** ', '[secret]'])('the mask %s is not taken for a secret', async (mask) => {
    await expectRefused({ ...basic, client_secret: mask }, 400, {
      code: 'SECRET_MASKED',
      pointer: at('client_secret'),
    });
    await expectRefused({ ...pasted, refresh_token: mask }, 400, {
      code: 'SECRET_MASKED',
      pointer: at('refresh_token'),
    });
  });

  it('an unknown preset and an unknown member are refused', async () => {
    await expectRefused({ ...basic, preset: 'nope' }, 422, { code: 'MEMBER_INVALID', pointer: at('preset') });
    await expectRefused({ ...basic, policy: { fallbak: 'skip' } }, 422, {
      code: 'MEMBER_INVALID',
      pointer: '/data/attributes/policy/fallbak',
    });
  });

  it('all problems are said at once', async () => {
    const answer = await save({ label: '', grant_type: 'authorization_code', client_secret: '***' });
    const pointers = answer.json().errors.map((error: { source: { pointer: string } }) => error.source.pointer);
    expect([answer.statusCode, pointers.sort()]).toEqual([400, [at('client_secret'), at('label')]]);
  });

  it('a document of another type is a conflict, one that is none cannot be read', async () => {
    const other = await call(t, 'POST', PATH, { auth, body: { data: { type: 'component', attributes: basic } } });
    expect([other.statusCode, other.json().errors[0].source.pointer]).toEqual([409, '/data/type']);
    const untyped = await call(t, 'POST', PATH, { auth, body: { data: { attributes: basic } } });
    expect([untyped.statusCode, untyped.json().errors[0].code]).toEqual([400, 'MEMBER_MISSING']);
    const none = await call(t, 'POST', PATH, { auth });
    expect([none.statusCode, none.json().errors[0].code]).toEqual([400, 'SYNTAX_INVALID']);
  });
});

describe('the redirect URI', () => {
  const own = (redirect_uri: string): Attributes => ({ ...code, redirect_uri });

  it('003-11 is the base for constant endpoints, the base with a context for typed ones, and nothing else', async () => {
    const preset = {
      label: 'CRM',
      grant_type: 'authorization_code',
      preset: 'crm',
      client_id: 'a',
      client_secret: SECRET,
    };
    expect((await save({ ...preset, redirect_uri: CALLBACK })).json().data.attributes.redirect_uri).toBe(CALLBACK);
    const edited = (await save({ ...preset, token_url: 'https://other.test/token' }, { id: 'edited' })).json();
    expect(edited.data.attributes.redirect_uri).toBe(`${CALLBACK}/acme.edited`);
    expect((await save(own(`${CALLBACK}/acme.typed`), { id: 'typed' })).statusCode).toBe(201);
    for (const wrong of [CALLBACK, `${CALLBACK}/acme.typed2/`, 'https://evil.test/callback']) {
      const answer = await save(own(wrong), { id: 'typed2' });
      expect([answer.statusCode, answer.json().errors[0]]).toMatchObject([
        422,
        {
          code: 'REDIRECT_URI_NOT_OFFERED',
          source: { pointer: at('redirect_uri') },
          meta: { expected: `${CALLBACK}/acme.typed2` },
        },
      ]);
    }
  });
});

describe('grants of a connection', () => {
  it('003-02 both grants can be configured, and m2m is an alias of client credentials', async () => {
    const { data } = (await save({ ...basic, grant_type: 'm2m' })).json();
    expect(data.attributes.grant_type).toBe('client_credentials');
    expect((await save(code)).json().data.attributes.grant_type).toBe('authorization_code');
  });

  it('003-10 an own client needs both id and secret', async () => {
    await expectRefused(without(code, 'client_id'), 422, { code: 'MEMBER_MISSING', pointer: at('client_id') });
    await expectRefused(without(code, 'client_secret'), 422, { code: 'MEMBER_MISSING', pointer: at('client_secret') });
  });

  it.each([
    ['Client Credentials', basic, 'client_credentials'],
    ['client-credentials', basic, 'client_credentials'],
    ['M2M', basic, 'client_credentials'],
    ['AuthorizationCode', code, 'authorization_code'],
    ['REFRESH_TOKEN', pasted, 'refresh_token'],
  ])('%s is taken as people write it', async (grant_type, draft, type) => {
    expect((await save({ ...draft, grant_type })).json().data.attributes.grant_type).toBe(type);
  });

  it('003-12 client credentials have nobody to ask: no link is made, and none can be', async () => {
    const answer = await save(basic, { id: 'machine' });
    expect(answer.json().included).toBeUndefined();
    expect(answer.body).not.toContain('/oauth/start/');
    const link = await call(t, 'POST', '/v2/tenants/acme/connections/cn_machine/consent-links', { auth });
    expect(link.statusCode).toBe(422);
  });
});

describe('the outcome of a save', () => {
  it('is 202 with Location and Retry-After while it runs, and so is reading it', async () => {
    t.connections.outcome = { kind: 'running' };
    const answer = await save(basic, { id: 'slow' });
    expect(answer.statusCode).toBe(202);
    expect(answer.headers).toMatchObject({ location: `${PATH}/slow`, 'retry-after': '5' });
    t.connections.status = { kind: 'running' };
    expect((await call(t, 'GET', `${PATH}/slow`, { auth })).statusCode).toBe(202);
  });

  it("is the provider's refusal in words, in the language asked for", async () => {
    t.connections.outcome = { kind: 'failed', code: 'CLIENT_REJECTED', oauthError: 'invalid_client' };
    const [english, spanish] = [await save(basic), await save(basic, {}, { 'accept-language': 'es-MX,en;q=0.5' })];
    expect([english.statusCode, english.json().errors[0]]).toMatchObject([
      422,
      {
        status: '422',
        code: 'CLIENT_REJECTED',
        title: 'Client ID or secret not accepted',
        detail: expect.stringContaining('Shop does not accept the client ID or client secret of "Shop".'),
        meta: { oauth_error: 'invalid_client', trace_id: expect.any(String) },
      },
    ]);
    expect(spanish.json().errors[0].title).toBe('ID o secreto de cliente no aceptado');
  });

  it('is 422 for a pasted refresh token that the provider refuses, 409 for one that is saved already', async () => {
    t.connections.outcome = { kind: 'failed', code: 'GRANT_REFUSED', oauthError: 'invalid_grant' };
    expect((await save(pasted)).statusCode).toBe(422);
    t.connections.outcome = { kind: 'failed', code: 'ALREADY_EXISTS' };
    expect((await save(pasted)).statusCode).toBe(409);
  });

  it('is 503 with Retry-After when the provider is down or asks for patience', async () => {
    t.connections.outcome = { kind: 'failed', code: 'PROVIDER_UNREACHABLE' };
    expect((await save(basic)).headers['retry-after']).toBe('10');
    t.connections.outcome = { kind: 'failed', code: 'RATE_LIMITED', retryAfterSeconds: 77 };
    const limited = await save(basic);
    expect([limited.statusCode, limited.headers['retry-after']]).toEqual([503, '77']);
  });

  it('is 409 while the same integration is being saved, 503 while Temporal does not answer', async () => {
    t.connections.outcome = new DurableOAuthError('SAVE_IN_PROGRESS');
    expect((await save(basic)).statusCode).toBe(409);
    t.connections.outcome = new DurableOAuthError('TEMPORAL_UNAVAILABLE');
    expect((await save(basic)).statusCode).toBe(503);
  });

  it('of a failed save is told by its Location; what never was is 404', async () => {
    t.connections.status = { kind: 'failed', code: 'CLIENT_REJECTED' };
    const failed = await call(t, 'GET', `${PATH}/gone`, { auth });
    expect([failed.statusCode, failed.json().errors[0].code]).toEqual([422, 'CLIENT_REJECTED']);
    t.connections.status = undefined;
    expect((await call(t, 'GET', `${PATH}/gone`, { auth })).statusCode).toBe(404);
  });
});
