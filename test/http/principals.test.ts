/** Tenants, the principals at home in them, and their API keys. */
import { createHash } from 'node:crypto';
import { call, startTestApp, type TestApp } from './support';
import { apiKey, eventsOf, make, makeAccount, principal, roleGrant } from './support-access';

const PATH = '/v2/tenants/acme/principals';
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const traced = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
let t: TestApp;
let root: string;
let ops: string;

beforeAll(async () => {
  t = await startTestApp();
  root = await t.bearerOf({ tenant: 'platform', email: 'root@platform.test', everywhere: true });
  ops = await t.bearer('acme', 'tenants.*');
});
afterAll(() => t.stop());

describe('tenants', () => {
  const body = (id: string | undefined, name: string): unknown => ({
    data: { type: 'tenant', id, attributes: { name } },
  });
  const idsSeenBy = async (auth: string): Promise<string[]> =>
    (await call(t, 'GET', '/v2/tenants', { auth })).json().data.map(({ id }: { id: string }) => id);

  it('000-32 are made by installation operators only, renamed by their own administrators, and both is told', async () => {
    const refused = await call(t, 'POST', '/v2/tenants', { auth: ops, body: body('globex', 'Globex') });
    expect([refused.statusCode, refused.json().errors[0].detail]).toEqual([
      403,
      expect.stringContaining('tenants.create'),
    ]);
    const headers = { ...traced, 'audit-reason': 'signed the contract' };
    const made = await call(t, 'POST', '/v2/tenants', { auth: root, body: body('globex', 'Globex'), headers });
    expect([made.statusCode, made.headers['location']]).toEqual([201, '/v2/tenants/globex']);
    expect((await call(t, 'POST', '/v2/tenants', { auth: root, body: body('globex', 'x') })).statusCode).toBe(409);
    const admin = await t.bearerOf({ tenant: 'globex', roles: ['tenant_admin'] });
    const renamed = await call(t, 'PATCH', '/v2/tenants/globex', { auth: admin, body: body(undefined, 'Globex Corp') });
    expect(renamed.json().data).toMatchObject({ id: 'globex', attributes: { name: 'Globex Corp' } });
    const rows = await t.registry.events.list('globex', undefined, { size: 10 });
    expect(rows[0]).toMatchObject({
      type: 'tenant.created',
      by: 'platform/root@platform.test',
      traceId: trace,
      facts: { name: 'Globex', audit_reason: 'signed the contract' },
    });
    expect(rows.at(-1)).toMatchObject({ type: 'tenant.changed', by: 'tenant_admin@globex.test' });
  });

  it('002-08 are listed to those who may see them, page by page', async () => {
    await t.bearer('initech', 'tenants.*');
    expect(await idsSeenBy(ops)).toEqual(['acme']);
    expect(await idsSeenBy(root)).toEqual(expect.arrayContaining(['acme', 'initech', 'platform']));
    const first = (await call(t, 'GET', '/v2/tenants?page[size]=2', { auth: root })).json();
    const second = (await call(t, 'GET', first.links.next, { auth: root })).json();
    const ids = [...first.data, ...second.data].map(({ id }: { id: string }) => id);
    expect(ids).toEqual([...ids].sort());
    expect(first.data).toHaveLength(2);
  });

  it.each([
    ['no id', body(undefined, 'x'), 400, '/data/id'],
    ['an id that is none', body('Acme Ltd', 'x'), 422, '/data/id'],
    ['a blank name', body('blank', ' '), 422, '/data/attributes/name'],
    ['another type', { data: { type: 'team', id: 'x', attributes: { name: 'x' } } }, 409, '/data/type'],
  ])('with %s are refused', async (_what, document, status, pointer) => {
    const answer = await call(t, 'POST', '/v2/tenants', { auth: root, body: document });
    expect([answer.statusCode, answer.json().errors[0].source.pointer]).toEqual([status, pointer]);
  });
});

describe('principals', () => {
  it('are made, read, listed, changed and removed', async () => {
    const made = await call(t, 'POST', PATH, { auth: ops, body: { data: principal('ann@acme.test') } });
    const { id } = made.json().data;
    expect([made.statusCode, made.headers['location']]).toEqual([201, `${PATH}/${id}`]);
    expect(made.json().data.attributes).toMatchObject({ email: 'ann@acme.test', kind: 'user' });
    const changed = { data: principal('ann.lee@acme.test') };
    expect((await call(t, 'PATCH', `${PATH}/${id}`, { auth: ops, body: changed })).statusCode).toBe(200);
    const listed = (await call(t, 'GET', PATH, { auth: ops })).json().data;
    expect(listed.map((one: { attributes: { email: string } }) => one.attributes.email)).toContain('ann.lee@acme.test');
    expect((await call(t, 'DELETE', `${PATH}/${id}`, { auth: ops })).statusCode).toBe(204);
    for (const method of ['GET', 'DELETE'] as const) {
      expect((await call(t, method, `${PATH}/${id}`, { auth: ops })).statusCode).toBe(404);
    }
    const told = (await eventsOf(t, 'acme')).filter(({ facts }) => JSON.stringify(facts).includes(id));
    expect(told.map(({ type, by }) => [type, by])).toEqual([
      ['principal.created', 'ops@acme.test'],
      ['principal.changed', 'ops@acme.test'],
      ['principal.removed', 'ops@acme.test'],
    ]);
    const again = await make(t, ops, PATH, principal('ann.lee@acme.test'));
    expect(again.id).toBe(id);
  });

  it('removed lose every key and every grant at once, in other tenants too, and those are told', async () => {
    const bob = await makeAccount(t, ops, 'acme', 'bob@acme.test', ['tenants.connections.get']);
    const guest = await t.bearer('hooli', 'tenants.*');
    for (const [auth, tenant] of [
      [ops, 'acme'],
      [guest, 'hooli'],
    ] as const) {
      const grant = roleGrant(bob.id, { role: 'agency', principal_tenant: 'acme' });
      await make(t, auth, `/v2/tenants/${tenant}/role-grants`, grant);
      expect((await call(t, 'GET', `/v2/tenants/${tenant}/connections`, { auth: bob.auth })).statusCode).toBe(200);
    }
    const headers = { 'audit-reason': 'left the company' };
    await call(t, 'DELETE', `${PATH}/${bob.id}`, { auth: ops, headers });
    for (const [tenant, by, ours] of [
      ['acme', 'ops@acme.test', true],
      ['hooli', 'system', false],
    ] as const) {
      expect((await call(t, 'GET', `/v2/tenants/${tenant}/connections`, { auth: bob.auth })).statusCode).toBe(401);
      const told = (await eventsOf(t, tenant)).at(-1);
      expect(told).toMatchObject({ type: 'principal.removed', facts: { principal: bob.id, principal_tenant: 'acme' } });
      expect([told?.by, JSON.stringify(told?.facts).includes('left the company')]).toEqual([by, ours]);
    }
    expect(await t.registry.roleGrants.ofPrincipal('acme', bob.id)).toEqual([]);
    await make(t, ops, PATH, principal('bob@acme.test'));
    expect((await call(t, 'GET', '/v2/tenants/acme/connections', { auth: bob.auth })).statusCode).toBe(401);
  });

  it('may not have an e-mail address twice', async () => {
    const { id } = await make(t, ops, PATH, principal('cleo@acme.test'));
    expect((await call(t, 'POST', PATH, { auth: ops, body: { data: principal('cleo@acme.test') } })).statusCode).toBe(
      409,
    );
    const taken = { data: principal('ops@acme.test') };
    expect((await call(t, 'PATCH', `${PATH}/${id}`, { auth: ops, body: taken })).statusCode).toBe(409);
  });

  it.each(['no address', 'two@@acme.test', 'co:lon@acme.test', 'nul\u0000@acme.test', `${'x'.repeat(250)}@acme.test`])(
    'may not be called %j',
    async (email) => {
      const answer = await call(t, 'POST', PATH, { auth: ops, body: { data: principal(email) } });
      expect([answer.statusCode, answer.json().errors[0].source.pointer]).toEqual([422, '/data/attributes/email']);
    },
  );
});

describe('API keys', () => {
  const keysOf = async (id: string) =>
    (await call(t, 'GET', `${PATH}/${id}/api-keys`, { auth: ops })).json().data as { id: string; attributes: object }[];

  it('are shown once, listed without what opens them, and work until they are revoked', async () => {
    const { id } = await make(t, ops, PATH, principal('dora@acme.test'));
    await make(t, ops, '/v2/tenants/acme/role-grants', roleGrant(id, { role: 'finance' }));
    const asked = apiKey(['tenants.connections.*'], { label: 'reports' });
    const made = await make(t, ops, `${PATH}/${id}/api-keys`, asked);
    const key = String(made.attributes['key']);
    expect(key).toMatch(new RegExp(`^do_${made.id}_`));
    const auth = `Bearer ${key}`;
    expect((await call(t, 'GET', '/v2/tenants/acme/connections', { auth })).statusCode).toBe(200);
    expect((await call(t, 'GET', '/v2/tenants/acme/events', { auth })).statusCode).toBe(403);
    const listed = await keysOf(id);
    expect(listed).toEqual([
      {
        type: 'api-key',
        id: made.id,
        attributes: {
          label: 'reports',
          scopes: ['tenants.connections.*'],
          created_at: expect.any(String),
          expires_at: null,
          last_used_at: expect.any(String),
        },
      },
    ]);
    const everything = JSON.stringify([listed, await eventsOf(t, 'acme'), t.logged]);
    expect(everything).not.toContain(key);
    expect(everything).not.toContain(createHash('sha256').update(key).digest('hex'));
    const revoke = (): Promise<number> =>
      call(t, 'DELETE', `${PATH}/${id}/api-keys/${made.id}`, { auth: ops }).then(({ statusCode }) => statusCode);
    expect([await revoke(), await revoke()]).toEqual([204, 404]);
    expect((await call(t, 'GET', '/v2/tenants/acme/connections', { auth })).statusCode).toBe(401);
    expect(await keysOf(id)).toEqual([]);
    const told = (await eventsOf(t, 'acme')).filter(({ facts }) => JSON.stringify(facts).includes(made.id));
    expect(told.map(({ type }) => type)).toEqual(['api_key.created', 'api_key.revoked']);
  });

  it('expire', async () => {
    const auth = await t.bearerOf({ tenant: 'acme', roles: ['finance'], expiresAt: '2026-01-01T00:00:00Z' });
    expect((await call(t, 'GET', '/v2/tenants/acme', { auth })).statusCode).toBe(401);
    const { id } = await make(t, ops, PATH, principal('eve@acme.test'));
    const past = { data: apiKey(['tenants.get'], { expires_at: '2020-01-01T00:00:00Z' }) };
    const answer = await call(t, 'POST', `${PATH}/${id}/api-keys`, { auth: ops, body: past });
    expect([answer.statusCode, answer.json().errors[0].source.pointer]).toEqual([422, '/data/attributes/expires_at']);
  });

  it('work when their use cannot be recorded', async () => {
    const auth = await t.bearerOf({ tenant: 'acme', roles: ['finance'] });
    const recordUse = jest.spyOn(t.registry.apiKeys, 'recordUse').mockRejectedValue(new Error('away'));
    expect((await call(t, 'GET', '/v2/tenants/acme', { auth })).statusCode).toBe(200);
    expect(recordUse).toHaveBeenCalledTimes(1);
    recordUse.mockRestore();
  });

  it('are written to once, however often they are used within a minute', async () => {
    const auth = await t.bearerOf({ tenant: 'acme', roles: ['finance'] });
    const recordUse = jest.spyOn(t.registry.apiKeys, 'recordUse');
    await call(t, 'GET', '/v2/tenants/acme', { auth });
    await recordUse.mock.results[0]?.value;
    for (let use = 0; use < 5; use++) await call(t, 'GET', '/v2/tenants/acme', { auth });
    expect(recordUse).toHaveBeenCalledTimes(1);
    recordUse.mockRestore();
  });

  it('of a principal elsewhere, or of none, are neither made nor seen', async () => {
    const foreign = await t.registry.principals.ensure('hooli', 'someone@hooli.test');
    for (const id of [foreign.id, 'pr_nobody']) {
      for (const method of ['GET', 'POST'] as const) {
        const body = method === 'POST' ? { data: apiKey(['tenants.get']) } : undefined;
        expect((await call(t, method, `${PATH}/${id}/api-keys`, { auth: ops, body })).statusCode).toBe(404);
      }
    }
  });

  it.each([[[]], [['tenants']], [['tenants.everything']], [['']], [undefined]])(
    'with the scopes %j are refused',
    async (scopes) => {
      const { id } = await t.registry.principals.ensure('acme', 'ops@acme.test');
      const body = { data: apiKey(scopes as string[]) };
      const answer = await call(t, 'POST', `${PATH}/${id}/api-keys`, { auth: ops, body });
      expect(answer.json().errors[0].source.pointer).toMatch(/^\/data\/attributes\/scopes/);
    },
  );
});
