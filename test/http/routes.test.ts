/** Rules that hold for every route there is. */
import pino from 'pino';
import { buildApp } from '../../src/http/app';
import type { AppDeps } from '../../src/http/deps';
import { PERMISSIONS } from '../../src/http/permissions';
import { TOKEN_BEARING_ROUTES } from '../../src/http/routes/access-token';
import { CALLBACK, CATALOGUE, FakeApi, FakeIdentity, FakeTokens } from './support';

interface Route {
  readonly method: string;
  readonly url: string;
  readonly permission?: string;
  readonly public?: boolean;
}

interface Operation {
  readonly 'x-permission': string;
  readonly requestBody?: { readonly content: Record<string, unknown> };
  readonly responses: unknown;
}

/** Nothing is called while routes are made. */
function deps(change: Partial<AppDeps> = {}): AppDeps {
  const untouched = {} as never;
  return {
    connections: untouched,
    consents: untouched,
    oauthClients: untouched,
    effects: untouched,
    registry: untouched,
    publicKeys: untouched,
    catalogue: CATALOGUE,
    tokens: new FakeTokens(),
    apiCaller: new FakeApi(),
    authorizationServer: new FakeIdentity(),
    config: {
      publicUrl: 'https://connect.test',
      callbackBase: CALLBACK,
      brand: 'Acme Inc',
      returnOrigins: [],
      allowPrivateNetworks: false,
      tokenRoutes: true,
    },
    log: pino({ level: 'silent' }),
    ...change,
  };
}

async function routesOf(given: AppDeps): Promise<Route[]> {
  const routes: Route[] = [];
  const app = buildApp(given);
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const one of [method].flat())
      routes.push({ method: one, url, permission: config?.permission, public: config?.public });
  });
  await app.ready();
  await app.close();
  return routes;
}

describe('every route', () => {
  it('declares either one known permission or that it is public', async () => {
    const routes = await routesOf(deps());
    expect(routes.length).toBeGreaterThan(20);
    for (const route of routes) {
      expect([route.url, PERMISSIONS.some((one) => one === route.permission) !== (route.public === true)]).toEqual([
        route.url,
        true,
      ]);
    }
  });

  it('is refused while the application is built when it declares neither', async () => {
    const app = buildApp(deps());
    expect(() => app.get('/forgotten', async () => 'open to all')).toThrow(
      'A route declares a permission or that it is public',
    );
    await app.close();
  });

  it('under /v2 is behind a permission, and no permission is without a route', async () => {
    const routes = await routesOf(deps());
    const guarded = routes.filter(({ url }) => url.startsWith('/v2/'));
    expect(guarded.filter(({ permission }) => permission === undefined)).toEqual([]);
    expect([...new Set(guarded.map(({ permission }) => permission))].sort()).toEqual([...PERMISSIONS].sort());
    expect(
      routes.filter(({ url, permission }) => permission !== undefined && !url.startsWith('/v2/tenants/:tenant/')),
    ).toEqual([]);
  });
});

describe('the routes that hand out tokens', () => {
  it('are one closed list, with a permission of their own', async () => {
    expect(TOKEN_BEARING_ROUTES).toEqual(['/v2/tenants/:tenant/connections/:id/access-token']);
    const routes = await routesOf(deps());
    const own = routes.filter(({ permission }) => permission === 'tenants.connections.get_token');
    expect(own.map(({ method, url }) => `${method} ${url}`)).toEqual([`GET ${TOKEN_BEARING_ROUTES[0]}`]);
  });

  it.each([
    ['token routes are off', { config: { ...deps().config, tokenRoutes: false } }],
    ['the server holds no reader', { tokens: undefined }],
  ])('do not exist when %s', async (_when, change) => {
    const urls = (await routesOf(deps(change))).map(({ url }) => url);
    expect(urls.filter((url) => /access-token|requests|tests/.test(url))).toEqual([]);
  });
});

describe('the callback', () => {
  it.each([
    ['https://oauth2.integrations.acme.com/callback', '/callback', '/callback/acme.in_1'],
    ['https://acme.test/a/b/oauth2', '/a/b/oauth2', '/a/b/oauth2/acme.in_1'],
  ])('is answered where %s says, host and path free', async (callbackBase, base, below) => {
    const callback = jest.fn(async () => ({ status: 303, location: 'https://connect.test/oauth/confirm' }) as const);
    const config = { ...deps().config, callbackBase };
    const app = buildApp(deps({ config, consents: { callback } as never }));
    for (const url of [base, below]) {
      const answer = await app.inject({ url: `${url}?code=c&state=s`, headers: { cookie: 'a=b' } });
      expect(answer.statusCode).toBe(303);
      expect(callback).toHaveBeenLastCalledWith(`${url}?code=c&state=s`, 'a=b');
    }
    await app.close();
  });
});

describe('the OpenAPI document', () => {
  it('is 3.1 and describes every guarded route with its permission and media types, and no token but where one is handed out', async () => {
    const app = buildApp(deps());
    const answer = await app.inject('/openapi.json');
    await app.close();
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/json']);
    const { openapi, paths } = answer.json();
    expect(openapi).toBe('3.1.0');
    const operations = Object.entries<Record<string, Operation>>(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
    );
    const guarded = (await routesOf(deps())).filter(
      ({ permission, method }) => permission !== undefined && method !== 'HEAD',
    );
    expect(operations.map((one) => `${one.method.toUpperCase()} ${one.path} ${one['x-permission']}`).sort()).toEqual(
      guarded.map(({ method, url, permission }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')} ${permission}`).sort(),
    );
    for (const { requestBody } of operations.filter((one) => one.requestBody)) {
      expect(Object.keys(requestBody?.content ?? {}).sort()).toEqual(['application/json', 'application/vnd.api+json']);
    }
    const answersWith = (name: string): string[] =>
      operations.filter(({ responses }) => JSON.stringify(responses).includes(`"${name}":{`)).map(({ path }) => path);
    expect(answersWith('access_token')).toEqual(['/v2/tenants/{tenant}/connections/{id}/access-token']);
    expect([...answersWith('refresh_token'), ...answersWith('client_secret')]).toEqual([]);
  });
});
