/** Who lets whom do what: role grants, and what nobody can hand on. */
import { PERMISSIONS } from '../../src/http/access/permissions';
import { settings } from '../support/settings';
import { call, seedConnection, startTestApp, type TestApp } from './support';
import { apiKey, eventsOf, make, makeAccount, principal, roleGrant } from './support-access';

const PATH = '/v2/tenants/acme/role-grants';
const PEOPLE = '/v2/tenants/acme/principals';
let t: TestApp;
let ops: string;
let admin: string;

beforeAll(async () => {
  t = await startTestApp();
  ops = await t.bearer('acme', 'tenants.*');
  admin = await t.bearerOf({ tenant: 'acme', roles: ['tenant_admin'] });
});
afterAll(() => t.stop());

const grant = (auth: string, id: string, attributes: unknown, path = PATH) =>
  call(t, 'POST', path, { auth, body: { data: roleGrant(id, attributes) } });
const idOf = async (email: string, tenant = 'acme'): Promise<string> =>
  (await t.registry.principals.ensure(tenant, email)).id;

describe('a right', () => {
  it('000-32 is had from the moment it is granted to the moment it is taken', async () => {
    const clerk = await makeAccount(t, ops, 'acme', 'clerk@acme.test', ['tenants.integrations.*']);
    const post = () => call(t, 'POST', '/v2/tenants/acme/integrations', { auth: clerk.auth, body: {} });
    expect((await post()).statusCode).toBe(404);
    await make(t, admin, PATH, roleGrant(clerk.id, { role: 'partner' }));
    expect((await post()).statusCode).toBe(403);
    const made = await make(t, admin, PATH, roleGrant(clerk.id, { permission: 'tenants.integrations.create' }));
    expect((await post()).statusCode).toBe(400);
    const listed = (await call(t, 'GET', PATH, { auth: admin })).json().data;
    expect(listed.find(({ id }: { id: string }) => id === made.id)).toMatchObject({
      attributes: { role: null, permission: 'tenants.integrations.create', granted_by: 'tenant_admin@acme.test' },
      relationships: { principal: { data: { type: 'principal', id: clerk.id } } },
    });
    const headers = { 'audit-reason': Buffer.from('dejó la empresa').toString('latin1') };
    expect((await call(t, 'DELETE', `${PATH}/${made.id}`, { auth: admin, headers })).statusCode).toBe(204);
    expect((await post()).statusCode).toBe(403);
    expect((await call(t, 'DELETE', `${PATH}/${made.id}`, { auth: admin })).statusCode).toBe(404);
    expect((await eventsOf(t, 'acme')).at(-1)).toMatchObject({
      type: 'role_grant.removed',
      by: 'tenant_admin@acme.test',
      facts: {
        role_grant: made.id,
        principal: clerk.id,
        permission: 'tenants.integrations.create',
        audit_reason: 'dejó la empresa',
      },
    });
  });

  it('can be granted to somebody who is at home elsewhere, and holds here only', async () => {
    const home = await t.bearer('agency', 'tenants.*');
    const zoe = await makeAccount(t, home, 'agency', 'zoe@agency.test', ['tenants.*']);
    await make(t, admin, PATH, roleGrant(zoe.id, { role: 'agency', principal_tenant: 'agency' }));
    expect((await call(t, 'GET', '/v2/tenants/acme/connections', { auth: zoe.auth })).statusCode).toBe(200);
    expect((await call(t, 'GET', '/v2/tenants/agency/connections', { auth: zoe.auth })).statusCode).toBe(404);
    const tenants = (await call(t, 'GET', '/v2/tenants', { auth: zoe.auth })).json().data;
    expect(tenants.map(({ id }: { id: string }) => id)).toEqual(['acme']);
  });

  it.each([
    ['an unknown role', { role: 'king' }, '/data/attributes/role'],
    ['an unknown permission', { permission: 'tenants.*' }, '/data/attributes/permission'],
    ['neither', {}, '/data/attributes'],
    ['both', { role: 'support', permission: 'tenants.get' }, '/data/attributes'],
  ])('that is %s is refused', async (_what, attributes, pointer) => {
    const answer = await grant(ops, await idOf('ops@acme.test'), attributes);
    expect([answer.statusCode, answer.json().errors[0].source.pointer]).toEqual([422, pointer]);
  });

  it('is not granted twice, nor to nobody', async () => {
    const id = await idOf('twice@acme.test');
    expect((await grant(ops, id, { role: 'support' })).statusCode).toBe(201);
    expect((await grant(ops, id, { role: 'support' })).statusCode).toBe(409);
    for (const tenant of ['acme', 'never-was', undefined]) {
      const answer = await grant(ops, 'pr_nobody', { role: 'support', principal_tenant: tenant });
      expect([answer.statusCode, answer.json().errors[0].source.pointer]).toEqual([
        404,
        '/data/relationships/principal/data/id',
      ]);
    }
  });
});

describe('nobody confers a right they lack', () => {
  it('002-12 a tenant administrator grants OAuth client permissions to nobody, itself included; an operator does', async () => {
    const own = await idOf('tenant_admin@acme.test');
    for (const attributes of [
      { permission: 'tenants.oauth_clients.get' },
      { permission: 'tenants.oauth_clients.create' },
      { permission: 'tenants.connections.get_token' },
      { role: 'operator' },
    ]) {
      const answer = await grant(admin, own, attributes);
      expect([attributes, answer.statusCode, answer.json().errors[0]]).toEqual([
        attributes,
        403,
        expect.objectContaining({
          code: 'FORBIDDEN',
          meta: expect.objectContaining({ permission: expect.any(String) }),
        }),
      ]);
    }
    expect((await grant(ops, own, { permission: 'tenants.oauth_clients.get' })).statusCode).toBe(201);
    const friend = await idOf('friend@acme.test');
    const handedOn = await grant(admin, friend, { permission: 'tenants.oauth_clients.get' });
    expect(handedOn.statusCode).toBe(403);
  });

  it('not even an operator, with a key whose scopes leave it out', async () => {
    const narrow = await t.bearerOf({
      tenant: 'acme',
      roles: ['operator'],
      scopes: ['tenants.role_grants.*', 'tenants.get'],
    });
    const id = await idOf('narrow@acme.test');
    expect((await grant(narrow, id, { permission: 'tenants.get' })).statusCode).toBe(201);
    expect((await grant(narrow, id, { permission: 'tenants.events.get' })).statusCode).toBe(403);
  });

  it('a key carries no right that its maker lacks', async () => {
    const boss = await idOf('ops@acme.test');
    const path = `${PEOPLE}/${boss}/api-keys`;
    for (const scopes of [['tenants.*'], ['tenants.oauth_clients.get'], ['tenants.connections.*']]) {
      const answer = await call(t, 'POST', path, { auth: admin, body: { data: apiKey(scopes) } });
      expect([scopes, answer.statusCode, answer.json().errors[0].source.pointer]).toEqual([
        scopes,
        403,
        '/data/attributes/scopes',
      ]);
    }
    expect((await call(t, 'POST', path, { auth: ops, body: { data: apiKey(['tenants.*']) } })).statusCode).toBe(201);
  });

  it('a key of somebody who may more in another tenant is not made by one who may not', async () => {
    const guest = await makeAccount(t, ops, 'acme', 'guest@acme.test', ['tenants.get']);
    const elsewhere = await t.bearer('initech', 'tenants.*');
    await make(
      t,
      elsewhere,
      '/v2/tenants/initech/role-grants',
      roleGrant(guest.id, { role: 'finance', principal_tenant: 'acme' }),
    );
    const post = (scopes: string[]) =>
      call(t, 'POST', `${PEOPLE}/${guest.id}/api-keys`, { auth: admin, body: { data: apiKey(scopes) } });
    expect((await post(['tenants.connections.get'])).statusCode).toBe(403);
    expect((await post(['tenants.principals.get'])).statusCode).toBe(201);
  });

  it('no request makes an installation operator', async () => {
    const root = await t.bearerOf({ tenant: 'acme', email: 'root@acme.test', everywhere: true });
    const id = await idOf('somebody@acme.test');
    for (const attributes of [
      { role: 'operator', tenant: null },
      { role: 'operator', everywhere: true },
    ]) {
      expect((await grant(root, id, attributes)).statusCode).toBe(422);
    }
    const made = await make(t, root, PATH, roleGrant(id, { role: 'operator' }));
    expect((await t.registry.roleGrants.ofPrincipal('acme', id)).map((one) => [one.id, one.tenant])).toEqual([
      [made.id, 'acme'],
    ]);
    // A key of an installation operator would make its maker one.
    const [boss, path] = [await idOf('root@acme.test'), (one: string) => `${PEOPLE}/${one}/api-keys`];
    const scopes = { data: apiKey(['tenants.connections.get']) };
    expect((await call(t, 'POST', path(boss), { auth: admin, body: scopes })).statusCode).toBe(403);
    expect((await call(t, 'POST', path(boss), { auth: root, body: scopes })).statusCode).toBe(201);
  });
});

describe('the last one who can administer a tenant', () => {
  it('cannot be removed, nor its grant, until there is another one', async () => {
    const only = await t.bearerOf({ tenant: 'small', roles: ['tenant_admin'] });
    const own = await idOf('tenant_admin@small.test', 'small');
    const [first] = (await call(t, 'GET', '/v2/tenants/small/role-grants', { auth: only })).json().data;
    const removals = [`/v2/tenants/small/role-grants/${first.id}`, `/v2/tenants/small/principals/${own}`];
    for (const path of removals) {
      const answer = await call(t, 'DELETE', path, { auth: only });
      expect([answer.statusCode, answer.json().errors[0].code]).toEqual([409, 'IN_USE']);
    }
    expect((await call(t, 'GET', '/v2/tenants/small', { auth: only })).statusCode).toBe(200);
    const heir = await make(t, only, '/v2/tenants/small/principals', principal('heir@small.test'));
    await make(t, only, '/v2/tenants/small/role-grants', roleGrant(heir.id, { role: 'tenant_admin' }));
    expect((await call(t, 'DELETE', removals[1] ?? '', { auth: only })).statusCode).toBe(204);
    expect((await call(t, 'GET', '/v2/tenants/small', { auth: only })).statusCode).toBe(401);
  });
});

describe('what is shown of roles and permissions', () => {
  const ids = async (auth: string, path: string): Promise<string[]> =>
    (await call(t, 'GET', path, { auth })).json().data.map(({ id }: { id: string }) => id);

  it('is the matrix; service permissions are shown to operators only', async () => {
    expect(await ids(ops, '/v2/permissions')).toEqual([...PERMISSIONS]);
    expect(await ids(admin, '/v2/permissions')).toEqual(PERMISSIONS.filter((one) => !one.includes('oauth_clients')));
    expect(await ids(admin, '/v2/roles')).toEqual([
      'operator',
      'tenant_admin',
      'support',
      'finance',
      'agency',
      'partner',
    ]);
    const [operator] = (await call(t, 'GET', '/v2/roles', { auth: admin })).json().data;
    expect(operator.attributes.permissions.join()).not.toContain('oauth_clients');
  });
});

describe('a partner', () => {
  it('004-04 reads metadata and no credential, of the platform or of a marketplace', async () => {
    const shop = settings({ issuer: 'https://crm.test', apiUrl: 'https://api.crm.test' });
    await seedConnection(t.registry, { tenant: 'acme', integration: 'in_shop', settings: shop }, 'cn_shop');
    const auth = await t.bearerOf({ tenant: 'acme', roles: ['partner'] });
    const status = async (path: string): Promise<number> =>
      (await call(t, 'GET', `/v2/tenants/acme/${path}`, { auth })).statusCode;
    expect([await status('connections/cn_shop'), await status('integrations/in_shop')]).toEqual([200, 200]);
    for (const path of [
      'connections/cn_shop/access-token',
      'principals',
      'role-grants',
      `principals/x/api-keys`,
      'events',
    ]) {
      expect([path, await status(path)]).toEqual([path, 403]);
    }
  });
});
