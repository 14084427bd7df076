/** The elastic.io action against a server that answers what nobody expects. */
import { process as send } from '../../../src/components/send-request';
import { hangUp, json, oddServer, type OddAnswer, type OddServer } from '../../support/odd-server';

let server: OddServer;
const before = { ...process.env };

beforeAll(async () => {
  server = await oddServer();
});
beforeEach(() => {
  Object.assign(process.env, {
    DURABLE_OAUTH_URL: server.origin,
    DURABLE_OAUTH_EMAIL: 'flows@acme.test',
    DURABLE_OAUTH_API_KEY: 'api-key-canary',
  });
});
afterAll(async () => {
  process.env = before;
  await server.close();
});

const page =
  (status: number): OddAnswer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>It works</h1>');
  };
const asked = (body: Record<string, unknown>) => send({ body }, { connection: 'acme/cn_7q4' });
const write = { method: 'POST', path: '/orders', body: {} };

it('hands on what the API answered', async () => {
  const attributes = { status: 200, headers: {}, body: { id: 7 } };
  server.answer = json(200, { data: { type: 'request', id: 'r1', attributes } });
  expect(await asked({ path: '/orders/7' })).toEqual({ body: attributes });
  expect(server.received.at(-1)).toMatchObject({ method: 'POST', url: '/v2/tenants/acme/connections/cn_7q4/requests' });
});

it.each<[string, OddAnswer]>([
  ['a page of a proxy with status 200', page(200)],
  ['a page of a proxy with status 502', page(502)],
  ['an empty document', json(200, {})],
  ['a document without attributes', json(200, { data: {} })],
  ['a document with another status', json(202, { data: { attributes: {} } })],
  ['null', json(200, null)],
  ['no answer at all', hangUp],
])('%s is no success: a read may be repeated, of a write nobody knows', async (_title, answer) => {
  server.answer = answer;
  await expect(asked({ path: '/orders' })).rejects.toMatchObject({ code: 'TOKEN_NOT_FRESH' });
  await expect(asked({ ...write, idempotency_key: 'k1' })).rejects.toMatchObject({ code: 'TOKEN_NOT_FRESH' });
  await expect(asked(write)).rejects.toMatchObject({ code: 'REQUEST_OUTCOME_UNKNOWN' });
});

it('a write that never left may be repeated', async () => {
  const nobody = await oddServer();
  await nobody.close();
  process.env.DURABLE_OAUTH_URL = nobody.origin;
  await expect(asked(write)).rejects.toMatchObject({ code: 'TOKEN_NOT_FRESH' });
});

it('what the route refused keeps its code; a code of somebody else is a defect', async () => {
  server.answer = json(409, { errors: [{ code: 'CONSENT_NEEDED', title: 'The connection waits for consent' }] });
  await expect(asked(write)).rejects.toMatchObject({ code: 'CONSENT_NEEDED' });
  server.answer = json(500, { errors: [{ code: 'toString' }] });
  await expect(asked(write)).rejects.toMatchObject({ code: 'INTERNAL' });
});
