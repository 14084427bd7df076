/** The routes of elastic.io's components: what they answer, and to whom. */
import { DurableOAuthError } from '../../src/errors';
import { findCanaries } from '../../src/testing/canary';
import { settings } from '../support/settings';
import { ACCESS_TOKEN, call, seedConnection, startTestApp, type TestApp } from './support';

const SECRET = '/v2/workspaces/acme/secrets/cn_crm';
const AT = { issuer: 'https://crm.test', apiUrl: 'https://api.crm.test/services/v1' };

let t: TestApp;
let auth: string;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
  await seedConnection(t.registry, { tenant: 'acme', integration: 'crm', settings: settings(AT) }, 'cn_crm');
  const consent = settings(AT, { grant_type: 'authorization_code' });
  await seedConnection(t.registry, { tenant: 'acme', integration: 'new', settings: consent }, 'cn_new');
});
afterAll(() => t.stop());
beforeEach(() => {
  t.tokens.generation = 3;
  t.tokens.failure = undefined;
  t.connections.asked.length = 0;
  t.connections.fresh = {};
});

const basic = (): string => `Basic ${Buffer.from(`ops@acme.test:${auth.slice('Bearer '.length)}`).toString('base64')}`;
const get = (url = SECRET, key = basic()) => call(t, 'GET', url, { auth: key });
const refresh = (url = SECRET, key = basic()) => call(t, 'POST', `${url}/refresh`, { auth: key, body: {} });

it.each([
  ['read', get],
  ['refreshed', refresh],
])('a secret that is %s holds the access token and where to use it, and nothing longer lived', async (_how, ask) => {
  const answer = await ask();
  expect([answer.statusCode, answer.headers['cache-control']]).toEqual([200, 'no-store']);
  expect(answer.json()).toEqual({
    data: {
      type: 'secret',
      id: 'cn_crm',
      attributes: {
        name: 'Shop',
        type: 'oauth2',
        state: 'ready',
        credentials: {
          access_token: ACCESS_TOKEN,
          token_type: 'Bearer',
          expires_in: expect.any(Number),
          scope: '',
          undefined_params: { instance_url: 'https://api.crm.test' },
        },
      },
      relationships: { workspace: { data: { type: 'workspace', id: 'acme' } } },
    },
  });
  const left = Date.parse('2030-01-01T00:00:00.000Z') / 1000 - answer.json().data.attributes.credentials.expires_in;
  expect(Number.isInteger(answer.json().data.attributes.credentials.expires_in)).toBe(true);
  expect(Math.abs(left - Date.now() / 1000)).toBeLessThan(60);
});

it('a refresh asks for a newer token than the newest, accuses none, and needs no body', async () => {
  t.connections.fresh = { generation: 4 };
  const answer = await call(t, 'POST', `${SECRET}/refresh`, { auth });
  expect(t.connections.asked).toMatchObject([
    { ref: { tenant: 'acme', connection: 'cn_crm' }, ask: { why: 'asked' }, caller: { by: 'ops@acme.test' } },
  ]);
  expect(answer.json().data.attributes.credentials.access_token).toBe(`${ACCESS_TOKEN}.4`);
});

it.each([
  ['CONSENT_NEEDED', get],
  ['NOT_CONNECTED', get],
  ['CONSENT_NEEDED', refresh],
] as const)('what needs somebody (%s) is told in words, without a token', async (code, ask) => {
  t.tokens.failure = new DurableOAuthError(code);
  const waiting = (await ask('/v2/workspaces/acme/secrets/cn_new')).json().data.attributes;
  expect(waiting).toEqual({
    name: 'Shop',
    type: 'oauth2',
    state: 'error',
    error: expect.stringMatching(/^\w.+\. \w.+\.$/),
    credentials: { scope: '', undefined_params: { instance_url: 'https://api.crm.test' } },
  });
  // The row lags behind what the reader was told.
  const { error } = (await ask()).json().data.attributes;
  expect(error).toMatch(/^The connection (waits for consent|does not work at present)$/);
});

it.each([
  ['TOKEN_NOT_FRESH', 503],
  ['VAULT_UNAVAILABLE', 503],
] as const)('what passes by itself is %s as %i, which components try again', async (code, status) => {
  t.tokens.failure = new DurableOAuthError(code);
  for (const answer of [await get(), await refresh()]) {
    expect([answer.statusCode, answer.json().errors[0].code]).toEqual([status, code]);
    expect(answer.headers['retry-after']).toBeDefined();
  }
});

it('Temporal is not asked for a connection that was revoked', async () => {
  await seedConnection(t.registry, { tenant: 'acme', integration: 'old', settings: settings(AT) }, 'cn_old');
  const event = { type: 'connection.frozen', by: 'ops@acme.test', traceId: 'test' };
  await t.registry.connections.freeze({ tenant: 'acme', connection: 'cn_old' }, event);
  t.tokens.failure = new DurableOAuthError('NOT_CONNECTED');
  const answer = await refresh('/v2/workspaces/acme/secrets/cn_old');
  expect([answer.statusCode, answer.json().data.attributes.state]).toEqual([200, 'error']);
  expect(t.connections.asked).toEqual([]);
});

it('a secret that is not there is 404, and so is one of another workspace', async () => {
  await t.bearer('other');
  t.tokens.failure = new DurableOAuthError('NOT_FOUND');
  for (const url of ['/v2/workspaces/acme/secrets/cn_none', '/v2/workspaces/other/secrets/cn_crm']) {
    expect([(await get(url)).statusCode, (await refresh(url)).statusCode]).toEqual([404, 404]);
  }
});

it('both need the permission to read tokens, and leave an event of who read which generation', async () => {
  const others = await t.bearer('acme', 'tenants.connections.get', 'tenants.connections.refresh');
  expect([(await get(SECRET, others)).statusCode, (await refresh(SECRET, others)).statusCode]).toEqual([403, 403]);
  const readings = async () => {
    const events = await t.registry.events.list('acme', 'cn_crm', { size: 100 });
    expect(findCanaries(JSON.stringify(events), [ACCESS_TOKEN])).toEqual([]);
    return events.filter(({ type }) => type === 'access_token.read');
  };
  const before = (await readings()).length;
  await get();
  await refresh();
  const after = await readings();
  expect(after).toHaveLength(before + 2);
  expect(after.at(-1)).toMatchObject({ by: 'ops@acme.test', facts: { generation: 3 } });
});

it('no token leaves when its reading cannot be recorded', async () => {
  const append = jest.spyOn(t.registry.events, 'append');
  append.mockRejectedValue(new DurableOAuthError('REGISTRY_UNAVAILABLE'));
  const answers = [await get(), await refresh()];
  append.mockRestore();
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([503, 503]);
  expect(findCanaries(answers.map(({ body }) => body).join(''), [ACCESS_TOKEN])).toEqual([]);
});
