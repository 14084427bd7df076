/** Components: what is uploaded, who sees it, and what of it is never shown. */
import { clientFor, runOn } from '../unit/registry/builders';
import { call, startTestApp, type TestApp } from './support';

const SECRET = `canary-${Math.random().toString(36).slice(2)}`;

let test: TestApp;
let auth: string;
let elsewhere: string;

beforeAll(async () => {
  test = await startTestApp();
  auth = await test.bearer('acme', 'tenants.components.*');
  elsewhere = await test.bearer('other', 'tenants.components.*');
});
afterAll(() => test?.stop());

const oauth2 = {
  client_id: '',
  client_secret: '',
  auth_uri: 'https://pizza.test/a',
  token_uri: 'https://pizza.test/t',
};
const fields = { oauth: { label: 'Sign in', viewClass: 'OAuthFieldView' } };
const PIZZA = {
  title: 'Pizza Van',
  description: 'Orders',
  version: '1.2.3',
  envVars: { PIZZAVAN_KEY: { required: true, description: 'Key' }, PIZZAVAN_SECRET: { required: true } },
  credentials: { fields, oauth2: { ...oauth2, scopes: ['orders'] } },
  useOAuthClient: true,
  triggers: { getOrders: { main: './t.js', title: 'Get orders' } },
  unknown: { kept: true },
};
const LEGACY = {
  ...PIZZA,
  useOAuthClient: undefined,
  envVars: { ...PIZZA.envVars, REGION: { required: false }, WEBHOOK_TOKEN: {} },
  credentials: { fields, oauth2: { ...oauth2, client_id: '{{PIZZAVAN_KEY}}', client_secret: '{{PIZZAVAN_SECRET}}' } },
};

const components = (tenant = 'acme'): string => `/v2/tenants/${tenant}/components`;
const body = (attributes: object, type = 'component'): object => ({ data: { type, attributes } });
const upload = async (attributes: object = {}, file: unknown = PIZZA): Promise<string> => {
  const answer = await call(test, 'POST', components(), { auth, body: body({ file, ...attributes }) });
  expect([answer.statusCode, answer.body]).toEqual([201, expect.any(String)]);
  return answer.json().data.id;
};
const errorsOf = (answer: Awaited<ReturnType<typeof call>>): [number, string, string | undefined][] =>
  answer
    .json()
    .errors.map((one: { code: string; source?: { pointer: string } }) => [
      answer.statusCode,
      one.code,
      one.source?.pointer,
    ]);
const client = (tenant: string, component: string, legacy = false): Promise<string> =>
  clientFor(runOn(test.databaseUrl), tenant, component, { legacy });

describe('uploading a component', () => {
  it('002-01 002-03 shows what its file says, and keeps the file', async () => {
    const text = ` ${JSON.stringify(PIZZA)}\n`;
    const answer = await call(test, 'POST', components(), { auth, body: body({ file: text }) });
    expect(answer.statusCode).toBe(201);
    const { data, meta } = answer.json();
    expect(answer.headers['location']).toBe(`${components()}/${data.id}`);
    expect(data).toEqual({
      type: 'component',
      id: expect.stringMatching(/^cp_[a-z2-7]{26}$/),
      attributes: {
        title: 'Pizza Van',
        description: 'Orders',
        access: 'tenant',
        version: 1,
        use_oauth_client: true,
        legacy_oauth: false,
        oauth2: {
          auth_uri: 'https://pizza.test/a',
          token_uri: 'https://pizza.test/t',
          scopes: ['orders'],
          client_auth: 'client_secret_post',
        },
        env_vars: [
          { name: 'PIZZAVAN_KEY', required: true, description: 'Key' },
          { name: 'PIZZAVAN_SECRET', required: true },
        ],
        functions: [{ key: 'getOrders', kind: 'trigger', title: 'Get orders' }],
        created_at: expect.any(String),
      },
      relationships: { versions: { links: { related: `${components()}/${data.id}/versions` } } },
      links: { self: `${components()}/${data.id}` },
    });
    expect(meta.warnings.map(({ code }: { code: string }) => code)).toContain('LINKED_BY_NAME');
    expect(meta.warnings[0].pointer).toMatch(/^\/data\/attributes\/file\//);
    const kept = await call(test, 'GET', `${components()}/${data.id}/versions/1`, { auth });
    expect(kept.json().data.attributes).toEqual({ version: 1, file: text });
    const read = await call(test, 'GET', `${components()}/${data.id}`, { auth });
    expect(read.json().data).toEqual(data);
  });

  it('002-04 refuses a file with every error it has, each with its place', async () => {
    const file = { ...PIZZA, useOAuthClient: 'yes', credentials: { fields, oauth2: { auth_uri: 'https://a.test' } } };
    const answer = await call(test, 'POST', components(), { auth, body: body({ file }) });
    const at = '/data/attributes/file';
    expect(errorsOf(answer).sort()).toEqual([
      [422, 'MEMBER_INVALID', `${at}/credentials/oauth2/token_uri`],
      [422, 'MEMBER_INVALID', `${at}/useOAuthClient`],
    ]);
    expect(
      answer
        .json()
        .errors.map((one: { meta: { finding: string } }) => one.meta.finding)
        .sort(),
    ).toEqual(['MEMBER_MISSING', 'NOT_A_BOOLEAN']);
  });

  it('refuses a client secret in the file, and repeats it nowhere', async () => {
    const file = { ...PIZZA, credentials: { fields, oauth2: { ...oauth2, client_secret: SECRET } } };
    const answer = await call(test, 'POST', components(), { auth, body: body({ file }) });
    expect(errorsOf(answer)).toEqual([
      [422, 'MEMBER_INVALID', '/data/attributes/file/credentials/oauth2/client_secret'],
    ]);
    expect(answer.body + test.logged.join('')).not.toContain(SECRET);
  });

  it.each([
    ['no file', {}, 400, 'MEMBER_MISSING', '/data/attributes/file'],
    ['a file that is no JSON', { file: '{' }, 422, 'MEMBER_INVALID', '/data/attributes/file'],
    ['a file that is a list', { file: [] }, 422, 'MEMBER_INVALID', '/data/attributes/file'],
    ['characters no database takes', { file: { title: '\u0000' } }, 422, 'MEMBER_INVALID', '/data/attributes/file'],
    [
      'a function named by half a character',
      { file: '{"actions":{"\\ud800":{}}}' },
      422,
      'MEMBER_INVALID',
      '/data/attributes/file',
    ],
    ['unknown access', { file: PIZZA, access: 'all' }, 422, 'MEMBER_INVALID', '/data/attributes/access'],
    ['a team without a name', { file: PIZZA, access: 'team' }, 400, 'MEMBER_MISSING', '/data/attributes/team'],
    ['a team of no team access', { file: PIZZA, team: 'a' }, 422, 'MEMBER_INVALID', '/data/attributes/team'],
    ['an unknown member', { file: PIZZA, owner: 'a' }, 422, 'MEMBER_INVALID', '/data/attributes/owner'],
  ])('refuses %s', async (_what, attributes, status, code, pointer) => {
    const answer = await call(test, 'POST', components(), { auth, body: body(attributes) });
    expect(errorsOf(answer)).toEqual([[status, code, pointer]]);
  });

  it('refuses an id that is not ours, and another type', async () => {
    const named = { data: { type: 'component', id: 'cp_mine', attributes: { file: PIZZA } } };
    expect(errorsOf(await call(test, 'POST', components(), { auth, body: named }))).toEqual([
      [422, 'MEMBER_INVALID', '/data/id'],
    ]);
    expect(errorsOf(await call(test, 'POST', components(), { auth, body: body({ file: PIZZA }, 'flow') }))).toEqual([
      [409, 'TYPE_CONFLICT', '/data/type'],
    ]);
  });

  it('takes large files, to a limit, and what is nested deeply', async () => {
    const filler = 'x'.repeat(700 * 1024);
    await upload({}, { ...PIZZA, filler });
    const tooLarge = await call(test, 'POST', components(), { auth, body: body({ file: 'x'.repeat(1600 * 1024) }) });
    expect(errorsOf(tooLarge)).toEqual([[413, 'PAYLOAD_TOO_LARGE', undefined]]);
    const deep = `{"data":{"type":"component","attributes":{"file":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}}}`;
    const answer = await test.app.inject({
      method: 'POST',
      url: components(),
      headers: { authorization: auth, 'content-type': 'application/json' },
      payload: deep,
    });
    expect([201, 400, 422]).toContain(answer.statusCode);
  });
});

describe('a component', () => {
  it('is not there for another tenant, unless it is global and that tenant has a client for it', async () => {
    const [own, global] = [await upload({ access: 'team', team: 'ops' }), await upload({ access: 'global' })];
    const read = async (id: string): Promise<number> =>
      (await call(test, 'GET', `${components('other')}/${id}`, { auth: elsewhere })).statusCode;
    const list = async (): Promise<string[]> =>
      (await call(test, 'GET', components('other'), { auth: elsewhere }))
        .json()
        .data.map(({ id }: { id: string }) => id);
    expect([await read(own), await read(global), await list()]).toEqual([404, 404, []]);

    const id = await client('other', global);
    expect([await read(own), await read(global), await list()]).toEqual([404, 200, [global]]);
    const { data } = (await call(test, 'GET', `${components('other')}/${global}`, { auth: elsewhere })).json();
    expect(data.relationships).toEqual({
      oauth_client: {
        links: { related: `/v2/tenants/other/oauth-clients/${id}` },
        data: { type: 'oauth-client', id },
      },
    });
    // The owner has none of its own.
    const mine = (await call(test, 'GET', `${components()}/${global}`, { auth })).json().data;
    expect(mine.relationships.oauth_client).toBeUndefined();
  });

  it('that is global and foreign cannot be changed, nor its file read', async () => {
    const id = await upload({ access: 'global' });
    await client('other', id);
    const path = `${components('other')}/${id}`;
    const refused = [
      await call(test, 'PATCH', path, { auth: elsewhere, body: body({ access: 'tenant' }) }),
      await call(test, 'DELETE', path, { auth: elsewhere }),
      await call(test, 'POST', `${path}/versions`, { auth: elsewhere, body: body({ file: PIZZA }) }),
      await call(test, 'GET', `${path}/versions`, { auth: elsewhere }),
      await call(test, 'GET', `${path}/versions/1`, { auth: elsewhere }),
      await call(test, 'PATCH', `${path}/env-vars`, { auth: elsewhere, body: body({ REGION: 'eu' }, 'env-vars') }),
    ];
    expect(refused.map(({ statusCode }) => statusCode)).toEqual(refused.map(() => 404));
    expect((await call(test, 'GET', path, { auth: elsewhere })).statusCode).toBe(200);
  });

  it('changes who has access, by its owner', async () => {
    const id = await upload({ access: 'team', team: 'ops' });
    const change = (attributes: object, more: object = {}): ReturnType<typeof call> =>
      call(test, 'PATCH', `${components()}/${id}`, {
        auth,
        body: { data: { type: 'component', attributes, ...more } },
      });
    const changed = await change({ access: 'global' }, { id });
    expect([changed.statusCode, changed.json().data.attributes.access]).toEqual([200, 'global']);
    expect(changed.json().data.attributes.team).toBeUndefined();
    expect(errorsOf(await change({ access: 'tenant' }, { id: 'cp_else' }))).toEqual([
      [409, 'TYPE_CONFLICT', '/data/id'],
    ]);
    expect(errorsOf(await change({}))).toEqual([[400, 'MEMBER_MISSING', '/data/attributes/access']]);
  });

  it('002-29 is removed for all, and the second time as well', async () => {
    const id = await upload();
    const remove = (): ReturnType<typeof call> => call(test, 'DELETE', `${components()}/${id}`, { auth });
    const answer = await remove();
    expect([answer.statusCode, answer.body, (await remove()).statusCode]).toEqual([204, '', 204]);
    expect((await call(test, 'GET', `${components()}/${id}`, { auth })).statusCode).toBe(404);
    expect((await call(test, 'DELETE', `${components()}/cp_unknown`, { auth })).statusCode).toBe(404);
  });

  it('has versions, and says when one of another origin suspended its clients', async () => {
    const id = await upload();
    const path = `${components()}/${id}/versions`;
    const same = await call(test, 'POST', path, { auth, body: body({ file: { ...PIZZA, title: 'Pizza Van 2' } }) });
    expect([same.statusCode, same.headers['location']]).toEqual([201, `${path}/2`]);
    expect(same.json()).toMatchObject({
      data: { id, attributes: { version: 2, title: 'Pizza Van 2' } },
      meta: { clients_suspended: false },
    });
    const moved = { ...PIZZA, credentials: { fields, oauth2: { ...oauth2, token_uri: 'https://elsewhere.test/t' } } };
    const answer = await call(test, 'POST', path, { auth, body: body({ file: moved }) });
    expect(answer.json().meta.clients_suspended).toBe(true);
    const first = (await call(test, 'GET', `${path}?page[size]=2`, { auth })).json();
    expect(first.data.map(({ id: of }: { id: string }) => of)).toEqual([`${id}.3`, `${id}.2`]);
    const next = (await call(test, 'GET', first.links.next, { auth })).json();
    expect([next.data.map(({ id: of }: { id: string }) => of), next.links.next]).toEqual([[`${id}.1`], null]);
    for (const version of ['4', '0', 'x', '99999999999']) {
      expect((await call(test, 'GET', `${path}/${version}`, { auth })).statusCode).toBe(404);
    }
    expect((await call(test, 'GET', `${path}?page[after]=x`, { auth })).statusCode).toBe(400);
  });
});

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

it('every route of components is forbidden without its permission', async () => {
  const without = await test.bearer('acme', 'tenants.flows.*');
  const routes = ['GET', 'POST', 'GET /a', 'PATCH /a', 'DELETE /a', 'GET /a/versions', 'POST /a/versions'];
  for (const route of [...routes, 'GET /a/versions/1', 'PATCH /a/env-vars']) {
    const [method, path = ''] = route.split(' ') as ['GET', string?];
    const { statusCode } = await call(test, method, `${components()}${path}`, { auth: without });
    expect([route, statusCode]).toEqual([route, 403]);
  }
});
