/** ETag, If-None-Match, If-Match and the id of a change; the rate of a key; the size of what is sent. */
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MANY } from '../support/at-once';
import { settings } from '../support/settings';
import { PIZZA } from './component-files';
import { make } from './support-access';
import { call, seedConnection, startTestApp, type TestApp } from './support';

const AT = { issuer: 'https://shop.test', apiUrl: 'https://api.shop.test' };
const PATH = '/v2/tenants/acme';
let t: TestApp;
let auth: string;

beforeAll(async () => {
  t = await startTestApp({ ratePerMinute: 30 });
  auth = await t.bearer('acme', 'tenants.*');
  await seedConnection(t.registry, { tenant: 'acme', integration: 'a1', settings: settings(AT) }, 'cn_a1');
});
afterAll(() => t.stop());

describe('a resource that is read', () => {
  it.each([`${PATH}/integrations/a1`, `${PATH}/connections/cn_a1`])(
    '%s has an ETag, and is 304 while it is current',
    async (url) => {
      const first = await call(t, 'GET', url, { auth });
      const { etag } = first.headers;
      expect([first.statusCode, etag]).toEqual([200, expect.stringMatching(/^"[\w-]{22}"$/)]);
      for (const held of [etag, `W/${String(etag)}`, `"x", ${String(etag)}`, '*']) {
        const again = await call(t, 'GET', url, { auth, headers: { 'if-none-match': String(held) } });
        expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', etag]);
      }
      const other = await call(t, 'GET', url, { auth, headers: { 'if-none-match': '"x"' } });
      expect([other.statusCode, other.body]).toEqual([200, first.body]);
    },
  );

  it('has another one once it changed, and in another language', async () => {
    const tag = async (language: string): Promise<unknown> =>
      (await call(t, 'GET', `${PATH}/connections/cn_a1`, { auth, headers: { 'accept-language': language } })).headers
        .etag;
    const before = [await tag('en'), await tag('es')];
    expect(new Set(before).size).toBe(2);
    await t.registry.connections.freeze(
      { tenant: 'acme', connection: 'cn_a1' },
      { type: 'connection.frozen', by: 'x', traceId: 'x' },
    );
    expect(before).not.toContain(await tag('en'));
  });

  it('that holds a token, or is a list, or a failure, has none', async () => {
    for (const path of ['connections/cn_a1/access-token', 'connections', 'connections/nothing']) {
      const answer = await call(t, 'GET', `${PATH}/${path}`, { auth, headers: { 'if-none-match': '*' } });
      expect([path, answer.statusCode === 304, answer.headers.etag]).toEqual([path, false, undefined]);
    }
  });
});

interface Change {
  readonly path: string;
  readonly data: { readonly type: string; readonly attributes: object; readonly relationships?: object };
}

let changes = 0;
/** Never what it was before: a change to the same would leave the ETag as it is. */
const another = (name: string): string => `${name} ${++changes}`;
const address = (): string => `a${++changes}@b.test`;

/** What there is to change, made by whoever has the key. */
const CHANGES: Readonly<Record<string, (key: string) => Promise<Change>>> = {
  '/v2/tenants/{tenant}': async () => ({
    path: PATH,
    data: { type: 'tenant', attributes: { name: another('Acme') } },
  }),
  '/v2/tenants/{tenant}/principals/{id}': (key) => made(key, 'principal', { email: address() }, { email: address() }),
  '/v2/tenants/{tenant}/components/{id}': (key) => made(key, 'component', { file: PIZZA }, { access: 'global' }),
  '/v2/tenants/{tenant}/flows/{id}': (key) => made(key, 'flow', { name: 'Orders' }, { name: 'Stock' }),
  '/v2/tenants/{tenant}/providers/{id}': (key) =>
    made(key, 'provider', { title: 'Pizzavan', token_url: 'https://pizza.test/token' }, { title: 'Pizzavan Ltd' }),
  '/v2/tenants/{tenant}/oauth-clients/{id}': async (key) => {
    const { id } = await make(t, key, `${PATH}/components`, { type: 'component', attributes: { file: PIZZA } });
    const relationships = { component: { data: { type: 'component', id } } };
    const client = { client_id: 'pizza', client_secret: 'cs-canary-5d21' };
    return made(key, 'oauth-client', client, { ...client, client_id: 'pasta' }, relationships);
  },
  '/v2/tenants/{tenant}/integrations/{id}': async () => ({
    path: `${PATH}/integrations/b1`,
    data: { type: 'integration', attributes: { label: another('Bazaar') } },
  }),
  '/v2/tenants/{tenant}/connections/{id}': async () => ({
    path: `${PATH}/connections/cn_b1`,
    data: { type: 'connection', attributes: { region: another('eu') } },
  }),
};

async function made(
  key: string,
  type: string,
  attributes: object,
  changes: object,
  relationships?: object,
): Promise<Change> {
  const { id } = await make(t, key, `${PATH}/${type}s`, { type, attributes, relationships });
  return { path: `${PATH}/${type}s/${id}`, data: { type, attributes: changes, relationships } };
}

describe('a resource that is changed', () => {
  beforeAll(() => seedConnection(t.registry, { tenant: 'acme', integration: 'b1', settings: settings(AT) }, 'cn_b1'));

  it('is one of these: If-Match is promised for no other', async () => {
    const { paths } = (await call(t, 'GET', '/openapi.json')).json<{
      paths: Record<string, { patch?: { parameters: { name: string }[] } }>;
    }>();
    const promised = Object.entries(paths).filter(([, { patch }]) =>
      patch?.parameters.some(({ name }) => name === 'If-Match'),
    );
    expect(promised.map(([path]) => path).sort()).toEqual(Object.keys(CHANGES).sort());
  });

  it.each(Object.entries(CHANGES))('%s is, by those who know what it is now', async (_path, prepare) => {
    const key = await t.bearer('acme', 'tenants.*');
    const { path, data } = await prepare(key);
    const read = () => call(t, 'GET', path, { auth: key });
    const change = (tag: string) => call(t, 'PATCH', path, { auth: key, headers: { 'if-match': tag }, body: { data } });
    const before = await read();
    const tag = String(before.headers.etag);
    for (const stale of ['"stale"', `W/${tag}`]) {
      const refused = await change(stale);
      expect([refused.statusCode, refused.json().errors[0].code]).toEqual([412, 'PRECONDITION_FAILED']);
    }
    expect((await read()).body).toBe(before.body);
    expect((await change(tag)).statusCode).toBe(200);
    expect((await read()).headers.etag).not.toBe(tag);
    expect((await change(tag)).statusCode).toBe(412);
  });

  it.each(Object.entries(CHANGES))(
    '%s is by one of those who know it at once: the others are late',
    async (_path, prepare) => {
      const key = await t.bearer('acme', 'tenants.*');
      const { path, data } = await prepare(key);
      const tag = String((await call(t, 'GET', path, { auth: key })).headers.etag);
      const change = () => call(t, 'PATCH', path, { auth: key, headers: { 'if-match': tag }, body: { data } });
      const answers = await Promise.all(Array.from({ length: MANY }, change));
      expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, ...Array<number>(MANY - 1).fill(412)]);
      const codes = answers.flatMap((answer) => answer.json<{ errors?: { code: string }[] }>().errors ?? []);
      expect(new Set(codes.map(({ code }) => code))).toEqual(new Set(['PRECONDITION_FAILED']));
    },
  );

  it.each(Object.entries(CHANGES))('%s is the one of the path: another id is refused', async (_path, prepare) => {
    const key = await t.bearer('acme', 'tenants.*');
    const { path, data } = await prepare(key);
    const before = await call(t, 'GET', path, { auth: key });
    const refused = await call(t, 'PATCH', path, { auth: key, body: { data: { ...data, id: 'another' } } });
    const [{ code, source }] = refused.json().errors;
    expect([refused.statusCode, code, source]).toEqual([409, 'TYPE_CONFLICT', { pointer: '/data/id' }]);
    expect((await call(t, 'GET', path, { auth: key })).body).toBe(before.body);
  });
});

describe('the rate', () => {
  it('is counted for each key over all routes, and refused with Retry-After before a body is read', async () => {
    const [greedy, modest] = [await t.bearer('acme', 'tenants.*'), await t.bearer('acme', 'tenants.*')];
    const ask = (key: string, at = 0) =>
      call(t, 'GET', `${PATH}/${at % 2 ? 'connections' : 'integrations'}`, {
        auth: key,
        headers: { 'x-forwarded-for': `192.0.2.${at}` },
      });
    const statuses: number[] = [];
    for (let at = 0; at < 30; at++) statuses.push((await ask(greedy, at)).statusCode);
    expect(new Set(statuses)).toEqual(new Set([200]));
    const refused = [
      await ask(greedy),
      await call(t, 'POST', `${PATH}/integrations`, {
        auth: greedy,
        headers: { 'content-type': 'text/html' },
        body: {},
      }),
    ];
    for (const answer of refused) {
      expect([answer.statusCode, answer.json().errors[0].code]).toEqual([429, 'TOO_MANY_REQUESTS']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(answer.headers['content-type']).toBe('application/vnd.api+json');
    }
    expect((await ask(modest)).statusCode).toBe(200);
  });
});

it('headers of more than 16 KiB are refused', async () => {
  await t.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = t.app.server.address() as AddressInfo;
  const status = await new Promise((resolve, reject) => {
    httpRequest(
      { host: '127.0.0.1', port, path: `${PATH}/connections`, headers: { 'x-long': 'x'.repeat(20_000) } },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      },
    )
      .on('error', reject)
      .end();
  });
  expect(status).toBe(431);
});
