/** Values of the env vars that a component.json declares, and the OAuth client that two of them may be (legacy). */
import { clientFor, runOn } from '../unit/registry/builders';
import { body, errorsOf, fields, oauth2, PIZZA } from './component-files';
import { call, startTestApp, type TestApp } from './support';

const SECRET = `canary-${Math.random().toString(36).slice(2)}`;
const EVENT = { type: 'test.prepared', by: 'ops@acme.test', traceId: 'test' };
const LEGACY = {
  ...PIZZA,
  useOAuthClient: undefined,
  envVars: { ...PIZZA.envVars, REGION: { required: false }, WEBHOOK_TOKEN: {} },
  credentials: { fields, oauth2: { ...oauth2, client_id: '{{PIZZAVAN_KEY}}', client_secret: '{{PIZZAVAN_SECRET}}' } },
};

let test: TestApp;
let auth: string;

beforeAll(async () => {
  test = await startTestApp();
  auth = await test.bearer('acme', 'tenants.components.*');
});
afterAll(() => test?.stop());

const components = (tenant = 'acme'): string => `/v2/tenants/${tenant}/components`;
const upload = async (attributes: object = {}, file: unknown = PIZZA): Promise<string> => {
  const answer = await call(test, 'POST', components(), { auth, body: body({ file, ...attributes }) });
  expect([answer.statusCode, answer.body]).toEqual([201, expect.any(String)]);
  return answer.json().data.id;
};
const client = (tenant: string, component: string, legacy = false): Promise<string> =>
  clientFor(runOn(test.databaseUrl), tenant, component, { legacy });
describe('env vars', () => {
  const set = (id: string, values: object): ReturnType<typeof call> =>
    call(test, 'PATCH', `${components()}/${id}/env-vars`, { auth, body: body(values, 'env-vars') });

  it('002-37 are set, shown and unset; a secret one never comes back', async () => {
    const id = await upload({}, LEGACY);
    const values = { REGION: 'eu', PIZZAVAN_KEY: 'key-1', PIZZAVAN_SECRET: SECRET };
    const answer = await set(id, values);
    expect(answer.statusCode).toBe(200);
    const [save] = test.oauthClients.saves.splice(0);
    expect(save).toMatchObject({ tenant: 'acme', component: id, clientId: 'key-1', legacy: true, update: false });
    expect([save?.clientSecret.reveal(), save?.audience]).toEqual([SECRET, ['https://pizza.test']]);

    const shown = async (): Promise<unknown[]> =>
      (await call(test, 'GET', `${components()}/${id}`, { auth })).json().data.attributes.env_vars;
    const secret = { set: true, set_at: expect.any(String), fingerprint: 'cafe0123' };
    expect(await shown()).toEqual([
      { name: 'PIZZAVAN_KEY', required: true, description: 'Key', value: 'key-1' },
      { name: 'PIZZAVAN_SECRET', required: true, ...secret },
      { name: 'REGION', required: false, value: 'eu' },
      { name: 'WEBHOOK_TOKEN', required: false },
    ]);
    await set(id, { REGION: null });
    expect((await shown())[2]).toEqual({ name: 'REGION', required: false });
    expect(test.oauthClients.saves).toEqual([]);
    await set(id, { PIZZAVAN_KEY: 'key-2', PIZZAVAN_SECRET: SECRET });
    expect(test.oauthClients.saves.splice(0)).toMatchObject([
      { client: save?.client, clientId: 'key-2', update: true },
    ]);

    const rows = await runOn(test.databaseUrl)(
      `SELECT (SELECT json_agg(c) FROM components c)::text || (SELECT json_agg(v) FROM component_versions v)::text
       || (SELECT json_agg(e) FROM connection_events e)::text AS everything`,
      [],
    );
    for (const text of [JSON.stringify(rows), answer.body, test.logged.join('')]) {
      expect(text).not.toContain(SECRET);
    }
  });

  it.each([
    ['that are not declared', { OTHER: 'x' }, 422, 'MEMBER_INVALID', '/data/attributes/OTHER'],
    ['that look like another secret', { WEBHOOK_TOKEN: 'x' }, 422, 'MEMBER_INVALID', '/data/attributes/WEBHOOK_TOKEN'],
    ['of a client id alone', { PIZZAVAN_KEY: 'k' }, 422, 'MEMBER_INVALID', '/data/attributes/PIZZAVAN_SECRET'],
    ['of a secret alone', { PIZZAVAN_SECRET: 's' }, 422, 'MEMBER_INVALID', '/data/attributes/PIZZAVAN_KEY'],
    [
      'of no secret',
      { PIZZAVAN_KEY: 'k', PIZZAVAN_SECRET: null },
      422,
      'MEMBER_INVALID',
      '/data/attributes/PIZZAVAN_SECRET',
    ],
    [
      'of a mask',
      { PIZZAVAN_KEY: 'k', PIZZAVAN_SECRET: '*****' },
      400,
      'SECRET_MASKED',
      '/data/attributes/PIZZAVAN_SECRET',
    ],
    ['of several lines', { REGION: 'a\nb' }, 422, 'MEMBER_INVALID', '/data/attributes/REGION'],
    ['that are no text', { REGION: 1 }, 422, 'MEMBER_INVALID', '/data/attributes/REGION'],
  ])('refuses values %s, and sets nothing', async (_what, values, status, code, pointer) => {
    const id = await upload({}, LEGACY);
    expect(errorsOf(await set(id, { ...values }))).toEqual([[status, code, pointer]]);
    expect(test.oauthClients.saves).toEqual([]);
    expect((await test.registry.components.get('acme', id))?.env).toEqual({});
  });

  it('makes the client for the endpoints as the same values make them, or says what they lack', async () => {
    const file = { ...LEGACY, envVars: { ...LEGACY.envVars, HOST: {} }, credentials: { fields, oauth2: {} } };
    file.credentials.oauth2 = { ...LEGACY.credentials.oauth2, token_uri: 'https://{{HOST}}/t' };
    const id = await upload({}, file);
    const pair = { PIZZAVAN_KEY: 'k', PIZZAVAN_SECRET: SECRET };
    expect(errorsOf(await set(id, pair))).toEqual([[422, 'MEMBER_INVALID', '/data/attributes']]);
    const answer = await set(id, { ...pair, HOST: 'tokens.test' });
    expect([answer.statusCode, answer.json().meta]).toEqual([200, { clients_suspended: false }]);
    expect(test.oauthClients.saves.splice(0)).toMatchObject([
      { audience: ['https://pizza.test', 'https://tokens.test'] },
    ]);
    expect((await set(id, { HOST: 'elsewhere.test' })).json().meta).toEqual({ clients_suspended: true });
  });

  it('leave a client that was made without them alone, and wait for one that is being saved', async () => {
    const id = await upload({}, LEGACY);
    const pair = { PIZZAVAN_KEY: 'k', PIZZAVAN_SECRET: SECRET };
    test.oauthClients.outcome = 'running';
    const answer = await set(id, pair);
    test.oauthClients.outcome = undefined;
    const [save] = test.oauthClients.saves.splice(0);
    expect([answer.statusCode, answer.json()]).toEqual([
      202,
      { meta: { status: 'saving', oauth_client: save?.client } },
    ]);
    await client('acme', id);
    expect(errorsOf(await set(id, pair))).toEqual([[409, 'ALREADY_EXISTS', '/data/attributes']]);
    expect(test.oauthClients.saves).toEqual([]);
  });

  it('002-02 with OAuth credentials are ended by null, as an OAuth client is by DELETE: not while a flow includes the component', async () => {
    const id = await upload({}, LEGACY);
    const gone = { PIZZAVAN_KEY: null, PIZZAVAN_SECRET: null };
    // There is nothing to end yet.
    expect((await set(id, gone)).statusCode).toBe(200);
    await set(id, { PIZZAVAN_KEY: 'key-1', PIZZAVAN_SECRET: SECRET });
    const [save] = test.oauthClients.saves.splice(0);
    const legacy = save?.client ?? '';
    const flow = { tenant: 'acme', id: `fl_${id}`, name: 'Orders', status: 'draft', components: [id] } as const;
    await test.registry.flows.create({ ...flow, connections: [], event: EVENT });

    const refused = await set(id, { ...gone, REGION: 'eu' });
    expect(errorsOf(refused)).toEqual([[409, 'IN_USE', undefined]]);
    expect(refused.json().errors[0]).toMatchObject({
      detail: expect.stringContaining('"Orders"'),
      meta: { flows: [{ id: flow.id, name: 'Orders' }] },
    });
    expect((await test.registry.components.get('acme', id))?.env).toEqual({});
    for (const half of [{ PIZZAVAN_KEY: null }, { PIZZAVAN_SECRET: null }]) {
      expect(errorsOf(await set(id, half))[0]).toEqual([422, 'MEMBER_INVALID', expect.any(String)]);
    }
    expect(await test.registry.oauthClients.getForComponent('acme', legacy)).toBeDefined();

    await test.registry.flows.remove('acme', flow.id, EVENT);
    const ended = await set(id, { ...gone, REGION: 'eu' });
    expect([ended.statusCode, ended.json().data.attributes.env_vars]).toEqual([
      200,
      [
        { name: 'PIZZAVAN_KEY', required: true, description: 'Key' },
        { name: 'PIZZAVAN_SECRET', required: true, set: false },
        { name: 'REGION', required: false, value: 'eu' },
        { name: 'WEBHOOK_TOKEN', required: false },
      ],
    ]);
    expect(test.oauthClients.retired).toEqual([`acme/${legacy}`]);
    expect(await test.registry.oauthClients.getForComponent('acme', legacy)).toBeUndefined();
    // Its place is free.
    await set(id, { PIZZAVAN_KEY: 'key-2', PIZZAVAN_SECRET: SECRET });
    expect(test.oauthClients.saves.splice(0)).toMatchObject([{ clientId: 'key-2', update: false }]);
  });

  it('002-02 with OAuth credentials hold the place of an OAuth client until they are ended, also under a later version', async () => {
    const id = await upload({}, LEGACY);
    await set(id, { PIZZAVAN_KEY: 'key-1', PIZZAVAN_SECRET: SECRET });
    test.oauthClients.saves.length = 0;
    const file = { ...LEGACY, useOAuthClient: true };
    await call(test, 'POST', `${components()}/${id}/versions`, { auth, body: body({ file }) });
    const support = await test.bearer('acme', 'tenants.oauth_clients.create');
    const create = () =>
      call(test, 'POST', '/v2/tenants/acme/oauth-clients', {
        auth: support,
        body: {
          data: {
            type: 'oauth-client',
            attributes: { client_id: 'own', client_secret: SECRET },
            relationships: { component: { data: { type: 'component', id } } },
          },
        },
      });
    const taken = await create();
    expect(errorsOf(taken)).toEqual([[409, 'ALREADY_EXISTS', '/data/relationships/component/data/id']]);
    expect(taken.json().errors[0].detail).toContain('env vars');
    expect((await set(id, { PIZZAVAN_KEY: null, PIZZAVAN_SECRET: null })).statusCode).toBe(200);
    expect((await create()).statusCode).toBe(201);
    // That one is no matter of env vars.
    expect(errorsOf(await set(id, { PIZZAVAN_KEY: null, PIZZAVAN_SECRET: null }))).toEqual([
      [409, 'ALREADY_EXISTS', '/data/attributes'],
    ]);
    test.oauthClients.saves.length = 0;
  });

  it('refuses those that the OAuth client of each tenant fills', async () => {
    const id = await upload();
    expect(errorsOf(await set(id, { PIZZAVAN_KEY: 'k', PIZZAVAN_SECRET: 's' }))).toEqual([
      [422, 'MEMBER_INVALID', '/data/attributes/PIZZAVAN_KEY'],
      [422, 'MEMBER_INVALID', '/data/attributes/PIZZAVAN_SECRET'],
    ]);
  });

  it('are not shown to another tenant', async () => {
    const file = { ...PIZZA, envVars: { ...PIZZA.envVars, REGION: {} } };
    const id = await upload({ access: 'global' }, file);
    const elsewhere = await test.bearer('other', 'tenants.components.*');
    await client('other', id);
    await set(id, { REGION: 'eu-canary' });
    const answer = await call(test, 'GET', `${components('other')}/${id}`, { auth: elsewhere });
    expect(answer.json().data.attributes.env_vars).toHaveLength(3);
    expect(answer.body).not.toContain('eu-canary');
  });

  it('002-38 with OAuth credentials keep a component from becoming global, and a global one from having them', async () => {
    const id = await upload({}, LEGACY);
    await client('acme', id, true);
    const answer = await call(test, 'PATCH', `${components()}/${id}`, { auth, body: body({ access: 'global' }) });
    expect(errorsOf(answer)).toEqual([[409, 'IN_USE', undefined]]);
    expect(answer.json().errors[0].detail).toContain('useOAuthClient');

    const global = await upload({ access: 'global' }, LEGACY);
    const refused = await set(global, { PIZZAVAN_KEY: 'k', PIZZAVAN_SECRET: SECRET });
    expect(errorsOf(refused)).toEqual([[409, 'IN_USE', undefined]]);
    expect(test.oauthClients.saves).toEqual([]);
  });
});
