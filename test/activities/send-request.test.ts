import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { ApiPorts } from '../../src/client/call-api';
import type { ApiRequestInput, ApiResult } from '../../activities/contract';
import { createSendRequest } from '../../activities/send-request';
import { DurableOAuthError, type ErrorCode } from '../../src/errors';
import type { OAuthFailureFacts } from '../../src/oauth/contract';
import { OAuthFailure } from '../../src/oauth/failure';
import { json, portsTo, quiet, REF, scriptedApi, ScriptedReader, type ScriptedApi } from '../support/api';

const FIRST = 'first-access-token-of-the-shop';
const SECOND = 'second-access-token+of/the=shop';
const invalidToken = {
  ...json({ error: 'invalid_token' }, 401),
  headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
};

let api: ScriptedApi;
let tokens: ScriptedReader;
beforeEach(async () => {
  api = await scriptedApi();
  tokens = new ScriptedReader(FIRST, SECOND);
});
afterEach(() => api.close());

const ask = (change: Partial<ApiRequestInput> = {}): ApiRequestInput => ({
  v: 1,
  ref: REF,
  method: 'GET',
  path: '/orders',
  ...change,
});

function send(input: ApiRequestInput, ports: ApiPorts = portsTo(api.url, tokens), attempt = 1): Promise<ApiResult> {
  return new MockActivityEnvironment({ attempt }, quiet).run(createSendRequest(ports), input);
}

async function failureOf(work: Promise<unknown>): Promise<ApplicationFailure> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error as ApplicationFailure,
  );
  if (!failure) throw new Error('It did not fail');
  expect(failure.cause).toBeUndefined();
  expect(JSON.stringify([failure.message, failure.details, failure.stack])).not.toMatch(/access-token/);
  return failure;
}

describe('sendRequest', () => {
  it.each(['9'.repeat(400), '31536000', 'Fri, 31 Dec 9999 23:59:59 GMT'])(
    'a Retry-After of %s is an hour at most: the engine takes no other number',
    async (value) => {
      api.script = () => ({ ...json({}, 503), headers: { 'retry-after': value } });
      const { nextRetryDelay } = await failureOf(send(ask()));
      expect([undefined, 3_600_000]).toContain(nextRetryDelay);
    },
  );

  it('001-16 carries path, query, headers and body unchanged', async () => {
    await send(
      ask({
        method: 'POST',
        path: '/v1/orders/7%20a?expand=lines',
        query: { since: '2026-01-01T00:00:00+02:00', tag: ['a b', 'c&d'], limit: 5, open: true },
        headers: {
          'X-Shop': 'Südstraße'.normalize('NFKD').replace(/[^ -~]/g, ''),
          'content-type': 'application/vnd.shop+json',
        },
        body: { lines: [{ sku: 'ä', count: 1 }], note: null },
        idempotencyKey: 'order-7',
      }),
    );
    const [seen] = api.seen;
    const url = new URL(seen!.url, api.url);
    expect(seen!.method).toBe('POST');
    expect(url.pathname).toBe('/v1/orders/7%20a');
    expect([...url.searchParams]).toEqual([
      ['expand', 'lines'],
      ['since', '2026-01-01T00:00:00+02:00'],
      ['tag', 'a b'],
      ['tag', 'c&d'],
      ['limit', '5'],
      ['open', 'true'],
    ]);
    expect(seen!.headers).toMatchObject({
      'x-shop': 'Sudstrae',
      'content-type': 'application/vnd.shop+json',
      'idempotency-key': 'order-7',
    });
    expect(JSON.parse(seen!.body)).toEqual({ lines: [{ sku: 'ä', count: 1 }], note: null });
  });

  it('001-16 takes an absolute URL of the API, and sends no byte to another origin', async () => {
    await send(ask({ path: `${api.url}/orders/1` }));
    expect(api.seen[0]!.url).toBe('/orders/1');
    const elsewhere = await scriptedApi();
    const { type, nonRetryable } = await failureOf(send(ask({ path: `${elsewhere.url}/orders` })));
    expect([type, nonRetryable, elsewhere.seen.length, tokens.reads]).toEqual(['ORIGIN_NOT_ALLOWED', true, 0, 1]);
    await elsewhere.close();
  });

  it('001-17 adds the Authorization header with the current token', async () => {
    await send(ask());
    expect(api.seen[0]!.headers.authorization).toBe(`Bearer ${FIRST}`);
    tokens = new ScriptedReader(SECOND);
    await send(ask());
    expect(api.seen[1]!.headers.authorization).toBe(`Bearer ${SECOND}`);
  });

  it.each(['Authorization', 'AUTHORIZATION', 'authorization'])(
    "001-17 lets an author's own %s header neither win nor leave",
    async (name) => {
      await send(ask({ headers: { [name]: 'Bearer planted-by-the-author', Cookie: 'a=b', Host: 'evil.test' } }));
      const [seen] = api.seen;
      expect(seen!.headers.authorization).toBe(`Bearer ${FIRST}`);
      expect(JSON.stringify(seen)).not.toMatch(/planted|evil/);
      expect(seen!.headers.cookie).toBeUndefined();
    },
  );

  it("puts the token where the preset's API wants it", async () => {
    await send(ask(), portsTo(api.url, tokens, { preset: { token_header: { name: 'X-Shop-Token', scheme: '' } } }));
    expect(api.seen[0]!.headers).toMatchObject({ 'x-shop-token': FIRST });
    expect(api.seen[0]!.headers.authorization).toBeUndefined();
  });

  it.each([
    ['the token endpoint', '/oauth/token'],
    ['the token endpoint in disguise', '//oauth//Token/;x'.slice(1)],
    ['the revocation endpoint', '/oauth/revoke?x=1'],
    ['a path the preset denies', '/admin/keys'],
  ])('calls %s for nobody', async (_what, path) => {
    const ports = portsTo(api.url, tokens, {
      settings: { endpoints: { token: `${api.url}/oauth/token`, revocation: `${api.url}/oauth/revoke` } },
      preset: { denied_paths: ['/admin'] },
    });
    const { type } = await failureOf(send(ask({ method: 'POST', path }), ports));
    expect([type, api.seen.length, tokens.reads]).toEqual(['ORIGIN_NOT_ALLOWED', 0, 0]);
  });

  it('sends a string as it is and says that it is text unless told otherwise', async () => {
    await send(ask({ method: 'POST', body: 'a=1', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }));
    await send(ask({ method: 'POST', body: 'plain' }));
    expect(api.seen.map(({ headers, body }) => [headers['content-type'], body])).toEqual([
      ['application/x-www-form-urlencoded', 'a=1'],
      ['text/plain; charset=utf-8', 'plain'],
    ]);
  });

  it.each([
    ['application/json', '{"a":1}', { a: 1 }],
    ['application/vnd.api+json; charset=utf-8', '[1]', [1]],
    ['application/json', '{broken', '{broken'],
    ['text/csv', 'a;b', 'a;b'],
    ['application/json', '', null],
  ])('reads a body of %s %j as %j', async (type, body, read) => {
    api.script = () => ({ headers: { 'content-type': type, 'set-cookie': 'session=1', 'X-Page': '2' }, body });
    const result = await send(ask());
    expect(result).toMatchObject({ v: 1, status: 200, body: read, headers: { 'x-page': '2' } });
    expect(result.headers).not.toHaveProperty('set-cookie');
  });

  describe('when the API answers something else than 2xx', () => {
    it.each([
      [404, 'PROVIDER_ANSWERED_4XX', true],
      [302, 'PROVIDER_ANSWERED_4XX', true],
      [429, 'PROVIDER_ANSWERED_4XX', false],
      [503, 'PROVIDER_ANSWERED_5XX', false],
    ])('%i fails with %s; not to be repeated: %s', async (status, type, nonRetryable) => {
      api.script = () => json({ error: 'nope' }, status);
      const failure = await failureOf(send(ask()));
      expect(failure).toMatchObject({ type, nonRetryable, details: [{ status, body: { error: 'nope' } }] });
    });

    it('a read is tried five times, when the API asks for it; then the flow hears of it', async () => {
      api.script = () => ({ ...json({}, 503), headers: { 'retry-after': '7' } });
      const fourth = await failureOf(send(ask(), undefined, 4));
      expect([fourth.nonRetryable, fourth.nextRetryDelay]).toEqual([false, 7_000]);
      expect((await failureOf(send(ask(), undefined, 5))).nonRetryable).toBe(true);
    });

    it('a write without key is not repeated, one with a key is', async () => {
      api.script = () => json({}, 503);
      expect((await failureOf(send(ask({ method: 'POST' })))).nonRetryable).toBe(true);
      expect((await failureOf(send(ask({ method: 'POST', idempotencyKey: '7' })))).nonRetryable).toBe(false);
    });

    it('keeps of a long answer what shows what is wrong', async () => {
      api.script = () => ({ status: 400, body: 'x'.repeat(100_000) });
      const { details } = await failureOf(send(ask()));
      expect((details![0] as { body: string }).body).toHaveLength(2_048);
    });
  });

  describe('when the API refuses the token', () => {
    const once = (): void => {
      api.script = ({ headers }) => (headers.authorization === `Bearer ${FIRST}` ? invalidToken : json({ ok: true }));
    };

    it('has it refreshed and repeats a read once', async () => {
      once();
      expect(await send(ask())).toMatchObject({ body: { ok: true } });
      expect(tokens.refused).toEqual([1]);
      expect(api.seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${FIRST}`, `Bearer ${SECOND}`]);
    });

    it('repeats a write only when that is harmless', async () => {
      once();
      await send(ask({ method: 'PUT' }));
      tokens = new ScriptedReader(FIRST, SECOND);
      await send(ask({ method: 'POST', idempotencyKey: '7' }));
      tokens = new ScriptedReader(FIRST, SECOND);
      const failure = await failureOf(send(ask({ method: 'POST' })));
      expect(failure).toMatchObject({ type: 'PROVIDER_ANSWERED_4XX', nonRetryable: true, details: [{ status: 401 }] });
      expect(api.seen).toHaveLength(5);
      expect(tokens.refused).toEqual([1]);
    });

    it('refuses twice: the second answer counts, and the engine tries again later', async () => {
      api.script = () => invalidToken;
      const failure = await failureOf(send(ask()));
      expect(failure).toMatchObject({ type: 'PROVIDER_ANSWERED_4XX', nonRetryable: false, nextRetryDelay: 16_000 });
      expect(api.seen).toHaveLength(2);
    });

    it('and it is too young to be replaced: the engine tries again later', async () => {
      api.script = () => invalidToken;
      tokens = new ScriptedReader(FIRST);
      const failure = await failureOf(send(ask()));
      expect([failure.nonRetryable, api.seen.length]).toEqual([false, 1]);
    });

    it.each(['GET', 'POST'] as const)('and the grant is gone: %s waits for consent', async (method) => {
      api.script = () => {
        tokens.failure = new DurableOAuthError('CONSENT_NEEDED');
        return invalidToken;
      };
      expect(await failureOf(send(ask({ method })))).toMatchObject({ type: 'CONSENT_NEEDED', nonRetryable: true });
    });

    it('asks for no refresh when the API gives another reason', async () => {
      api.script = () => ({ status: 401, headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' } });
      await failureOf(send(ask()));
      expect(tokens.refused).toEqual([]);
    });
  });

  it.each<[ErrorCode, boolean, string | undefined]>([
    ['CONSENT_NEEDED', true, 'BENIGN'],
    ['NOT_CONNECTED', true, undefined],
    ['NOT_FOUND', true, undefined],
    ['TOKEN_NOT_FRESH', false, undefined],
    ['REGISTRY_UNAVAILABLE', false, undefined],
    ['VAULT_UNAVAILABLE', false, undefined],
  ])('without a token for %s nothing is sent; not to be repeated: %s', async (code, nonRetryable, category) => {
    tokens.failure = new DurableOAuthError(code);
    const failure = await failureOf(send(ask({ method: 'POST' })));
    expect(failure).toMatchObject({ type: code, nonRetryable });
    expect(failure.category ?? undefined).toBe(category);
    expect(api.seen).toEqual([]);
  });

  it.each([
    ['unknown connection', `acme/cn_other`, 'NOT_FOUND'],
    ['no ref at all', 'acme', 'SYNTAX_INVALID'],
  ])('%s fails at once', async (_what, ref, type) => {
    expect(await failureOf(send(ask({ ref })))).toMatchObject({ type, nonRetryable: true });
  });

  describe('when no answer comes', () => {
    it('a write that the API may have done is an unknown outcome and never sent again', async () => {
      api.script = () => ({ hangUp: true });
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
        const failure = await failureOf(send(ask({ method })));
        expect(failure).toMatchObject({ type: 'REQUEST_OUTCOME_UNKNOWN', nonRetryable: true });
      }
      expect(api.seen).toHaveLength(4);
    });

    it.each([ask(), ask({ method: 'POST', idempotencyKey: '7' })])('%j may be repeated', async (input) => {
      api.script = () => ({ hangUp: true });
      expect(await failureOf(send(input))).toMatchObject({ type: 'PROVIDER_UNREACHABLE', nonRetryable: false });
      expect(api.seen).toHaveLength(1);
    });

    it('because nobody listens, even a write may be repeated', async () => {
      const gone = await scriptedApi();
      await gone.close();
      const failure = await failureOf(send(ask({ method: 'POST' }), portsTo(gone.url, tokens)));
      expect(failure).toMatchObject({ type: 'PROVIDER_UNREACHABLE', nonRetryable: false });
    });

    it.each<[string, () => Error]>([
      ['a defect of ours', () => new TypeError('x')],
      ['a lost answer', () => lost({ class: 'AMBIGUOUS', code: 'REFRESH_OUTCOME_UNKNOWN', sent: true })],
    ])('%s leaves a write an unknown outcome', async (_what, make) => {
      const ports: ApiPorts = { ...portsTo(api.url, tokens), api: { send: () => Promise.reject(make()) } };
      expect((await failureOf(send(ask({ method: 'POST' }), ports))).type).toBe('REQUEST_OUTCOME_UNKNOWN');
    });

    it('a blocked target is not an unknown outcome', async () => {
      const blocked = lost({ class: 'BLOCKED', code: 'ENDPOINT_BLOCKED', sent: false });
      const ports: ApiPorts = { ...portsTo(api.url, tokens), api: { send: () => Promise.reject(blocked) } };
      expect(await failureOf(send(ask({ method: 'POST' }), ports))).toMatchObject({
        type: 'ENDPOINT_BLOCKED',
        nonRetryable: true,
      });
    });
  });

  it.each([
    ['plain', SECOND],
    ['JSON', JSON.stringify({ echo: { authorization: `Bearer ${SECOND}` } })],
    ['URL encoding', `token=${encodeURIComponent(SECOND)}`],
    ['base64', Buffer.from(`user:${SECOND}`).toString('base64')],
    ['base64url', Buffer.from(`xy${SECOND}z`).toString('base64url')],
    ['hex', Buffer.from(SECOND).toString('hex')],
  ])('withholds an answer that repeats the token as %s', async (_encoding, body) => {
    tokens = new ScriptedReader(SECOND);
    api.script = () => ({ body });
    expect(await failureOf(send(ask()))).toMatchObject({ type: 'ANSWER_CARRIES_TOKEN', nonRetryable: true });
    api.script = () => ({ status: 400, body });
    expect((await failureOf(send(ask()))).type).toBe('ANSWER_CARRIES_TOKEN');
    api.script = () => ({ headers: { 'x-echo': body } });
    expect((await failureOf(send(ask()))).type).toBe('ANSWER_CARRIES_TOKEN');
  });

  it.each([ask(), ask({ method: 'POST' })])('an answer above 256 KiB is withheld from %j', async (input) => {
    api.script = () => ({ body: 'x'.repeat(256 * 1024) });
    expect((await send(input)).body).toHaveLength(256 * 1024);
    api.script = () => ({ body: 'x'.repeat(256 * 1024 + 1) });
    expect(await failureOf(send(input))).toMatchObject({ type: 'ANSWER_TOO_LARGE', nonRetryable: true });
  });

  it('keeps its time: waiting for a token leaves less for the answer, and all ends within 33 s', async () => {
    const limits: number[] = [];
    let now = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    const real = portsTo(api.url, tokens);
    const ports: ApiPorts = {
      ...real,
      tokens: {
        read: (ref, options) => {
          limits.push(options?.deadlineMs ?? -1);
          now += 10_000;
          return real.tokens.read(ref, options);
        },
      },
      api: {
        send: async ({ timeoutMs }) => {
          limits.push(timeoutMs);
          now += timeoutMs - 5_000;
          return { status: 401, headers: {}, body: '' };
        },
      },
    };
    await failureOf(send(ask(), ports));
    expect(limits).toEqual([10_000, 23_000, 5_000]);
    jest.restoreAllMocks();
  });

  it('heartbeats while it waits', async () => {
    jest.useFakeTimers();
    const env = new MockActivityEnvironment();
    let beats = 0;
    env.on('heartbeat', () => (beats += 1));
    const ports: ApiPorts = {
      ...portsTo(api.url, tokens),
      api: { send: () => new Promise((resolve) => setTimeout(resolve, 9_000, { status: 200, headers: {}, body: '' })) },
    };
    const sent = env.run(createSendRequest(ports), ask());
    await jest.advanceTimersByTimeAsync(9_000);
    await sent;
    expect(beats).toBe(4);
    jest.useRealTimers();
  });
});

const lost = (facts: OAuthFailureFacts): OAuthFailure => new OAuthFailure('Calling the API', facts);
