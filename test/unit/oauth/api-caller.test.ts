import { inspect } from 'node:util';
import { createApiCaller } from '../../../src/oauth/api-caller';
import type { ApiAnswer, ApiRequest } from '../../../src/oauth/contract';
import { isOAuthFailure } from '../../../src/oauth/failure';
import type { PresetInput } from '../../../src/providers/preset';
import { canaryForms, findCanaries } from '../../../src/testing/canary';
import { Secret } from '../../../src/vault/secret';
import { hangUp, json, oddServer, trickling, truncated, type OddServer } from '../../support/odd-server';
import { preset } from './presets';

const TOKEN = 'planted/access+token"9Xw~é';
/** Its base64 differs from its base64url. */
const ASCII_TOKEN = 'planted/access+>>>???-9Xw';
const caller = createApiCaller({ allowPrivateNetworks: true });

let api: OddServer;
let elsewhere: OddServer;
beforeAll(async () => {
  [api, elsewhere] = await Promise.all([oddServer(), oddServer()]);
});
beforeEach(() => {
  api.received.length = 0;
  elsewhere.received.length = 0;
  api.answer = json(200, { fine: true });
});
afterAll(async () => {
  await Promise.all([api.close(), elsewhere.close()]);
});

const send = (
  change: Partial<ApiRequest> = {},
  rules: Partial<PresetInput> = {},
  token = ASCII_TOKEN,
): Promise<ApiAnswer> =>
  caller.send(
    {
      method: 'GET',
      url: `${api.origin}/orders`,
      headers: {},
      timeoutMs: 5_000,
      maxBytes: 10_000,
      mayFollow: () => true,
      ...change,
    },
    { value: new Secret(token), preset: preset(rules) },
  );

async function failureOf(sending: Promise<unknown>): Promise<unknown> {
  const error: unknown = await sending.then(
    (answer) => answer,
    (thrown: unknown) => thrown,
  );
  if (!isOAuthFailure(error)) throw new Error('Expected an OAuthFailure');
  expect(findCanaries(inspect(error, { showHidden: true, depth: 9 }) + JSON.stringify(error), [TOKEN])).toEqual([]);
  return error.facts;
}

it('001-16, 001-17 URL, headers and body go out unchanged, with the current token as the one credential', async () => {
  const url = `${api.origin}/orders?page=2&q=a%20b`;
  await send({ method: 'PUT', url, headers: { 'x-own': 'kept', authorization: 'Bearer mine' }, body: '{"a":1}' });
  const [seen] = api.received;
  expect(seen).toMatchObject({ method: 'PUT', url: '/orders?page=2&q=a%20b', body: '{"a":1}' });
  expect(seen?.headers).toMatchObject({ 'x-own': 'kept', authorization: `Bearer ${ASCII_TOKEN}` });
});

it('the token stands where the preset says', async () => {
  await send({}, { token_header: { name: 'X-Shop-Token', scheme: '' } });
  expect(api.received[0]?.headers).toMatchObject({ 'x-shop-token': ASCII_TOKEN });
  expect(api.received[0]?.headers).not.toHaveProperty('authorization');
});

it('every status is an answer', async () => {
  for (const status of [204, 304, 401, 404, 429, 500]) {
    api.answer = (_request, response) => void response.writeHead(status, { 'x-a': 'b' }).end();
    await expect(send()).resolves.toMatchObject({ status, body: '', headers: { 'x-a': 'b' } });
  }
});

describe('redirects', () => {
  const redirectTo =
    (location: string, status = 302) =>
    (request: { url: string }, response: Parameters<OddServer['answer']>[1]): void => {
      if (request.url === '/orders') response.writeHead(status, { location }).end();
      else response.writeHead(200).end('arrived');
    };
  it('are followed by GET within the origin, with the token', async () => {
    for (const location of ['/v2/orders', `${api.origin}/v2/orders#x`]) {
      api.answer = redirectTo(location);
      await expect(send()).resolves.toMatchObject({ status: 200, body: 'arrived' });
    }
    expect(api.received[1]?.headers.authorization).toBe(`Bearer ${ASCII_TOKEN}`);
  });
  it('across origins carry nothing: the author reads the redirect', async () => {
    for (const location of [elsewhere.origin, `//127.0.0.1:${elsewhere.port}/`, 'https://evil.example/', 'http://[']) {
      api.answer = redirectTo(location);
      await expect(send()).resolves.toMatchObject({ status: 302 });
    }
    expect(elsewhere.received).toEqual([]);
  });
  it('to where the author could not have gone are the author’s to read', async () => {
    api.answer = redirectTo('/oauth/authorize');
    expect(await send({ mayFollow: (url) => !url.endsWith('/oauth/authorize') })).toMatchObject({ status: 302 });
    expect(api.received).toHaveLength(1);
  });

  it('are not followed by anything but GET', async () => {
    api.answer = redirectTo('/v2/orders', 307);
    for (const method of ['POST', 'PUT', 'DELETE', 'HEAD'] as const) {
      await expect(send({ method })).resolves.toMatchObject({ status: 307 });
    }
    expect(api.received).toHaveLength(4);
  });
  it('end after three, and within the time of one request', async () => {
    api.answer = json(302, {}, { location: '/orders' });
    await expect(failureOf(send())).resolves.toMatchObject({ class: 'BLOCKED', code: 'ENDPOINT_BLOCKED', sent: true });
    expect(api.received).toHaveLength(4);
    api.answer = (_request, response) =>
      void setTimeout(() => json(302, {}, { location: '/orders' })(_request, response), 200);
    const started = Date.now();
    await expect(failureOf(send({ timeoutMs: 300 }))).resolves.toMatchObject({ class: 'AMBIGUOUS' });
    expect(Date.now() - started).toBeLessThan(2_000);
  });
});

describe('what comes back', () => {
  const carried = { class: 'BLOCKED', code: 'ANSWER_CARRIES_TOKEN', sent: true, httpStatus: 200 };
  const forms = [
    ...canaryForms(ASCII_TOKEN),
    ASCII_TOKEN.replaceAll('/', '\\/'),
    encodeURIComponent(ASCII_TOKEN).toLowerCase().replace('9xw', '9Xw'),
    Buffer.from(`x=${ASCII_TOKEN};`).toString('base64'),
    // As serialisers for pages write it: any character may be an escape.
    [...ASCII_TOKEN].map((c) => (/\w/.test(c) ? c : `\\u00${c.charCodeAt(0).toString(16)}`)).join(''),
    [...ASCII_TOKEN].map((c) => `&#x${c.charCodeAt(0).toString(16)};`).join(''),
    [...ASCII_TOKEN].map((c) => `&#${c.charCodeAt(0)};`).join(''),
  ];
  it.each(forms.map((form, index) => [index, form] as const))(
    'is withheld when it repeats the token, form %i',
    async (_index, form) => {
      api.answer = (_request, response) => void response.end(`you sent ${form}, thanks`);
      await expect(failureOf(send())).resolves.toEqual(carried);
      api.answer = (_request, response) => void response.writeHead(200, { 'x-echo': form }).end();
      await expect(failureOf(send())).resolves.toEqual(carried);
    },
  );
  it('is withheld when it repeats a token that JSON escapes', async () => {
    const token = 'quote"and/slash-9Xw';
    api.answer = json(200, { echo: token });
    await expect(failureOf(send({}, {}, token))).resolves.toEqual(carried);
  });
  it('may name a part of the token', async () => {
    api.answer = (_request, response) => void response.end(ASCII_TOKEN.slice(0, 8));
    await expect(send()).resolves.toMatchObject({ status: 200 });
  });
  it('is withheld when it is larger than allowed', async () => {
    api.answer = json(200, 'x'.repeat(20_000));
    const facts = { class: 'BLOCKED', code: 'ANSWER_TOO_LARGE', sent: true, httpStatus: 200 };
    await expect(failureOf(send())).resolves.toEqual(facts);
  });
  it('is unknown when it is lost after the request was sent', async () => {
    const unknown = { class: 'AMBIGUOUS', code: 'REFRESH_OUTCOME_UNKNOWN', sent: true };
    for (const answer of [hangUp, truncated(201, '{"id":'), trickling]) {
      api.answer = answer;
      await expect(failureOf(send({ method: 'POST', body: '{}', timeoutMs: 300 }))).resolves.toEqual(unknown);
    }
  });
  it('is nothing when nothing was sent', async () => {
    const gone = await oddServer();
    await gone.close();
    const facts = { class: 'TRANSIENT', code: 'PROVIDER_UNREACHABLE', sent: false };
    await expect(failureOf(send({ url: gone.origin }))).resolves.toEqual(facts);
  });
});
