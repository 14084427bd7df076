/** ETag, If-None-Match; the rate of a key; the size of what is sent. */
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { settings } from '../support/settings';
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
