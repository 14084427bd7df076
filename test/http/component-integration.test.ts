/** Saving an integration through the OAuth client a tenant has for a component: what is asked, and what is not. */
import { readManifest } from '../../src/components/manifest';
import { call, CALLBACK, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/integrations';
const COMPONENT = '/data/relationships/component/data/id';
const EVENT = { type: 'test.prepared', by: 'ops@acme.test', traceId: 'test' };
let t: TestApp;
let auth: string;
let counter = 0;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
  t.connections.outcome = { kind: 'running' };
});
afterAll(() => t.stop());

async function component(oauth2: object = {}, tenant = 'acme', access: 'tenant' | 'global' = 'tenant') {
  const file = JSON.stringify({
    useOAuthClient: true,
    oauth2: {
      client_id: '',
      client_secret: '',
      auth_uri: 'https://pizza.test/auth',
      token_uri: 'https://pizza.test/token',
      scopes: ['orders.read', 'orders.write'],
      ...oauth2,
    },
    envVars: { PIZZAVAN_KEY: {}, PIZZAVAN_SECRET: {} },
  });
  const { manifest } = readManifest(file);
  if (manifest === undefined) throw new Error('The manifest is refused');
  const id = `cp_${++counter}`;
  await t.registry.components.create({ tenant, id, access, title: 'Pizza Van', file, manifest, event: EVENT });
  return id;
}

async function client(component: string): Promise<string> {
  const body = {
    data: {
      type: 'oauth-client',
      attributes: { client_id: 'pizza', client_secret: 'pizza-secret-canary' },
      relationships: { component: { data: { id: component, type: 'component' } } },
    },
  };
  const answer = await call(t, 'POST', '/v2/tenants/acme/oauth-clients', { auth, body });
  expect(answer.statusCode).toBe(201);
  return answer.json().data.id;
}

const save = (component: string, attributes: object = {}) =>
  call(t, 'POST', PATH, {
    auth,
    body: {
      data: {
        type: 'integration',
        attributes: {
          label: 'Pizza',
          grant_type: 'authorization_code',
          api_base_url: 'https://api.pizza.test',
          ...attributes,
        },
        relationships: { component: { data: { id: component, type: 'component' } } },
      },
    },
  });
const problems = (answer: Awaited<ReturnType<typeof save>>) =>
  answer
    .json()
    .errors.map(({ status, code, source }: { status: string; code: string; source?: { pointer: string } }) => [
      status,
      code,
      source?.pointer,
    ]);

it('002-06 asks for neither endpoints nor client: they are the component’s and the tenant’s OAuth client’s', async () => {
  const id = await component();
  const own = await client(id);
  expect((await save(id)).statusCode).toBe(202);
  const { settings, component: through, clientSecret } = t.connections.saves.at(-1) ?? {};
  expect([through, clientSecret]).toEqual([{ id, client: own }, undefined]);
  expect(settings).toMatchObject({
    client_id: 'pizza',
    client_auth: 'client_secret_post',
    scope: 'orders.read orders.write',
    endpoints: { authorization: 'https://pizza.test/auth', token: 'https://pizza.test/token' },
    redirect_uri: `${CALLBACK}/acme.${own}`,
  });
});

it('002-09 a global component without an OAuth client of this tenant cannot be used: 422 says what to make first', async () => {
  await t.bearer('other', 'tenants.*');
  const id = await component({}, 'other', 'global');
  expect(problems(await save(id))).toEqual([['422', 'OAUTH_CLIENT_MISSING', COMPONENT]]);
  await client(id);
  expect((await save(id)).statusCode).toBe(202);
});

it('an unknown component and a private one elsewhere are 404', async () => {
  for (const id of ['cp_never', await component({}, 'other')]) {
    expect(problems(await save(id))).toEqual([['404', 'NOT_FOUND', COMPONENT]]);
  }
});

it('002-41 what belongs to the component’s client cannot be typed beside it', async () => {
  const id = await component();
  await client(id);
  const typed = { client_id: 'mine', client_secret: 'mine-secret', token_url: 'https://evil.test/token' };
  expect(problems(await save(id, typed))).toEqual(
    ['token_url', 'client_id', 'client_secret'].map((name) => ['422', 'MEMBER_INVALID', `/data/attributes/${name}`]),
  );
  const elsewhere = await save(id, { revocation_url: 'https://evil.test/revoke' });
  expect(problems(elsewhere)).toEqual([['422', 'MEMBER_INVALID', '/data/attributes/revocation_url']]);
});

it('variables of the endpoints are filled from fields; a missing one is named, and none may choose the host', async () => {
  const id = await component({ token_uri: 'https://pizza.test/{{region}}/token' });
  await client(id);
  expect(problems(await save(id))).toEqual([['422', 'MEMBER_MISSING', '/data/attributes/fields/region']]);
  expect((await save(id, { fields: { region: 'eu' } })).statusCode).toBe(202);
  expect(t.connections.saves.at(-1)?.settings.endpoints.token).toBe('https://pizza.test/eu/token');
  const free = await component({ token_uri: 'https://{{host}}/token' });
  const body = {
    data: {
      type: 'oauth-client',
      attributes: { client_id: 'pizza', client_secret: 'pizza-secret-canary' },
      relationships: { component: { data: { id: free, type: 'component' } } },
    },
  };
  expect(problems(await call(t, 'POST', '/v2/tenants/acme/oauth-clients', { auth, body }))).toEqual([
    ['422', 'MEMBER_INVALID', COMPONENT],
  ]);
});
