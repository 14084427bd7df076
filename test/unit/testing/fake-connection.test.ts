import { fakeConnection } from '../../../src/testing/fake-connection';

const ask = (method: 'GET' | 'POST', path: string) => ({ v: 1, ref: 'acme/cn_7q4', method, path }) as const;

describe('fakeConnection', () => {
  const shop = () =>
    fakeConnection({
      'GET /orders': ({ query }) => ({ body: { page: query?.page ?? 1 } }),
      'POST /orders/:id/ack': (_request, { id }) => ({ status: 201, body: { id: id ?? null } }),
      'GET /broken': () => ({ status: 503, body: { error: 'down' } }),
    });

  it('answers by method and path, names in a route take any segment, and all requests are kept', async () => {
    const { activities, requests } = shop();
    expect(await activities.sendRequest({ ...ask('GET', '/orders'), query: { page: 3 } })).toMatchObject({
      body: { page: 3 },
    });
    expect(await activities.sendRequest(ask('POST', '/orders/a%20b/ack?x=1'))).toMatchObject({
      status: 201,
      body: { id: 'a b' },
    });
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /orders',
      'POST /orders/a%20b/ack?x=1',
    ]);
  });

  it.each([
    ['/broken', 'PROVIDER_ANSWERED_5XX', { status: 503, body: { error: 'down' } }],
    ['/nowhere', 'PROVIDER_ANSWERED_4XX', { status: 404, body: null }],
  ])('%s fails as the real one does', async (path, type, detail) => {
    const { activities } = shop();
    await expect(activities.sendRequest(ask('GET', path))).rejects.toMatchObject({
      type,
      nonRetryable: true,
      details: [detail],
    });
  });

  it('parks from the withdrawal of consent to its renewal', async () => {
    const { activities, withdrawConsent, renewConsent } = shop();
    withdrawConsent();
    await expect(activities.sendRequest(ask('GET', '/orders'))).rejects.toMatchObject({ type: 'CONSENT_NEEDED' });
    let woken = false;
    const parked = activities.untilActive({ v: 1, ref: 'acme/cn_7q4' }).then(() => (woken = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(woken).toBe(false);
    renewConsent();
    await parked;
    expect(await activities.sendRequest(ask('GET', '/orders'))).toMatchObject({ status: 200 });
  });
});
