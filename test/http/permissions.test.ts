/** Every route x role x tenant x key scope. Routes are taken from the application: a new one is walked as well. */
import { PERMISSIONS, type Permission } from '../../src/http/access/permissions';
import { permissionsOf, ROLE_NAMES } from '../../src/http/access/roles';
import { call, startTestApp, type AppRoute, type TestApp } from './support';

interface GuardedRoute extends AppRoute {
  readonly permission: Permission;
}

const ALL = ['tenants.*'];
let t: TestApp;
let routes: readonly GuardedRoute[];

beforeAll(async () => {
  t = await startTestApp();
  routes = t.routes.filter((route): route is GuardedRoute => route.permission !== undefined);
  await t.bearer('other', ...ALL);
});
afterAll(() => t.stop());

const ofTenant = ({ url }: GuardedRoute): boolean => url.includes('/:tenant');

/** Nothing has the ids in the path, and there is no document: whoever may, changes nothing. */
async function statusOf({ method, url }: GuardedRoute, auth: string | undefined, tenant = 'acme'): Promise<number> {
  const path = url.replace(':tenant', tenant).replace(/:\w+/g, 'not_there');
  return (await call(t, method, path, { auth })).statusCode;
}

/** The routes whose answer is another one than expected, with both. */
async function surprises(
  among: readonly GuardedRoute[],
  ask: (route: GuardedRoute) => Promise<number>,
  expected: (route: GuardedRoute) => number | 'allowed',
): Promise<string[]> {
  const found: string[] = [];
  for (const route of among) {
    const [status, wanted] = [await ask(route), expected(route)];
    const right = wanted === 'allowed' ? status !== 401 && status !== 403 : status === wanted;
    if (!right) found.push(`${route.method} ${route.url}: ${status}, not ${wanted}`);
  }
  return found;
}

it('without a key every route is 401', async () => {
  expect(routes.length).toBeGreaterThan(40);
  expect(
    await surprises(
      routes,
      (route) => statusOf(route, undefined),
      () => 401,
    ),
  ).toEqual([]);
});

it.each(ROLE_NAMES)('004-05 the role %s may call what the matrix says, and nothing else', async (role) => {
  const auth = await t.bearerOf({ tenant: 'acme', roles: [role], scopes: ALL });
  const allowed = permissionsOf(role);
  expect(
    await surprises(
      routes,
      (route) => statusOf(route, auth),
      ({ permission, everywhere }) => (!everywhere && allowed.includes(permission) ? 'allowed' : 403),
    ),
  ).toEqual([]);
});

it.each(ROLE_NAMES)('002-32 to the role %s another tenant is one that is not there', async (role) => {
  const auth = await t.bearerOf({ tenant: 'acme', roles: [role], scopes: ALL });
  for (const tenant of ['other', 'never-was']) {
    expect(
      await surprises(
        routes.filter(ofTenant),
        (route) => statusOf(route, auth, tenant),
        () => 404,
      ),
    ).toEqual([]);
  }
});

it('002-11 a single permission allows its own routes, one per verb, and no other', async () => {
  const acme = 'acme';
  for (const permission of ['tenants.principals.get', 'tenants.principals.delete', 'tenants.events.get'] as const) {
    const email = `${permission}@acme.test`;
    await t.bearerOf({ tenant: acme, email, roles: [], scopes: ALL });
    const { id: principal } = await t.registry.principals.ensure(acme, email);
    const grant = { tenant: acme, principalTenant: acme, principal, role: null, permission, grantedBy: 'test' };
    const event = { type: 'role_grant.created', by: 'test', traceId: 'test' };
    await t.registry.roleGrants.create({ id: permission.replaceAll('.', '-'), ...grant }, event);
    const auth = await t.bearerOf({ tenant: acme, email, scopes: ALL });
    expect(
      await surprises(
        routes,
        (route) => statusOf(route, auth),
        (route) => (route.permission === permission ? 'allowed' : 403),
      ),
    ).toEqual([]);
  }
});

it('a key whose scopes leave a permission out is 403 where it is demanded, whatever its principal may do', async () => {
  const narrowed = new Map<Permission, string>();
  for (const permission of new Set(routes.map((route) => route.permission))) {
    const scopes = PERMISSIONS.filter((one) => one !== permission);
    narrowed.set(permission, await t.bearerOf({ tenant: 'acme', email: 'boss@acme.test', everywhere: true, scopes }));
  }
  expect(
    await surprises(
      routes,
      (route) => statusOf(route, narrowed.get(route.permission)),
      () => 403,
    ),
  ).toEqual([]);
});

it('an installation operator may call everything in every tenant, and in none that is not there', async () => {
  const auth = await t.bearerOf({ tenant: 'platform', email: 'root@platform.test', everywhere: true });
  for (const tenant of ['acme', 'other']) {
    expect(
      await surprises(
        routes,
        (route) => statusOf(route, auth, tenant),
        () => 'allowed',
      ),
    ).toEqual([]);
  }
  for (const tenant of ['never-was', 'NO', 'no%00']) {
    expect(
      await surprises(
        routes.filter(ofTenant),
        (route) => statusOf(route, auth, tenant),
        () => 404,
      ),
    ).toEqual([]);
  }
});
