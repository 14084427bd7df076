import type { LightMyRequestResponse } from 'fastify';
import { call, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/integrations';
let t: TestApp;
let auth: string;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
});
afterAll(() => t.stop());

const basic = (email: string, key: string): string => `Basic ${Buffer.from(`${email}:${key}`).toString('base64')}`;
const keyIn = (header: string): string => header.replace('Bearer ', '');
const typeOf = ({ headers }: LightMyRequestResponse) => String(headers['content-type']).split(';')[0];
const document = { data: { type: 'integration', attributes: {} } };

describe('who calls', () => {
  it('002-33 is told by HTTP Basic email:apikey; without, or with a wrong one, the answer is 401 and names the schemes', async () => {
    const own = basic('ops@acme.test', keyIn(auth));
    expect((await call(t, 'GET', PATH, { auth: own })).statusCode).toBe(200);
    const other = keyIn(await t.bearer('other', 'tenants.*'));
    const wrong = [
      undefined,
      'Bearer',
      'Bearer nonsense',
      `Bearer ${keyIn(auth).slice(0, -1)}`,
      `Digest ${keyIn(auth)}`,
      basic('ops@acme.test', ''),
      basic('ops@acme.test', `${keyIn(auth).slice(0, 16)}${'A'.repeat(43)}`),
      basic('someone.else@acme.test', keyIn(auth)),
      basic('ops@acme.test', other),
    ];
    for (const header of wrong) {
      const answer = await call(t, 'GET', PATH, { auth: header });
      expect([header, answer.statusCode, answer.json().errors[0].code]).toEqual([header, 401, 'UNAUTHENTICATED']);
      expect(answer.headers['www-authenticate']).toEqual([
        expect.stringMatching(/^Basic realm=/),
        expect.stringMatching(/^Bearer realm=/),
      ]);
    }
  });

  it('is told by Bearer as well, in any case of the scheme', async () => {
    expect((await call(t, 'GET', PATH, { auth: `bearer ${keyIn(auth)}` })).statusCode).toBe(200);
  });

  it('has no access to another tenant, which looks as one that is not there', async () => {
    await t.bearer('other', 'tenants.*');
    const answers = await Promise.all(
      ['other', 'never-was', 'ACME', 'acme%00'].map((tenant) =>
        call(t, 'GET', `/v2/tenants/${tenant}/integrations`, { auth }),
      ),
    );
    const bodies = answers.map(({ statusCode, body }) => [statusCode, body.replace(/[0-9a-f]{32}/, 'trace')]);
    expect(new Set(bodies.map(String)).size).toBe(1);
    expect(answers[0]?.statusCode).toBe(404);
  });

  it('is refused with 403 without the permission of the route, before the body is read', async () => {
    const reader = await t.bearer('acme', 'tenants.integrations.get', 'tenants.connections.*');
    expect((await call(t, 'GET', PATH, { auth: reader })).statusCode).toBe(200);
    const create = await call(t, 'POST', PATH, {
      auth: reader,
      headers: { 'content-type': 'text/html' },
      body: document,
    });
    expect([create.statusCode, create.json().errors[0].code]).toEqual([403, 'FORBIDDEN']);
  });
});

describe('media types', () => {
  const post = (type: string, payload = JSON.stringify(document)) =>
    t.app.inject({ method: 'POST', url: PATH, headers: { authorization: auth, 'content-type': type }, payload });

  it('002-34 JSON and JSON:API say the same, and every other one is 415', async () => {
    const [json, jsonApi] = [await post('application/json'), await post('application/vnd.api+json')];
    const errors = (answer: typeof json) =>
      answer.json().errors.map(({ meta: _meta, ...error }: { meta: unknown }) => error);
    expect([json.statusCode, errors(json)]).toEqual([jsonApi.statusCode, errors(jsonApi)]);
    expect(json.statusCode).toBe(422);
    expect((await post('application/json; charset=utf-8')).statusCode).toBe(422);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/xml',
      'multipart/form-data; boundary=x',
    ]) {
      expect([type, (await post(type)).statusCode]).toEqual([type, 415]);
    }
    expect((await post('application/vnd.api+json; charset=utf-8')).statusCode).toBe(415);
  });

  it.each([
    [{ accept: 'application/json' }, 'application/json'],
    [{ accept: 'application/vnd.api+json' }, 'application/vnd.api+json'],
    [{ accept: 'text/html, application/json;q=0.9' }, 'application/json'],
    [{ accept: '*/*', 'content-type': 'application/json' }, 'application/json'],
    [{}, 'application/vnd.api+json'],
  ])('asked for by %j, the answer is %s', async (headers, type) => {
    const answer = await call(t, 'GET', PATH, { auth, headers });
    expect(typeOf(answer)).toBe(type);
    expect(answer.headers['cache-control']).toBe('no-store');
    const refused = await call(t, 'GET', PATH, { headers });
    expect(typeOf(refused)).toBe(type);
  });

  it('JSON:API answers carry no charset parameter, which the media type does not know', async () => {
    const answer = await call(t, 'GET', PATH, { auth });
    expect(answer.headers['content-type']).toBe('application/vnd.api+json');
  });

  it.each([
    ['{"data":', 400],
    ['{"__proto__":{"x":1},"data":{}}', 400],
    [JSON.stringify({ data: 'x'.repeat(70_000) }), 413],
  ])('the body %.20s is refused', async (payload, status) => {
    expect((await post('application/json', payload)).statusCode).toBe(status);
  });
});

describe('an answer that is a failure', () => {
  it('names its trace, which is the one the caller sent', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const answer = await call(t, 'GET', '/v2/tenants/acme/nothing', {
      headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    });
    expect([answer.statusCode, answer.json().errors[0].meta.trace_id]).toEqual([404, trace]);
  });

  it('says nothing foreign when something unexpected breaks, neither to the caller nor to the log', async () => {
    const find = jest
      .spyOn(t.registry.integrations, 'list')
      .mockRejectedValueOnce(new Error('password=hunter2-canary'));
    const answer = await call(t, 'GET', PATH, { auth });
    find.mockRestore();
    expect([answer.statusCode, answer.json().errors[0]]).toMatchObject([
      500,
      { code: 'INTERNAL', title: 'A defect of ours' },
    ]);
    expect(answer.body + t.logged.join('')).not.toContain('hunter2');
    expect(t.logged.some((line) => line.includes('unexpected failure'))).toBe(true);
  });
});

describe('what anybody may read', () => {
  it('is health, readiness and the public parts of the workers’ keys', async () => {
    expect((await call(t, 'GET', '/healthz')).json()).toEqual({ status: 'ok' });
    expect((await call(t, 'GET', '/readyz')).statusCode).toBe(200);
    const keys = await call(t, 'GET', '/.well-known/jwks.json');
    expect(keys.json()).toEqual({ keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'ek_1' }] });
  });
});

describe('what no route answers', () => {
  it('is 405 with Allow where another method is answered, and 404 elsewhere', async () => {
    const wrong = await call(t, 'PUT', PATH, { auth });
    expect([wrong.statusCode, wrong.headers.allow, wrong.json().errors[0].code]).toEqual([
      405,
      'GET, HEAD, POST',
      'METHOD_NOT_ALLOWED',
    ]);
    // Whatever is in the body: nobody reads it.
    const odd = { body: {}, headers: { 'content-type': 'text/html' } };
    expect((await call(t, 'PUT', PATH, { auth, ...odd })).statusCode).toBe(405);
    const unknown = await call(t, 'PUT', `${PATH}/a/b`, { auth, ...odd });
    expect([unknown.statusCode, unknown.headers['x-content-type-options']]).toEqual([404, 'nosniff']);
  });
});

it.each(['filter[tenant_id]=%00', 'filter[tenant_id]=a&filter[tenant_id]=%07', '%00=x'])(
  'the query %s, which no database takes, is 400 and not a failure of ours',
  async (query) => {
    const answer = await call(t, 'GET', `${PATH}?${query}`, { auth });
    expect([answer.statusCode, answer.json().errors[0].code]).toEqual([400, 'SYNTAX_INVALID']);
  },
);

it('half a character in a member is refused, also where it is a secret', async () => {
  const attributes = { label: '\ud800', scope: '\udc00', client_secret: '\ud83d' };
  const answer = await call(t, 'POST', PATH, { auth, body: { data: { type: 'integration', attributes } } });
  for (const name of Object.keys(attributes)) {
    expect(answer.json().errors).toContainEqual(
      expect.objectContaining({ code: 'MEMBER_INVALID', source: { pointer: `/data/attributes/${name}` } }),
    );
  }
});
