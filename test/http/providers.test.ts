/** Providers: the shipped presets, and those a tenant makes. */
import { call, CALLBACK, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/providers';
const INTEGRATIONS = '/v2/tenants/acme/integrations';
const SECRET = 'cs-canary-3f8e1b';

type Attributes = Record<string, unknown>;

const pizza: Attributes = {
  title: 'Pizzavan',
  authorization_url: 'https://login.pizza.test/auth',
  token_url: 'https://login.pizza.test/token',
  api_base_url: 'https://api.pizza.test/v1',
  scope: { default: 'orders.read' },
  client_auth: 'client_secret_post',
};

let t: TestApp;
let auth: string;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
});
afterAll(() => t.stop());

const create = (id: string | undefined, attributes: Attributes) =>
  call(t, 'POST', PATH, { auth, body: { data: { type: 'provider', id, attributes } } });
const change = (id: string, attributes: Attributes, as = auth) =>
  call(t, 'PATCH', `${PATH}/${id}`, { auth: as, body: { data: { type: 'provider', attributes } } });
const get = (id: string, path = PATH) => call(t, 'GET', `${path}/${id}`, { auth });
const remove = (id: string) => call(t, 'DELETE', `${PATH}/${id}`, { auth });
const integrate = (id: string, attributes: Attributes) =>
  call(t, 'POST', INTEGRATIONS, {
    auth,
    body: {
      data: {
        type: 'integration',
        id,
        attributes: { label: `Label ${id}`, client_id: 'app', client_secret: SECRET, ...attributes },
      },
    },
  });
const problem = (answer: Awaited<ReturnType<typeof get>>) => {
  const { errors } = answer.json();
  return [answer.statusCode, errors[0].code, errors[0].source?.pointer];
};

describe('shipped providers', () => {
  it('are listed before the own ones, page by page, with what a form needs', async () => {
    await create('pv_listed', pizza);
    const all = (await call(t, 'GET', PATH, { auth })).json().data;
    expect(all.map(({ id }: { id: string }) => id)).toEqual(['crm', 'generic', 'google', 'pv_listed']);
    expect(all[0]).toMatchObject({
      attributes: {
        title: 'Blue CRM',
        read_only: true,
        constant_endpoints: true,
        redirect_uri: CALLBACK,
        token_url: 'https://crm.test/token',
        scope: { default: 'contacts.read', required: [] },
      },
    });
    expect(all[1].attributes).toMatchObject({ read_only: true, constant_endpoints: false });
    expect(all[1].attributes.redirect_uri).toBeUndefined();
    const seen: string[] = [];
    for (let next: string | null = `${PATH}?page[size]=3`; next !== null;) {
      const answer = await call(t, 'GET', next, { auth });
      const { data, links }: { data: { id: string }[]; links: { next: string | null } } = answer.json();
      seen.push(...data.map(({ id }) => id));
      next = links.next;
    }
    expect(seen).toEqual(['crm', 'generic', 'google', 'pv_listed']);
  });

  it('are read-only; what no provider is called is not found', async () => {
    expect((await get('google')).json().data.attributes.title).toBe('Google');
    expect(problem(await change('google', { title: 'Mine' }))).toEqual([403, 'FORBIDDEN', undefined]);
    expect(problem(await remove('google'))).toEqual([403, 'FORBIDDEN', undefined]);
    for (const id of ['nope', 'pv_nope']) {
      for (const answer of [await get(id), await change(id, { title: 'x' }), await remove(id)]) {
        expect(answer.statusCode).toBe(404);
      }
    }
  });
});

describe('providers of a tenant', () => {
  it('001-21 are created, read, listed, changed and removed, each with its own permission', async () => {
    const made = await create('pv_crud', pizza);
    expect([made.statusCode, made.headers.location]).toEqual([201, `${PATH}/pv_crud`]);
    expect((await get('pv_crud')).json().data).toEqual(made.json().data);
    expect(made.json().data.attributes).toMatchObject({
      ...pizza,
      read_only: false,
      constant_endpoints: false,
      scope: { default: 'orders.read', required: [], separator: ' ' },
    });
    const changed = await change('pv_crud', { title: 'Pizzavan Ltd', scope: { default: 'orders.write' } });
    expect(changed.json().data.attributes).toMatchObject({
      title: 'Pizzavan Ltd',
      scope: { default: 'orders.write' },
      token_url: pizza['token_url'],
    });
    const verbs = { get: 'GET', create: 'POST', edit: 'PATCH', delete: 'DELETE' } as const;
    for (const [held, own] of Object.entries(verbs)) {
      const key = await t.bearer('acme', `tenants.providers.${held}`);
      for (const method of Object.values(verbs)) {
        const url = method === 'POST' ? PATH : `${PATH}/pv_nobody`;
        const body = { data: { type: 'provider', attributes: {} } };
        const { statusCode } = await call(t, method, url, { auth: key, body: method === 'GET' ? undefined : body });
        expect([held, method, statusCode === 403]).toEqual([held, method, method !== own]);
      }
    }
    expect((await remove('pv_crud')).statusCode).toBe(204);
    expect((await get('pv_crud')).statusCode).toBe(404);
    const events = await t.registry.events.list('acme', undefined, { size: 100 });
    const told = events.filter(({ facts }) => facts?.['provider'] === 'pv_crud').map(({ type }) => type);
    expect(told).toEqual(['provider.created', 'provider.changed', 'provider.removed']);
  });

  it('001-03 one is used like a default: form, save, redirect URI of its own, consent link', async () => {
    await create('pv_pizza', pizza);
    const form = await call(t, 'GET', '/v2/tenants/acme/grant-types/code/fields?provider=pv_pizza', { auth });
    expect(form.statusCode).toBe(404);
    const fields = await call(
      t,
      'GET',
      '/v2/tenants/acme/grant-types/Authorization%20Code/fields?provider=pv_pizza&integration=slices',
      { auth },
    );
    const required = fields
      .json()
      .data.filter(({ attributes }: { attributes: { required: boolean } }) => attributes.required)
      .map(({ id }: { id: string }) => id);
    expect(required).toEqual(['label', 'grant_type', 'client_id', 'client_secret']);
    const saved = await integrate('slices', { grant_type: 'authorization_code', preset: 'pv_pizza' });
    expect([saved.statusCode, saved.json().included[0].type]).toEqual([201, 'consent-link']);
    expect(saved.json().data.attributes).toMatchObject({
      preset: 'pv_pizza',
      token_url: pizza['token_url'],
      client_auth: 'client_secret_post',
      scope: 'orders.read',
      // Typed by a tenant, whoever reuses it: a context of its own (C13).
      redirect_uri: `${CALLBACK}/acme.slices`,
    });
    const connection = await call(t, 'GET', '/v2/tenants/acme/connections/cn_slices', { auth });
    expect(connection.json().data.attributes.text).toContain('Label slices');
  });

  it('001-04 a base pre-fills a new one, and what it filled in can be edited', async () => {
    const made = await create('pv_based', { title: 'My CRM', base: 'crm', api_base_url: 'https://eu.crm.test/v2' });
    expect(made.json().data.attributes).toMatchObject({
      title: 'My CRM',
      base: 'crm',
      authorization_url: 'https://crm.test/auth',
      token_url: 'https://crm.test/token',
      api_base_url: 'https://eu.crm.test/v2',
      scope: { default: 'contacts.read' },
    });
    const again = await create('pv_based2', { title: 'Mine again', base: 'pv_based', api_base_url: null });
    expect(again.json().data.attributes).toMatchObject({ base: 'pv_based', token_url: 'https://crm.test/token' });
    expect(again.json().data.attributes.api_base_url).toBeUndefined();
    const edited = await change('pv_based', { token_url: 'https://eu.crm.test/token' });
    expect(edited.json().data.attributes).toMatchObject({
      token_url: 'https://eu.crm.test/token',
      authorization_url: 'https://crm.test/auth',
    });
    expect((await get('crm')).json().data.attributes.token_url).toBe('https://crm.test/token');
    expect((await get('pv_based2')).json().data.attributes.token_url).toBe('https://crm.test/token');
  });

  it.each<[string, string | undefined, Attributes, [number, string, string]]>([
    ['no title', 'pv_bad', { ...pizza, title: undefined }, [422, 'MEMBER_MISSING', '/data/attributes/title']],
    ['no token URL', 'pv_bad', { title: 'X' }, [422, 'MEMBER_MISSING', '/data/attributes/token_url']],
    ['an unknown base', 'pv_bad', { ...pizza, base: 'nope' }, [422, 'MEMBER_INVALID', '/data/attributes/base']],
    [
      'a URL of this machine',
      'pv_bad',
      { ...pizza, token_url: 'https://127.0.0.1/token' },
      [422, 'MEMBER_INVALID', '/data/attributes/token_url'],
    ],
    ['a name of shipped ones', 'pizza', pizza, [422, 'MEMBER_INVALID', '/data/id']],
    [
      'a parameter of the protocol',
      'pv_bad',
      { ...pizza, authorization_params: { redirect_uri: 'https://evil.test' } },
      [422, 'MEMBER_INVALID', '/data/attributes/authorization_params'],
    ],
    [
      'a grace without seconds',
      'pv_bad',
      { ...pizza, rotation: { mode: 'grace' } },
      [422, 'MEMBER_MISSING', '/data/attributes/rotation/grace_seconds'],
    ],
    [
      'text no database takes',
      'pv_bad',
      { ...pizza, response: { path: 'a\u0000b' } },
      [422, 'MEMBER_INVALID', '/data/attributes'],
    ],
    [
      'credentials',
      'pv_bad',
      { ...pizza, client_secret: SECRET },
      [422, 'MEMBER_INVALID', '/data/attributes/client_secret'],
    ],
  ])('%s is refused with a pointer, and nothing is stored', async (_what, id, attributes, expected) => {
    expect(problem(await create(id, attributes))).toEqual(expected);
    expect(await t.registry.providers.get('acme', 'pv_bad')).toBeUndefined();
  });

  it('an id is taken once', async () => {
    await create('pv_taken', pizza);
    expect(problem(await create('pv_taken', pizza))[0]).toBe(409);
    expect((await create(undefined, pizza)).json().data.id).toMatch(/^pv_[a-z2-7]{26}$/);
  });

  it('001-03 is unknown to other tenants', async () => {
    await create('pv_ours', pizza);
    const foreign = await t.bearer('other', 'tenants.*');
    const read = await call(t, 'GET', '/v2/tenants/other/providers/pv_ours', { auth: foreign });
    expect(read.statusCode).toBe(404);
    const list = await call(t, 'GET', '/v2/tenants/other/providers', { auth: foreign });
    expect(list.body).not.toContain('pv_ours');
    const attributes = { label: 'x', grant_type: 'm2m', preset: 'pv_ours', client_id: 'a', client_secret: SECRET };
    const save = await call(t, 'POST', '/v2/tenants/other/integrations', {
      auth: foreign,
      body: { data: { type: 'integration', attributes } },
    });
    expect(problem(save)).toEqual([422, 'MEMBER_INVALID', '/data/attributes/preset']);
  });

  it('in use is not removed: the answer names the integrations', async () => {
    await create('pv_used', pizza);
    await integrate('user-1', { grant_type: 'm2m', preset: 'pv_used' });
    const refused = await remove('pv_used');
    expect(problem(refused)).toEqual([409, 'IN_USE', undefined]);
    expect(refused.json().errors[0].meta.integrations).toEqual([{ id: 'user-1', label: 'Label user-1' }]);
    await t.registry.integrations.remove('acme', 'user-1', { type: 'integration.removed', by: 'x', traceId: 'y' });
    expect((await remove('pv_used')).statusCode).toBe(204);
  });

  it('in use takes another origin only from who may edit endpoints; integrations keep theirs, and that is said', async () => {
    await create('pv_moving', pizza);
    const editor = await t.bearer('acme', 'tenants.providers.edit');
    const there = { token_url: 'https://new.pizza.test/token' };
    expect((await change('pv_moving', there, editor)).json().meta).toBeUndefined();
    await integrate('moved', { grant_type: 'm2m', preset: 'pv_moving' });
    const elsewhere = { token_url: 'https://evil.test/token' };
    expect(problem(await change('pv_moving', elsewhere, editor))).toEqual([403, 'FORBIDDEN', undefined]);
    const path = { token_url: 'https://new.pizza.test/oauth/token' };
    expect((await change('pv_moving', path, editor)).statusCode).toBe(200);
    const allowed = await change('pv_moving', elsewhere);
    expect(allowed.json().meta.warnings).toMatchObject([{ code: 'INTEGRATIONS_KEEP_ENDPOINTS' }]);
    const kept = await call(t, 'GET', `${INTEGRATIONS}/moved`, { auth });
    expect(kept.json().data.attributes.token_url).toBe(there.token_url);
  });
});

describe('accounts of a provider', () => {
  it('001-01 the named record with client id and secret is the integration: without either it is rejected', async () => {
    for (const name of ['label', 'client_id', 'client_secret']) {
      const answer = await integrate('half', { grant_type: 'm2m', preset: 'crm', [name]: undefined });
      expect(problem(answer)).toEqual([422, 'MEMBER_MISSING', `/data/attributes/${name}`]);
    }
    expect(await t.registry.integrations.get('acme', 'half')).toBeUndefined();
  });

  it('001-06 each references its provider, of which there may be many; they are found by it', async () => {
    await create('pv_many', pizza);
    for (const id of ['many-1', 'many-2']) await integrate(id, { grant_type: 'm2m', preset: 'pv_many' });
    await integrate('another', { grant_type: 'm2m', preset: 'crm' });
    const found = (await call(t, 'GET', `${INTEGRATIONS}?filter[provider]=pv_many`, { auth })).json().data;
    expect(found.map(({ id }: { id: string }) => id)).toEqual(['many-1', 'many-2']);
    const { links } = (await get('pv_many')).json().data.relationships.integrations;
    expect((await call(t, 'GET', links.related, { auth })).json().data).toEqual(found);
    const empty = (await call(t, 'GET', `${INTEGRATIONS}?filter[provider]=`, { auth })).json();
    expect(empty.meta.warnings).toMatchObject([{ code: 'EMPTY_FILTER_IGNORED', parameter: 'filter[provider]' }]);
  });
});
