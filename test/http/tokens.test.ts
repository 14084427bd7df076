import { DurableOAuthError } from '../../src/errors';
import { OAuthFailure } from '../../src/oauth/failure';
import { TOKEN_BEARING_ROUTES } from '../../src/http/routes/access-token';
import { findCanaries } from '../../src/testing/canary';
import { settings } from '../support/settings';
import { ACCESS_TOKEN, call, seedConnection, startTestApp, type TestApp } from './support';

const CONNECTION = '/v2/tenants/acme/connections/cn_crm';
const SECRET = '/v2/workspaces/acme/secrets/cn_crm';
const AT = { issuer: 'https://crm.test', apiUrl: 'https://api.crm.test/v1' };

let t: TestApp;
let auth: string;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
  await seedConnection(t.registry, { tenant: 'acme', integration: 'crm', settings: settings(AT) }, 'cn_crm');
});
afterAll(() => t.stop());
beforeEach(() => {
  t.api.sent.length = 0;
  t.api.answers = [];
  t.tokens.generation = 3;
  t.tokens.failure = undefined;
});

const request = (attributes: Record<string, unknown>) =>
  call(t, 'POST', `${CONNECTION}/requests`, { auth, body: { data: { type: 'request', attributes } } });

describe('the access token', () => {
  const read = (key = auth) => call(t, 'GET', `${CONNECTION}/access-token`, { auth: key });

  it('000-09 is returned together with the API base URL to use it at', async () => {
    const answer = await read();
    expect(answer.statusCode).toBe(200);
    expect(answer.json().data).toEqual({
      type: 'access-token',
      id: 'cn_crm',
      attributes: {
        access_token: ACCESS_TOKEN,
        token_type: 'Bearer',
        expires_at: '2030-01-01T00:00:00.000Z',
        api_base_url: 'https://api.crm.test/v1',
      },
    });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('needs a permission of its own', async () => {
    const others = await t.bearer(
      'acme',
      'tenants.connections.get',
      'tenants.connections.request',
      'tenants.integrations.*',
    );
    expect((await read(others)).statusCode).toBe(403);
    expect((await read(await t.bearer('acme', 'tenants.connections.get_token'))).statusCode).toBe(200);
  });

  it('leaves an event that says who read which generation, and nothing of the token', async () => {
    await read();
    const events = await t.registry.events.list('acme', 'cn_crm', { size: 100 });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'access_token.read', by: 'ops@acme.test', facts: { generation: 3 } }),
    );
    expect(findCanaries(JSON.stringify(events), [ACCESS_TOKEN])).toEqual([]);
  });

  it('is not handed out when its reading cannot be recorded', async () => {
    const append = jest
      .spyOn(t.registry.events, 'append')
      .mockRejectedValueOnce(new DurableOAuthError('REGISTRY_UNAVAILABLE'));
    const answer = await read();
    append.mockRestore();
    expect([answer.statusCode, findCanaries(answer.body, [ACCESS_TOKEN])]).toEqual([503, []]);
  });

  it.each([
    ['NOT_FOUND', 404],
    ['CONSENT_NEEDED', 409],
    ['NOT_CONNECTED', 409],
    ['TOKEN_NOT_FRESH', 503],
    ['VAULT_UNAVAILABLE', 503],
  ] as const)('is refused with %s as %i', async (code, status) => {
    t.tokens.failure = new DurableOAuthError(code);
    const answer = await read();
    expect([answer.statusCode, answer.json().errors[0].code]).toEqual([status, code]);
    expect(answer.headers['retry-after'] !== undefined).toBe(status === 503);
  });

  it('is rate limited per API key', async () => {
    const [greedy, modest] = [await t.bearer('acme', 'tenants.*'), await t.bearer('acme', 'tenants.*')];
    const statuses = new Set<number>();
    for (let n = 0; n < 121; n++) statuses.add((await read(greedy)).statusCode);
    expect([...statuses]).toEqual([200, 429]);
    const refused = await read(greedy);
    expect([refused.json().errors[0].code, Number(refused.headers['retry-after'])]).toEqual([
      'TOO_MANY_REQUESTS',
      expect.any(Number),
    ]);
    expect((await read(modest)).statusCode).toBe(200);
  });
});

describe('an authorised request', () => {
  it('goes below the API base URL with the token, and comes back without', async () => {
    const answer = await request({
      method: 'POST',
      path: '/orders',
      query: { since: 7, tag: ['a', 'b'] },
      headers: { 'X-Flow': 'f1' },
      body: { a: 1 },
      idempotency_key: 'k-1',
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().data).toMatchObject({ type: 'request', attributes: { status: 200, body: { ok: true } } });
    expect(t.api.sent).toEqual([
      {
        token: ACCESS_TOKEN,
        request: expect.objectContaining({
          method: 'POST',
          url: 'https://api.crm.test/v1/orders?since=7&tag=a&tag=b',
          headers: { 'content-type': 'application/json', 'x-flow': 'f1', 'idempotency-key': 'k-1' },
          body: '{"a":1}',
        }),
      },
    ]);
  });

  it('never lets a header of the caller win over the token, the host or the cookies', async () => {
    await request({ path: '/orders', headers: { Authorization: 'Bearer mine', Cookie: 'a=b', HOST: 'evil.test' } });
    expect(t.api.sent[0]?.request.headers).toEqual({});
  });

  it.each([
    'https://evil.test/',
    '//evil.test/x',
    '/../../admin',
    '/orders/..%2f..%2fadmin',
    '/\\evil.test',
    'https://api.crm.test/v2',
  ])('to %s is refused, and no byte is sent', async (path) => {
    const answer = await request({ path });
    expect([answer.statusCode, t.api.sent]).toEqual([422, []]);
    expect(answer.json().errors).toMatchObject([
      { code: 'ORIGIN_NOT_ALLOWED', source: { pointer: '/data/attributes/path' } },
    ]);
  });

  it.each([
    ['x bad', 'v', 'x bad'],
    ['x/~', 'v', 'x~1~0'],
    ['x-flow', 'a\r\nHost: evil.test', 'x-flow'],
    ['x-flow', 'snow \u2603', 'x-flow'],
  ])('with a header that HTTP does not take (%j: %j) is refused and named, and no byte is sent', async (...given) => {
    const [name, value, member] = given;
    const answer = await request({ path: '/orders', headers: { good: 'yes', [name]: value } });
    expect([answer.statusCode, t.api.sent]).toEqual([422, []]);
    expect(answer.json().errors).toMatchObject([
      { code: 'MEMBER_INVALID', source: { pointer: `/data/attributes/headers/${member}` } },
    ]);
  });

  it('passes the answer of the API on, whatever its status, and no cookies', async () => {
    t.api.answers = [
      { status: 404, headers: { 'content-type': 'text/plain', 'set-cookie': 'sid=1' }, body: 'no such order' },
    ];
    const { attributes } = (await request({ path: '/orders/9' })).json().data;
    expect(attributes).toEqual({ status: 404, headers: { 'content-type': 'text/plain' }, body: 'no such order' });
  });

  const refusal = { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' }, body: '' };

  it('that the API refuses for the token is repeated once under the next one', async () => {
    t.api.answers = [refusal];
    expect((await request({ path: '/orders' })).json().data.attributes.status).toBe(200);
    expect(t.api.sent.map(({ token }) => token)).toEqual([ACCESS_TOKEN, `${ACCESS_TOKEN}.4`]);
    t.api.sent.length = 0;
    t.api.answers = [refusal, refusal];
    expect((await request({ path: '/orders' })).json().data.attributes.status).toBe(401);
    expect(t.api.sent).toHaveLength(2);
  });

  it('is not repeated when it writes without a key, or was refused for another reason', async () => {
    t.api.answers = [refusal];
    await request({ method: 'POST', path: '/orders' });
    t.api.answers = [{ ...refusal, headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' } }];
    await request({ path: '/orders' });
    expect(t.api.sent).toHaveLength(2);
  });

  const lost = new OAuthFailure('Calling the API', { class: 'AMBIGUOUS', code: 'PROVIDER_UNREACHABLE', sent: true });
  const unsent = new OAuthFailure('Calling the API', { class: 'TRANSIENT', code: 'PROVIDER_UNREACHABLE', sent: false });

  it.each([
    ['a write whose answer was lost', { method: 'POST', path: '/orders' }, lost, 502, 'REQUEST_OUTCOME_UNKNOWN'],
    ['a write that was never sent', { method: 'POST', path: '/orders' }, unsent, 503, 'PROVIDER_UNREACHABLE'],
    [
      'a write with a key',
      { method: 'POST', path: '/orders', idempotency_key: 'k' },
      lost,
      503,
      'PROVIDER_UNREACHABLE',
    ],
    ['a read', { path: '/orders' }, lost, 503, 'PROVIDER_UNREACHABLE'],
  ])('%s is told apart from the others', async (_what, attributes, failure, status, code) => {
    t.api.answers = [failure];
    const answer = await request(attributes);
    expect([answer.statusCode, answer.json().errors[0].code]).toEqual([status, code]);
  });

  it('whose answer is withheld because it repeats the token says so', async () => {
    const facts = { class: 'BLOCKED', code: 'ANSWER_CARRIES_TOKEN', sent: true, httpStatus: 200 } as const;
    t.api.answers = [new OAuthFailure('Calling the API', facts)];
    const answer = await request({ path: '/echo' });
    expect([answer.statusCode, answer.json().errors[0].code]).toEqual([502, 'ANSWER_CARRIES_TOKEN']);
  });
});

it('no answer but those of the token bearing routes holds a token, and no log line does', async () => {
  const gets = [
    '/v2/tenants/acme/integrations',
    '/v2/tenants/acme/integrations/crm',
    '/v2/tenants/acme/connections',
    CONNECTION,
  ];
  const answers = await Promise.all([
    ...gets.map((url) => call(t, 'GET', url, { auth })),
    call(t, 'POST', `${CONNECTION}/revocations`, { auth }),
    request({ path: '/orders' }),
    call(t, 'GET', `${CONNECTION}/access-token`, { auth }),
    call(t, 'GET', SECRET, { auth }),
    call(t, 'POST', `${SECRET}/refresh`, { auth }),
  ]);
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(answers.map(() => 200));
  const holding = answers.filter(
    ({ body, headers }) => findCanaries(body + JSON.stringify(headers), [ACCESS_TOKEN]).length > 0,
  );
  expect(holding.map(({ raw }) => raw.req.url)).toEqual(
    TOKEN_BEARING_ROUTES.map((path) => path.replace(':tenant', 'acme').replace(':id', 'cn_crm')),
  );
  expect(findCanaries(t.logged.join(''), [ACCESS_TOKEN, auth.replace('Bearer ', '')])).toEqual([]);
});
