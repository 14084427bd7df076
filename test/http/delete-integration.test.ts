/** DELETE of an integration: who may, what stands in the way, what is gone at once and what stays to be read. */
import type { LightMyRequestResponse } from 'fastify';
import { CALLBACK, call, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/integrations';
const EVENT = { type: 'test', by: 'ops@acme.test', traceId: 'test' };

let t: TestApp;
let auth: string;
let made = 0;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
});
afterAll(() => t.stop());

const get = (path: string, as = auth) => call(t, 'GET', path, { auth: as });
const remove = (id: string, as = auth) => call(t, 'DELETE', `${PATH}/${id}`, { auth: as });
const attributes = {
  label: 'CRM',
  preset: 'crm',
  grant_type: 'authorization_code',
  client_id: 'app',
  client_secret: 'app-secret-canary',
  redirect_uri: CALLBACK,
};
const post = (id: string) => call(t, 'POST', PATH, { auth, body: { data: { type: 'integration', id, attributes } } });
async function saved(): Promise<{ id: string; connection: string }> {
  const id = `crm-${++made}`;
  const answer = await post(id);
  expect([answer.statusCode, answer.body]).toEqual([201, expect.any(String)]);
  return { id, connection: `cn_${id}` };
}
const problem = (answer: LightMyRequestResponse) => {
  const [first] = answer.json().errors;
  return [answer.statusCode, first.code, first.source?.pointer];
};

it('answers 204 without a body; from then on it is not there, and its id is taken', async () => {
  const { id, connection } = await saved();
  const answer = await remove(id);
  expect([answer.statusCode, answer.body]).toEqual([204, '']);
  expect(t.connections.retired).toContain(`acme/${id}`);
  expect((await get(`${PATH}/${id}`)).statusCode).toBe(404);
  expect((await get(`${PATH}?page[size]=100`)).body).not.toContain(`"${id}"`);
  const change = { data: { type: 'integration', attributes: { label: 'New' } } };
  expect((await call(t, 'PATCH', `${PATH}/${id}`, { auth, body: change })).statusCode).toBe(404);
  expect((await remove(id)).statusCode).toBe(404);
  const link = await call(t, 'POST', `/v2/tenants/acme/connections/${connection}/consent-links`, { auth });
  expect(link.statusCode).toBe(404);
  const saves = t.connections.saves.length;
  expect(problem(await post(id))).toEqual([409, 'ALREADY_EXISTS', '/data/id']);
  expect(t.connections.saves).toHaveLength(saves);
});

it('an id that was deleted is not what a save of it says: 404 while the save’s workflow can still be asked', async () => {
  const { id } = await saved();
  await remove(id);
  t.connections.status = { kind: 'running' };
  try {
    expect((await get(`${PATH}/${id}`)).statusCode).toBe(404);
    expect((await get(`${PATH}/crm-never`)).statusCode).toBe(202);
  } finally {
    t.connections.status = undefined;
  }
});

it('an import leaves an id alone that was deleted: its refresh token is not sent', async () => {
  const { id } = await saved();
  await remove(id);
  const template = { label: 'CRM', preset: 'crm', client_id: 'app', client_secret: 'app-secret-canary' };
  const entries = [{ id, refresh_token: 'rt-canary-of-a-deleted-one' }];
  const body = { data: { type: 'import', attributes: { old_refresher_stopped: true, template, entries } } };
  const saves = t.connections.saves.length;
  const answer = await call(t, 'POST', '/v2/tenants/acme/imports', { auth, body });
  expect([answer.statusCode, answer.json().data.attributes.entries[0].status]).toEqual([202, 'exists']);
  expect(t.connections.saves).toHaveLength(saves);
});

it('its connection stays to be read, says why it ended and that nothing brings it back', async () => {
  const { id, connection } = await saved();
  await remove(id);
  const path = `/v2/tenants/acme/connections/${connection}`;
  const { data } = (await get(path)).json();
  expect(data.attributes).toMatchObject({
    state: 'disconnected',
    reason: 'INTEGRATION_DELETED',
    title: 'Integration deleted',
    who: 'administrator',
    frozen_at: expect.any(String),
  });
  expect(data.attributes.next_action).toMatch(/cannot be connected again.*new integration/);
  expect(data.attributes.next_action).not.toContain('reconnecting');
  const { data: events } = (await get(`${path}/events`)).json();
  expect(events.map(({ attributes }: { attributes: { event_type: string } }) => attributes.event_type)).toContain(
    'connection.frozen',
  );
  const listed = (await get('/v2/tenants/acme/connections?filter[state]=disconnected&page[size]=100')).json().data;
  expect(listed.map((row: { id: string }) => row.id)).toContain(connection);
});

it.each(['running', 'stopped', 'draft'] as const)(
  'is refused while a %s flow includes one of its connections in any version, and the flows are named: 409',
  async (status) => {
    const { id, connection } = await saved();
    const flow = { tenant: 'acme', id: `fl_${id}`, name: `Flow of ${id}`, status, components: [] };
    await t.registry.flows.create({ ...flow, connections: [connection], event: EVENT });
    const refused = await remove(id);
    expect(problem(refused)).toEqual([409, 'IN_USE', undefined]);
    const [{ detail, meta }] = refused.json().errors;
    expect(detail).toContain(`"${flow.name}"`);
    expect(meta.flows).toEqual([{ id: flow.id, name: flow.name }]);
    expect(t.connections.retired).not.toContain(`acme/${id}`);
    await t.registry.flows.change('acme', flow.id, { connections: [] }, EVENT);
    expect((await remove(id)).statusCode).toBe(409);
    expect((await get(`${PATH}/${id}`)).statusCode).toBe(200);
    await t.registry.flows.remove('acme', flow.id, EVENT);
    expect((await remove(id)).statusCode).toBe(204);
  },
);

it('checks in order: another tenant is 404, a key without the permission 403, an unknown id 404, a flow 409', async () => {
  const { id, connection } = await saved();
  const flow = { tenant: 'acme', id: `fl_${id}`, name: 'Orders', status: 'draft', components: [] } as const;
  await t.registry.flows.create({ ...flow, connections: [connection], event: EVENT });
  const foreign = await t.bearer('other', 'tenants.*');
  expect((await remove(id, foreign)).statusCode).toBe(404);
  expect((await call(t, 'DELETE', `/v2/tenants/other/integrations/${id}`, { auth: foreign })).statusCode).toBe(404);
  const editor = await t.bearer('acme', 'tenants.integrations.edit', 'tenants.integrations.get');
  expect(problem(await remove(id, editor))).toEqual([403, 'FORBIDDEN', undefined]);
  expect((await remove('in_never', editor)).statusCode).toBe(403);
  const only = await t.bearer('acme', 'tenants.integrations.delete');
  expect((await remove('in_never', only)).statusCode).toBe(404);
  expect((await remove(id, only)).statusCode).toBe(409);
  await t.registry.flows.remove('acme', flow.id, EVENT);
  expect((await remove(id, only)).statusCode).toBe(204);
});

it('is answered although nothing can be revoked at this moment: what follows is owed', async () => {
  const { id } = await saved();
  const failing = jest.spyOn(t.connections, 'retire').mockRejectedValueOnce(new Error('Temporal is away'));
  expect((await remove(id)).statusCode).toBe(204);
  failing.mockRestore();
  const owed = await t.registry.outbox.take(100, 60_000, ['acme']);
  expect(owed.map(({ kind, subject }) => `${kind} ${subject}`)).toContain(`integration.remove ${id}`);
});
