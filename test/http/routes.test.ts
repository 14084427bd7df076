/** Rules that hold for every route there is. */
import { buildApp } from '../../src/http/app';
import { PERMISSIONS } from '../../src/http/access/permissions';
import { TOKEN_BEARING_ROUTES } from '../../src/http/routes/access-token';
import { bareDeps, routesOf } from './bare-app';

describe('every route', () => {
  it('declares either one known permission or that it is public', async () => {
    const routes = await routesOf(bareDeps());
    expect(routes.length).toBeGreaterThan(20);
    for (const route of routes) {
      expect([route.url, PERMISSIONS.some((one) => one === route.permission) !== (route.public === true)]).toEqual([
        route.url,
        true,
      ]);
    }
  });

  it('is refused while the application is built when it declares neither', async () => {
    const app = buildApp(bareDeps());
    expect(() => app.get('/forgotten', async () => 'open to all')).toThrow(
      'A route declares a permission or that it is public',
    );
    await app.close();
  });

  it('under /v2 is behind a permission, but what a form asks; no permission is without a route', async () => {
    const routes = await routesOf(bareDeps());
    const guarded = routes.filter(({ url }) => url.startsWith('/v2/'));
    expect(
      guarded.filter(({ permission }) => permission === undefined).map(({ method, url }) => `${method} ${url}`),
    ).toEqual([
      'GET /v2/grant-types',
      'HEAD /v2/grant-types',
      'GET /v2/grant-types/:type/fields',
      'HEAD /v2/grant-types/:type/fields',
    ]);
    const demanded = guarded.flatMap(({ permission, besides }) => (permission ? [permission, ...besides] : []));
    expect([...new Set(demanded)].sort()).toEqual([...PERMISSIONS].sort());
    expect(routes.filter(({ url, permission }) => permission !== undefined && !url.startsWith('/v2/'))).toEqual([]);
  });
});

describe('the routes that hand out tokens', () => {
  it('are one closed list, with a permission of their own', async () => {
    expect(TOKEN_BEARING_ROUTES).toEqual([
      '/v2/tenants/:tenant/connections/:id/access-token',
      '/v2/workspaces/:tenant/secrets/:id',
      '/v2/workspaces/:tenant/secrets/:id/refresh',
    ]);
    const routes = await routesOf(bareDeps());
    const own = routes.filter(({ permission }) => permission === 'tenants.connections.get_token');
    const [token, secret, refresh] = TOKEN_BEARING_ROUTES;
    expect(own.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET ${token}`,
      `GET ${secret}`,
      `POST ${refresh}`,
    ]);
  });

  it.each([
    ['token routes are off', { config: { ...bareDeps().config, tokenRoutes: false } }],
    ['the server holds no reader', { tokens: undefined }],
  ])('do not exist when %s', async (_when, change) => {
    const urls = (await routesOf(bareDeps(change))).map(({ url }) => url);
    expect(urls.filter((url) => /access-token|requests|tests|secrets/.test(url))).toEqual([]);
  });

  it('for components of elastic.io do not exist unless they are switched on', async () => {
    const config = { ...bareDeps().config, elasticioSecrets: false };
    const urls = (await routesOf(bareDeps({ config }))).map(({ url }) => url);
    expect(urls.filter((url) => url.includes('secrets'))).toEqual([]);
    expect(urls).toContain(TOKEN_BEARING_ROUTES[0]);
  });
});

describe('the callback', () => {
  it.each([
    ['https://oauth2.integrations.acme.com/callback', '/callback', '/callback/acme.in_1'],
    ['https://acme.test/a/b/oauth2', '/a/b/oauth2', '/a/b/oauth2/acme.in_1'],
  ])('is answered where %s says, host and path free', async (callbackBase, base, below) => {
    const callback = jest.fn(async () => ({ status: 303, location: 'https://connect.test/oauth/confirm' }) as const);
    const config = { ...bareDeps().config, callbackBase };
    const app = buildApp(bareDeps({ config, consents: { callback } as never }));
    for (const url of [base, below]) {
      const answer = await app.inject({ url: `${url}?code=c&state=s`, headers: { cookie: 'a=b' } });
      expect(answer.statusCode).toBe(303);
      expect(callback).toHaveBeenLastCalledWith(`${url}?code=c&state=s`, 'a=b');
    }
    await app.close();
  });
});
