/** Components: what is uploaded, who sees it, and what of it is never shown. */
import { clientFor, runOn } from '../unit/registry/builders';
import { body, errorsOf, fields, oauth2, PIZZA } from './component-files';
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

const components = (tenant = 'acme'): string => `/v2/tenants/${tenant}/components`;
const upload = async (attributes: object = {}, file: unknown = PIZZA): Promise<string> => {
  const answer = await call(test, 'POST', components(), { auth, body: body({ file, ...attributes }) });
  expect([answer.statusCode, answer.body]).toEqual([201, expect.any(String)]);
  return answer.json().data.id;
};
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

it('every route of components is forbidden without its permission', async () => {
  const without = await test.bearer('acme', 'tenants.flows.*');
  const routes = ['GET', 'POST', 'GET /a', 'PATCH /a', 'DELETE /a', 'GET /a/versions', 'POST /a/versions'];
  for (const route of [...routes, 'GET /a/versions/1', 'PATCH /a/env-vars']) {
    const [method, path = ''] = route.split(' ') as ['GET', string?];
    const { statusCode } = await call(test, method, `${components()}${path}`, { auth: without });
    expect([route, statusCode]).toEqual([route, 403]);
  }
});
