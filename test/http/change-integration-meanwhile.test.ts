/** What is answered when a change was made, and its integration cannot be read as it is since. */
import { call, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/integrations';
const SECRET = 'cs-canary-51c07e';
const NEXT = 'cs-canary-e2946b';

let t: TestApp;
let auth: string;
let made = 0;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
});
afterAll(() => t.stop());
afterEach(() => jest.restoreAllMocks());

async function saved(): Promise<string> {
  const id = `shop-${++made}`;
  const attributes = {
    label: 'Shop',
    grant_type: 'client_credentials',
    token_url: 'https://shop.test/token',
    client_id: 'app-1',
    client_secret: SECRET,
    api_base_url: 'https://api.shop.test/v1',
  };
  const answer = await call(t, 'POST', PATH, { auth, body: { data: { type: 'integration', id, attributes } } });
  expect(answer.statusCode).toBe(201);
  return id;
}
const rotate = (id: string) =>
  call(t, 'PATCH', `${PATH}/${id}`, {
    auth,
    body: { data: { type: 'integration', attributes: { client_secret: NEXT } } },
  });

/** Happens when the change is made, and nobody was answered yet. */
function afterwards(happen: () => Promise<unknown>): void {
  const { change } = t.oauthClients;
  jest.spyOn(t.oauthClients, 'change').mockImplementationOnce(async (...given) => {
    const outcome = await change.apply(t.oauthClients, given);
    await happen();
    return outcome;
  });
}

it('is not shown as it was before: while the registry is silent the change is answered as one that still runs', async () => {
  const id = await saved();
  const { get } = t.registry.integrations;
  const before = await get('acme', id);
  afterwards(async () => jest.spyOn(t.registry.integrations, 'get').mockResolvedValueOnce(before));
  const late = await rotate(id);
  expect([late.statusCode, late.headers['retry-after'], late.headers.location]).toEqual([202, '5', `${PATH}/${id}`]);
  expect(late.json()).toEqual({ meta: { status: 'saving', integration: id } });
  expect((await get('acme', id))?.secretId).not.toBe(before?.secretId);
  expect((await rotate(id)).statusCode).toBe(200);
});

it('is gone for everybody when it is deleted by then', async () => {
  const id = await saved();
  const deleted = { type: 'integration.deleting', by: 'ops@acme.test', traceId: 'tr_1' };
  afterwards(() => t.registry.integrations.markDeleting('acme', id, deleted));
  const answer = await rotate(id);
  expect([answer.statusCode, answer.json().errors[0].code]).toEqual([404, 'NOT_FOUND']);
  expect((await call(t, 'GET', `${PATH}/${id}`, { auth })).statusCode).toBe(404);
  const events = await t.registry.events.list('acme', undefined, { size: 100 });
  const told = events.filter(({ type }) => type.startsWith('integration.')).map(({ type }) => type);
  expect(told.slice(-2)).toEqual(['integration.changed', 'integration.deleting']);
});
