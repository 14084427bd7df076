/** The order of checks, over every route there is: 401, 404 tenant, 403, 429, then 415, 413 and 400 of the body. */
import { call, startTestApp, type TestApp } from './support';
import { bareDeps, routesOf, type Route } from './bare-app';

const JSON_API = 'application/vnd.api+json';
const DEFAULT_LIMIT = 64 * 1024;

let t: TestApp;
let routes: readonly Route[];
let [all, none] = ['', ''];

beforeAll(async () => {
  t = await startTestApp();
  [all, none] = [
    await t.bearerOf({ tenant: 'acme', email: 'root@acme.test', everywhere: true, scopes: ['tenants.*'] }),
    await t.bearer('acme'),
  ];
  await t.bearer('other');
  routes = (await routesOf(bareDeps())).filter(({ permission }) => permission !== undefined);
});
afterAll(() => t.stop());

const pathOf = ({ url }: Route, tenant = 'acme'): string => url.replace(':tenant', tenant).replace(/:\w+/g, 'nothing');
const writing = (): Route[] => routes.filter(({ method }) => !['GET', 'HEAD'].includes(method));
const ofTenants = (): Route[] => routes.filter(({ url }) => url.includes('/:tenant'));

/** Sent with everything wrong that a later check would find. */
const send = (route: Route, auth: string | undefined, tenant = 'acme') =>
  call(t, route.method, pathOf(route, tenant), {
    auth,
    headers: { 'content-type': 'text/html' },
    ...(['GET', 'HEAD'].includes(route.method) ? {} : { body: '<' }),
  });

async function expectStatus(
  asked: readonly Route[],
  status: number,
  ask: (route: Route) => ReturnType<typeof call>,
): Promise<void> {
  expect(asked.length).toBeGreaterThan(0);
  for (const route of asked) {
    const answer = await ask(route);
    const name = `${route.method} ${route.url}`;
    expect([name, answer.statusCode]).toEqual([name, status]);
    if (route.method === 'HEAD') continue;
    expect([name, answer.headers['content-type'], answer.json().errors[0]]).toEqual([
      name,
      expect.stringMatching(/^application\/(vnd\.api\+)?json/),
      expect.objectContaining({ status: String(status), meta: { trace_id: expect.any(String) } }),
    ]);
  }
}

it('nobody is told anything without a valid key, not even what exists', async () => {
  await expectStatus(routes, 401, (route) => send(route, undefined));
  await expectStatus(ofTenants(), 401, (route) => send(route, 'Bearer nonsense', 'never-was'));
});

it('another tenant looks as one that is not there, whatever the key may do at home', async () => {
  for (const auth of [await t.bearer('acme', 'tenants.*'), none]) {
    for (const tenant of ['other', 'never-was']) {
      await expectStatus(ofTenants(), 404, (route) => send(route, auth, tenant));
    }
  }
});

it('a key without the permission is refused before the body is looked at', async () => {
  await expectStatus(routes, 403, (route) => send(route, none));
});

it('a body of another media type is 415, also JSON:API with a parameter', async () => {
  await expectStatus(writing(), 415, (route) => send(route, all));
  await expectStatus(writing(), 415, (route) =>
    call(t, route.method, pathOf(route), {
      auth: all,
      headers: { 'content-type': `${JSON_API}; charset=utf-8` },
      body: {},
    }),
  );
});

it('a body above the limit is 413, before it is parsed', async () => {
  await expectStatus(writing(), 413, (route) =>
    t.app.inject({
      method: route.method as 'POST',
      url: pathOf(route),
      headers: { authorization: all, 'content-type': JSON_API },
      payload: '{'.repeat((route.bodyLimit ?? DEFAULT_LIMIT) + 1),
    }),
  );
});

it('a body that is no JSON, or would change a prototype, is 400', async () => {
  for (const payload of ['{"data":', '{"__proto__":{"x":1},"data":{}}', '\u0000']) {
    await expectStatus(writing(), 400, (route) =>
      t.app.inject({
        method: route.method as 'POST',
        url: pathOf(route),
        headers: { authorization: all, 'content-type': JSON_API },
        payload,
      }),
    );
  }
});

it('a document without data is 400 and says where', async () => {
  const documents = writing().filter(({ takesBody }) => takesBody);
  await expectStatus(documents, 400, (route) => call(t, route.method, pathOf(route), { auth: all, body: {} }));
  for (const route of documents) {
    const { errors } = (await call(t, route.method as 'POST', pathOf(route), { auth: all, body: {} })).json();
    expect([route.url, errors[0].code, errors[0].source]).toEqual([
      route.url,
      'MEMBER_MISSING',
      { pointer: expect.stringMatching(/^\/data/) },
    ]);
  }
});

it('a document of another type is 409', async () => {
  const body = { data: { type: 'no-such-type', id: 'x', attributes: {} } };
  for (const route of writing().filter(({ takesBody }) => takesBody)) {
    const { errors } = (await call(t, route.method as 'POST', pathOf(route), { auth: all, body })).json();
    expect([route.url, errors]).toEqual([
      route.url,
      expect.arrayContaining([expect.objectContaining({ code: 'TYPE_CONFLICT', source: { pointer: '/data/type' } })]),
    ]);
  }
});
