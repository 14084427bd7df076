/** OAuth clients of components over HTTP (seed 002), on a real registry; the workflow behind is told what to answer. */
import type { LightMyRequestResponse } from 'fastify';
import { readManifest } from '../../src/components/manifest';
import type { ComponentAccess } from '../../src/registry/contract-platform';
import { call, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/oauth-clients';
const EVENT = { type: 'test.prepared', by: 'ops@acme.test', traceId: 'test' };
const SECRET = 'pizza-secret-canary-1';
let t: TestApp;
let auth: string;
let counter = 0;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
  await t.bearer('other', 'tenants.*');
});
afterAll(() => t.stop());

const OAUTH2 = {
  client_id: '{{PIZZAVAN_KEY}}',
  client_secret: '{{PIZZAVAN_SECRET}}',
  auth_uri: 'https://pizza.test/auth',
  token_uri: 'https://pizza.test/token',
};
const WITH_CLIENT = { title: 'Pizza Van', useOAuthClient: true, credentials: { oauth2: OAUTH2 } };

async function component(manifest: object = WITH_CLIENT, tenant = 'acme', access: ComponentAccess = 'tenant') {
  const file = JSON.stringify({ title: 'Pizza Van', ...manifest });
  const read = readManifest(file).manifest;
  if (read === undefined) throw new Error('The manifest is refused');
  const id = `cp_${++counter}`;
  await t.registry.components.create({ tenant, id, access, title: 'Pizza Van', file, manifest: read, event: EVENT });
  return id;
}

const document = (component: string, change: object = {}) => ({
  data: {
    type: 'oauth-client',
    attributes: { client_id: 'pizza', client_secret: SECRET },
    relationships: { component: { data: { id: component, type: 'component' } } },
    ...change,
  },
});
/** The five that the seed demands. */
const MEMBERS = [
  '/data/type',
  '/data/attributes/client_id',
  '/data/attributes/client_secret',
  '/data/relationships/component/data/id',
  '/data/relationships/component/data/type',
];
function without(whole: object, pointer: string): object {
  const copy = structuredClone(whole);
  const steps = pointer.slice(1).split('/');
  const last = steps.pop() ?? '';
  const holder = steps.reduce<Record<string, unknown>>(
    (node, step) => node[step] as Record<string, unknown>,
    copy as Record<string, unknown>,
  );
  delete holder[last];
  return copy;
}

const post = (body: unknown, path = PATH, as = auth) => call(t, 'POST', path, { auth: as, body });
const get = (path: string, as = auth) => call(t, 'GET', path, { auth: as });
const patch = (id: string, body: unknown) => call(t, 'PATCH', `${PATH}/${id}`, { auth, body });
const remove = (id: string, as = auth) => call(t, 'DELETE', `${PATH}/${id}`, { auth: as });
const problem = (answer: LightMyRequestResponse) => {
  const [first] = answer.json().errors;
  return [answer.statusCode, first.code, first.source?.pointer];
};
async function made(component: string): Promise<string> {
  const answer = await post(document(component));
  expect([answer.statusCode, answer.body]).toEqual([201, expect.any(String)]);
  return answer.json().data.id;
}
const flow = (components: string[], status: 'draft' | 'running' | 'stopped' = 'draft', tenant = 'acme') => {
  const id = `fl_${++counter}`;
  const made = { tenant, id, name: `Flow ${id}`, status, components, connections: [], event: EVENT };
  return t.registry.flows.create(made).then(() => id);
};

describe('creating', () => {
  it('002-13 POST creates: 201 with the resource, its component and its Location; the secret is in no answer', async () => {
    const id = await component();
    const answer = await post(document(id));
    expect(answer.statusCode).toBe(201);
    const { data } = answer.json();
    expect(data).toMatchObject({
      type: 'oauth-client',
      attributes: {
        client_id: 'pizza',
        client_secret_fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/),
        suspended_at: null,
      },
      relationships: { component: { data: { type: 'component', id } } },
      links: { self: `${PATH}/${data.id}` },
    });
    expect(data.attributes.client_secret_set_at).toEqual(expect.any(String));
    expect(answer.headers['location']).toBe(data.links.self);
    expect(answer.body).not.toContain(SECRET);
    expect((await get(PATH)).body).not.toContain(SECRET);
    expect(t.logged.join()).not.toContain(SECRET);
    expect(t.oauthClients.saves.at(-1)?.audience).toEqual(['https://pizza.test']);
  });

  it('002-14 each of the required members is asked for by its pointer: 400', async () => {
    const whole = document(await component());
    for (const pointer of [...MEMBERS, '/data/attributes', '/data/relationships', '/data']) {
      expect(problem(await post(without(whole, pointer)))).toEqual([400, 'MEMBER_MISSING', pointer]);
    }
    const masked = document(await component(), { attributes: { client_id: 'pizza', client_secret: '••••••' } });
    expect(problem(await post(masked))).toEqual([400, 'SECRET_MASKED', '/data/attributes/client_secret']);
  });

  it('002-15 the type of the related resource must be component: 409', async () => {
    const id = await component();
    const wrong = document(id, { relationships: { component: { data: { id, type: 'flow' } } } });
    expect(problem(await post(wrong))).toEqual([409, 'TYPE_CONFLICT', '/data/relationships/component/data/type']);
  });

  it('002-16 the type is oauth-client; on POST "flow" is taken as that, and said; any other is 409', async () => {
    const alias = await post(document(await component(), { type: 'flow' }));
    expect([alias.statusCode, alias.json().data.type, alias.json().meta.warnings[0].code]).toEqual([
      201,
      'oauth-client',
      'RESOURCE_TYPE_ALIAS',
    ]);
    const other = document(await component(), { type: 'auth-client' });
    expect(problem(await post(other))).toEqual([409, 'TYPE_CONFLICT', '/data/type']);
    const own = await made(await component());
    expect(problem(await patch(own, document(await component(), { type: 'flow' })))).toEqual([
      409,
      'TYPE_CONFLICT',
      '/data/type',
    ]);
  });

  it('002-17 a second client of the same component is refused: 409', async () => {
    const id = await component();
    await made(id);
    expect(problem(await post(document(id)))).toEqual([409, 'ALREADY_EXISTS', '/data/relationships/component/data/id']);
  });

  it('002-18 the component must be there for the tenant: an unknown one and a private one elsewhere look the same', async () => {
    const pointer = '/data/relationships/component/data/id';
    const answers = [];
    for (const id of [
      'cp_never',
      await component(WITH_CLIENT, 'other'),
      await component(WITH_CLIENT, 'other', 'team'),
    ]) {
      const answer = await post(document(id));
      expect(problem(answer)).toEqual([404, 'NOT_FOUND', pointer]);
      answers.push(answer.body.replace(/[0-9a-f]{32}/, 'trace'));
    }
    expect(new Set(answers).size).toBe(1);
    expect((await post(document(await component(WITH_CLIENT, 'other', 'global')))).statusCode).toBe(201);
  });

  it('002-19 a component without any OAuth is 422 with a hint; one with legacy OAuth is taken, and said', async () => {
    const none = await post(document(await component({ actions: { a: { main: './a.js' } } })));
    expect(problem(none)).toEqual([422, 'MEMBER_INVALID', '/data/relationships/component/data/id']);
    expect(none.json().errors[0].detail).toContain('useOAuthClient');
    const legacy = await post(document(await component({ credentials: { oauth2: OAUTH2 } })));
    expect([legacy.statusCode, legacy.json().meta.warnings[0].code]).toEqual([
      201,
      'COMPONENT_WITHOUT_USE_OAUTH_CLIENT',
    ]);
  });
});

describe('reading', () => {
  it('002-20 GET lists the clients of this tenant only, all of them, with and without a trailing slash', async () => {
    const shared = await component(WITH_CLIENT, 'other', 'global');
    const foreign = await t.bearer('other', 'tenants.*');
    expect((await post(document(shared), '/v2/tenants/other/oauth-clients', foreign)).statusCode).toBe(201);
    const own = await made(shared);
    const ids = (await get(PATH)).json().data.map(({ id }: { id: string }) => id);
    expect(ids).toContain(own);
    const theirs = (await get('/v2/tenants/other/oauth-clients', foreign)).json().data;
    expect(theirs).toHaveLength(1);
    expect(ids).not.toContain(theirs[0].id);
    expect((await get(`${PATH}/`)).json().data).toHaveLength(ids.length);
  });

  it('002-21 filter[component] narrows the list, also with `/?`; an unknown id gives none, an empty one all and a warning', async () => {
    const id = await component();
    const own = await made(id);
    for (const path of [`${PATH}?filter[component]=${id}`, `${PATH}/?filter[component]=${id}`]) {
      expect((await get(path)).json().data.map((row: { id: string }) => row.id)).toEqual([own]);
    }
    expect((await get(`${PATH}?filter[component]=cp_never`)).json().data).toEqual([]);
    const all = (await get(`${PATH}/?filter[component]=`)).json();
    expect(all.data.length).toBeGreaterThan(1);
    expect(all.meta.warnings).toEqual([expect.objectContaining({ code: 'EMPTY_FILTER_IGNORED' })]);
  });

  it('002-22 GET by id: a known one 200, an unknown or foreign one 404', async () => {
    const own = await made(await component());
    expect((await get(`${PATH}/${own}`)).json().data.id).toBe(own);
    expect((await get(`${PATH}/oc_never`)).statusCode).toBe(404);
    const foreign = await t.bearer('other', 'tenants.*');
    expect((await get(`/v2/tenants/other/oauth-clients/${own}`, foreign)).statusCode).toBe(404);
  });

  it('002-08 other tenants never see a client, by list, by id or by changing it', async () => {
    const own = await made(await component(WITH_CLIENT, 'acme', 'global'));
    const foreign = await t.bearer('other', 'tenants.*');
    expect((await get('/v2/tenants/other/oauth-clients', foreign)).body).not.toContain(own);
    expect((await get(`${PATH}/${own}`, foreign)).statusCode).toBe(404);
    const path = `/v2/tenants/other/oauth-clients/${own}`;
    expect((await call(t, 'DELETE', path, { auth: foreign })).statusCode).toBe(404);
    expect((await get(`${PATH}/${own}`)).statusCode).toBe(200);
  });
});

describe('changing', () => {
  it('002-23 PATCH takes the same five members: all of them 200, one missing 400 with its pointer, another id 409', async () => {
    const id = await component();
    const own = await made(id);
    const changed = document(id, { attributes: { client_id: 'pizza-2', client_secret: 'pizza-secret-canary-2' } });
    const answer = await patch(own, changed);
    expect([answer.statusCode, answer.json().data.attributes.client_id]).toEqual([200, 'pizza-2']);
    for (const pointer of MEMBERS) {
      expect(problem(await patch(own, without(changed, pointer)))).toEqual([400, 'MEMBER_MISSING', pointer]);
    }
    expect(problem(await patch(own, document(id, { id: 'oc_other' })))).toEqual([409, 'TYPE_CONFLICT', '/data/id']);
    expect((await patch(own, document(id, { id: own }))).statusCode).toBe(200);
  });

  it('with If-Match is written only over what the tag was judged on, however late that changes', async () => {
    const id = await component();
    const own = await made(id);
    const { etag } = (await get(`${PATH}/${own}`)).headers;
    const change = (as: string, tag: unknown) =>
      call(t, 'PATCH', `${PATH}/${own}`, {
        auth,
        body: document(id, { attributes: { client_id: as, client_secret: SECRET } }),
        headers: { 'if-match': String(tag) },
      });
    // Between the look at the tag and the save somebody else is faster.
    const { save } = t.oauthClients;
    const meanwhile = (as: string, tag: unknown) =>
      jest.spyOn(t.oauthClients, 'save').mockImplementationOnce(async (...given) => {
        expect((await change(as, tag)).statusCode).toBe(200);
        return save.apply(t.oauthClients, given);
      });
    meanwhile('faster', etag);
    expect(problem(await change('slower', etag))).toEqual([412, 'PRECONDITION_FAILED', undefined]);
    const now = await get(`${PATH}/${own}`);
    expect(now.json().data.attributes.client_id).toBe('faster');
    // Who named no representation overwrites any.
    meanwhile('again', now.headers.etag);
    expect((await change('last', '*')).statusCode).toBe(200);
    expect((await get(`${PATH}/${own}`)).json().data.attributes.client_id).toBe('last');
    jest.restoreAllMocks();
  });

  it('002-25 PATCH moves an unused client to a free component; to a taken one, or while it is used, 409', async () => {
    const [from, free, taken] = [await component(), await component(), await component()];
    const own = await made(from);
    await made(taken);
    expect(problem(await patch(own, document(taken)))).toEqual([
      409,
      'ALREADY_EXISTS',
      '/data/relationships/component/data/id',
    ]);
    const moved = await patch(own, document(free));
    expect([moved.statusCode, moved.json().data.relationships.component.data.id]).toEqual([200, free]);
    const included = await flow([free], 'stopped');
    const used = await patch(own, document(await component()));
    expect(problem(used)).toEqual([409, 'IN_USE', undefined]);
    expect(used.json().errors[0].meta.flows).toEqual([{ id: included, name: `Flow ${included}` }]);
  });
});

describe('deleting', () => {
  it('002-26 DELETE of an unused client: 204 without a body, then 404, and its place is free', async () => {
    const id = await component();
    const own = await made(id);
    const answer = await remove(own);
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    expect((await get(`${PATH}/${own}`)).statusCode).toBe(404);
    expect((await remove(own)).statusCode).toBe(404);
    expect(t.oauthClients.retired).toContain(`acme/${own}`);
    await made(id);
  });

  it.each(['running', 'stopped', 'draft'] as const)(
    '002-27 a client whose component a %s flow includes cannot be deleted, and the flows are named; without them it can',
    async (status) => {
      const id = await component();
      const own = await made(id);
      const included = await flow([id], status);
      const refused = await remove(own);
      expect(problem(refused)).toEqual([409, 'IN_USE', undefined]);
      expect(refused.json().errors[0].detail).toContain(`Flow ${included}`);
      // An old version counts as well.
      await t.registry.flows.change('acme', included, { components: [] }, EVENT);
      expect((await remove(own)).statusCode).toBe(409);
      await t.registry.flows.remove('acme', included, EVENT);
      expect((await remove(own)).statusCode).toBe(204);
    },
  );

  it('002-29 … when its component is deleted the client remains, without the relation', async () => {
    const id = await component();
    const own = await made(id);
    await t.registry.components.remove('acme', id, EVENT);
    const { data } = (await get(`${PATH}/${own}`)).json();
    expect([data.id, data.relationships]).toEqual([own, undefined]);
    expect((await get(PATH)).json().data.map((row: { id: string }) => row.id)).toContain(own);
  });

  it('002-31 … and somebody with the permission can delete it', async () => {
    const id = await component();
    const own = await made(id);
    await t.registry.components.remove('acme', id, EVENT);
    const reader = await t.bearer('acme', 'tenants.oauth_clients.get');
    expect((await remove(own, reader)).statusCode).toBe(403);
    expect((await remove(own)).statusCode).toBe(204);
  });

  it('002-40 even while a flow still names the component', async () => {
    const id = await component();
    const own = await made(id);
    await flow([id], 'running');
    expect((await remove(own)).statusCode).toBe(409);
    await t.registry.components.remove('acme', id, EVENT);
    expect((await remove(own)).statusCode).toBe(204);
  });

  it('002-07 when a component becomes global its client stays with the tenant that made it', async () => {
    const id = await component();
    const own = await made(id);
    const body = { data: { type: 'component', attributes: { access: 'global' } } };
    const global = await call(t, 'PATCH', `/v2/tenants/acme/components/${id}`, { auth, body });
    expect([global.statusCode, global.json().data.attributes.access]).toEqual([200, 'global']);
    const foreign = await t.bearer('other', 'tenants.*');
    const clientsOf = async (tenant: string, as: string): Promise<string[]> => {
      const { data } = (await get(`/v2/tenants/${tenant}/oauth-clients?filter[component]=${id}`, as)).json();
      return data.map((row: { id: string }) => row.id);
    };
    expect([await clientsOf('acme', auth), await clientsOf('other', foreign)]).toEqual([[own], []]);
    expect((await get(`/v2/tenants/other/oauth-clients/${own}`, foreign)).statusCode).toBe(404);
    // Without a client of its own the other tenant has no use of the component either.
    await expect(flow([id], 'draft', 'other')).rejects.toMatchObject({ code: 'OAUTH_CLIENT_MISSING' });
  });

  it('002-36 a global component: each tenant has a client of its own, and deleting one leaves the others', async () => {
    const id = await component(WITH_CLIENT, 'acme', 'global');
    const own = await made(id);
    const foreign = await t.bearer('other', 'tenants.*');
    const theirs = await post(document(id), '/v2/tenants/other/oauth-clients', foreign);
    expect(theirs.statusCode).toBe(201);
    expect((await remove(own)).statusCode).toBe(204);
    expect((await get(theirs.headers['location'] as string, foreign)).statusCode).toBe(200);
  });
});

it.each(['get', 'create', 'edit', 'delete'])(
  '002-11 with tenants.oauth_clients.%s alone, its verb alone is allowed',
  async (verb) => {
    const only = await t.bearer('acme', `tenants.oauth_clients.${verb}`);
    const id = await component();
    const own = await made(await component());
    const statuses = {
      get: (await get(`${PATH}/${own}`, only)).statusCode,
      create: (await post(document(id), PATH, only)).statusCode,
      edit: (await call(t, 'PATCH', `${PATH}/${own}`, { auth: only, body: document(await component()) })).statusCode,
      delete: (await remove(own, only)).statusCode,
    };
    const allowed = { get: 200, create: 201, edit: 200, delete: 204 };
    const expected = Object.entries(allowed).map(([name, status]) => [name, name === verb ? status : 403]);
    expect(statuses).toEqual(Object.fromEntries(expected));
  },
);
