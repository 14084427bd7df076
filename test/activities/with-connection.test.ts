import { inspect } from 'node:util';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { AxiosError, AxiosInstance } from 'axios';
import { connectionInterceptor, withConnection } from '../../activities/with-connection';
import { DurableOAuthError } from '../../src/errors';
import { json, portsTo, quiet, REF, scriptedApi, ScriptedReader, type ScriptedApi } from '../support/api';

const FIRST = 'first-access-token-of-the-shop';
const SECOND = 'second-access-token-of-the-shop';

let api: ScriptedApi;
let tokens: ScriptedReader;
beforeEach(async () => {
  api = await scriptedApi();
  tokens = new ScriptedReader(FIRST, SECOND);
});
afterEach(() => api.close());

/** The body of an author's activity, in a worker with our interceptor. */
function activity<T>(body: (http: AxiosInstance) => Promise<T>): Promise<T> {
  const interceptors = [connectionInterceptor(portsTo(api.url, tokens))];
  const env = new MockActivityEnvironment({}, { ...quiet, interceptors });
  return env.run<[], T, () => Promise<T>>(() => withConnection(REF, body));
}

const failureOf = <T>(work: Promise<T>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('withConnection', () => {
  it('is axios below the API base URL, with the token of the moment at each request', async () => {
    api.script = ({ url }) => json({ url });
    const urls = await activity(async (http) => {
      const one = await http.get<{ url: string }>('/orders', { params: { page: 1, tag: ['a', 'b'] } });
      tokens = Object.assign(tokens, { tokens: [SECOND] });
      const two = await http.post<{ url: string }>('orders', { id: 7 }, { headers: { 'Idempotency-Key': '7' } });
      return [one.data.url, two.data.url];
    });
    expect(urls).toEqual(['/orders?page=1&tag%5B%5D=a&tag%5B%5D=b', '/orders']);
    expect(api.seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${FIRST}`, `Bearer ${SECOND}`]);
    expect(api.seen[1]).toMatchObject({
      body: '{"id":7}',
      headers: { 'content-type': 'application/json', 'idempotency-key': '7' },
    });
  });

  it('keeps the token out of responses and errors, however deep one looks', async () => {
    const response = await activity((http) => http.get('/orders'));
    api.script = () => json({ error: 'nope' }, 404);
    const error = (await failureOf(
      activity((http) => http.get('/orders', { headers: { Authorization: 'mine' } })),
    )) as AxiosError;
    expect(error).toMatchObject({ isAxiosError: true, response: { status: 404, data: { error: 'nope' } } });
    expect(api.seen[1]!.headers.authorization).toBe(`Bearer ${FIRST}`);
    for (const held of [response, error])
      expect(inspect(held, { depth: Infinity, showHidden: true })).not.toContain(FIRST);
  });

  it('follows one refused token by a refresh and one repetition, except for a write without key', async () => {
    api.script = ({ headers }) => json({}, headers.authorization === `Bearer ${FIRST}` ? 401 : 200);
    expect((await activity((http) => http.get('/orders'))).status).toBe(200);
    tokens = new ScriptedReader(FIRST, SECOND);
    expect(await failureOf(activity((http) => http.post('/orders', {})))).toMatchObject({ response: { status: 401 } });
    expect(api.seen).toHaveLength(3);
  });

  it.each([
    ['CONSENT_NEEDED', 'BENIGN'],
    ['NOT_CONNECTED', undefined],
  ] as const)('fails with %s, not retried, so that the flow can park', async (code, category) => {
    tokens.failure = new DurableOAuthError(code);
    const failure = await failureOf(activity((http) => http.get('/orders')));
    expect(failure).toMatchObject({ type: code, nonRetryable: true });
    expect((failure as { category?: string }).category ?? undefined).toBe(category);
    expect(api.seen).toEqual([]);
  });

  it('is not retried when the outcome of a write is unknown', async () => {
    api.script = () => ({ hangUp: true });
    const failure = await failureOf(activity((http) => http.delete('/orders/7')));
    expect(failure).toMatchObject({ type: 'REQUEST_OUTCOME_UNKNOWN', nonRetryable: true });
  });

  it('sends nothing to another origin, and no base URL of the author leads there', async () => {
    const failure = await failureOf(activity((http) => http.get('https://evil.test/orders')));
    expect(failure).toMatchObject({ type: 'ORIGIN_NOT_ALLOWED', nonRetryable: true });
    await activity((http) => http.get('/orders', { baseURL: 'https://evil.test' }));
    expect(api.seen.map(({ url }) => url)).toEqual(['/orders']);
  });

  it.each<[string, (http: AxiosInstance) => Promise<unknown>]>([
    ['bytes as an answer', (http) => http.get('/orders', { responseType: 'arraybuffer' })],
    ['bytes as a body', (http) => http.post('/orders', Buffer.from('x'))],
    ['a method nobody declared', (http) => http.request({ method: 'options', url: '/orders' })],
  ])('says that it does not carry %s', async (_what, call) => {
    expect(await failureOf(activity(call))).toMatchObject({ type: 'SYNTAX_INVALID', nonRetryable: true });
    expect(api.seen).toEqual([]);
  });

  it("lets an author's own error pass as it is", async () => {
    const mine = new RangeError('my own');
    expect(await failureOf(activity(() => Promise.reject(mine)))).toBe(mine);
  });

  it('says what is missing in a worker without the interceptor', async () => {
    const work = new MockActivityEnvironment({}, quiet).run(() => withConnection(REF, async () => undefined));
    expect(await failureOf(work)).toMatchObject({ type: 'CONFIGURATION_INVALID', nonRetryable: true });
  });

  it('keeps two workers of one process apart', async () => {
    const other = await scriptedApi();
    const run = (url: string): Promise<unknown> =>
      new MockActivityEnvironment({}, { ...quiet, interceptors: [connectionInterceptor(portsTo(url, tokens))] }).run(
        () => withConnection(REF, (http) => http.get('/orders')),
      );
    await Promise.all([run(api.url), run(other.url), run(other.url)]);
    expect([api.seen.length, other.seen.length]).toEqual([1, 2]);
    await other.close();
  });
});
