/** Flows: what they include, and what keeps them from including it. */
import { clientFor, component, connected, event, manifest, runOn } from '../unit/registry/builders';
import { call, startTestApp, type TestApp } from './support';

let test: TestApp;
let auth: string;
let elsewhere: string;

beforeAll(async () => {
  test = await startTestApp();
  auth = await test.bearer('acme', 'tenants.flows.*');
  elsewhere = await test.bearer('other', 'tenants.flows.*');
});
afterAll(() => test?.stop());

const FLOWS = '/v2/tenants/acme/flows';
type Answer = Awaited<ReturnType<typeof call>>;

const of = (type: string, ...ids: string[]): object => ({ data: ids.map((id) => ({ type, id })) });
const document = (attributes: object, relationships?: object, id?: string): object => ({
  data: { type: 'flow', id, attributes, relationships },
});
const post = (body: object): Promise<Answer> => call(test, 'POST', FLOWS, { auth, body });
const patch = (id: string, body: object): Promise<Answer> => call(test, 'PATCH', `${FLOWS}/${id}`, { auth, body });
const errorsOf = (answer: Answer): [number, string, string | undefined][] =>
  answer
    .json()
    .errors.map((one: { code: string; source?: { pointer: string } }) => [
      answer.statusCode,
      one.code,
      one.source?.pointer,
    ]);
const usable = async (): Promise<string> => {
  const id = await component(test.registry, 'acme');
  await clientFor(runOn(test.databaseUrl), 'acme', id);
  return id;
};
const created = async (attributes: object = {}, relationships?: object): Promise<string> => {
  const answer = await post(document({ name: 'Orders', ...attributes }, relationships));
  expect([answer.statusCode, answer.body]).toEqual([201, expect.any(String)]);
  return answer.json().data.id;
};

describe('a flow', () => {
  it('002-35 is created with what it includes, and read back', async () => {
    const [id, { ref }] = [await usable(), await connected(test.registry, 'acme')];
    const answer = await post(
      document(
        { name: ' Orders to warehouse ', status: 'running', schedule: '0 * * * *' },
        { components: of('component', id), connections: of('connection', ref.connection) },
      ),
    );
    expect(answer.statusCode).toBe(201);
    const { data } = answer.json();
    expect(data).toEqual({
      type: 'flow',
      id: expect.stringMatching(/^fl_[a-z2-7]{26}$/),
      attributes: {
        name: 'Orders to warehouse',
        status: 'running',
        schedule: '0 * * * *',
        version: 1,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
      relationships: {
        components: of('component', id),
        connections: of('connection', ref.connection),
        versions: { links: { related: `${FLOWS}/${data.id}/versions` } },
      },
      links: { self: `${FLOWS}/${data.id}` },
    });
    expect(answer.headers['location']).toBe(`${FLOWS}/${data.id}`);
    expect((await call(test, 'GET', `${FLOWS}/${data.id}`, { auth })).json().data).toEqual(data);
    const foreign = `/v2/tenants/other/flows/${data.id}`;
    for (const method of ['GET', 'DELETE'] as const) {
      expect((await call(test, method, foreign, { auth: elsewhere })).statusCode).toBe(404);
    }
  });

  it('takes an id of its maker, once', async () => {
    const make = (): Promise<Answer> => post(document({ name: 'Orders' }, undefined, 'my-flow'));
    const answer = await make();
    expect([answer.statusCode, answer.json().data.attributes.status]).toEqual([201, 'draft']);
    expect(errorsOf(await make())).toEqual([[409, 'ALREADY_EXISTS', '/data/id']]);
  });

  it('002-09 is refused when a global component has no client here, at the entry that names it', async () => {
    const [own, global] = [await usable(), await component(test.registry, 'other', { access: 'global' })];
    const include = (): Promise<Answer> =>
      post(document({ name: 'Orders' }, { components: of('component', own, global) }));
    const entry = '/data/relationships/components/data/1';
    expect(errorsOf(await include())).toEqual([[422, 'OAUTH_CLIENT_MISSING', entry]]);
    const id = await created();
    expect(errorsOf(await patch(id, document({}, { components: of('component', own, global) })))).toEqual([
      [422, 'OAUTH_CLIENT_MISSING', entry],
    ]);
    await clientFor(runOn(test.databaseUrl), 'acme', global);
    expect((await include()).statusCode).toBe(201);
  });

  it('002-18 is refused for what is not there, or not this tenant’s, at the entry that names it', async () => {
    const { ref } = await connected(test.registry, 'other');
    const foreign = await component(test.registry, 'other', { manifest: manifest({ useOAuthClient: false }) });
    const include = async (relationships: object): Promise<unknown> =>
      errorsOf(await post(document({ name: 'Orders' }, relationships)));
    const unknown = [[404, 'NOT_FOUND', '/data/relationships/components/data/0']];
    expect(await include({ components: of('component', foreign) })).toEqual(unknown);
    expect(await include({ components: of('component', 'cp_unknown') })).toEqual(unknown);
    expect(await include({ connections: of('connection', ref.connection) })).toEqual([
      [404, 'NOT_FOUND', '/data/relationships/connections/data/0'],
    ]);
  });

  it.each([
    ['no name', document({}), 400, 'MEMBER_MISSING', '/data/attributes/name'],
    ['a blank name', document({ name: ' ' }), 422, 'MEMBER_INVALID', '/data/attributes/name'],
    ['an unknown status', document({ name: 'a', status: 'on' }), 422, 'MEMBER_INVALID', '/data/attributes/status'],
    ['an unknown member', document({ name: 'a', owner: 'b' }), 422, 'MEMBER_INVALID', '/data/attributes/owner'],
    [
      'another type of what is included',
      document({ name: 'a' }, { components: of('flow', 'cp_1') }),
      409,
      'TYPE_CONFLICT',
      '/data/relationships/components/data/0/type',
    ],
    [
      'one thing where a list is',
      document({ name: 'a' }, { components: { data: { type: 'component', id: 'cp_1' } } }),
      422,
      'MEMBER_INVALID',
      '/data/relationships/components/data',
    ],
    [
      'an unknown relationship',
      document({ name: 'a' }, { owner: of('principal', 'pr_1') }),
      422,
      'MEMBER_INVALID',
      '/data/relationships/owner',
    ],
    ['an id that is none', document({ name: 'a' }, undefined, 'A B'), 422, 'MEMBER_INVALID', '/data/id'],
  ])('is refused with %s', async (_what, body, status, code, pointer) => {
    expect(errorsOf(await post(body))).toEqual([[status, code, pointer]]);
  });
});

describe('changing a flow', () => {
  it('makes a version when it includes something else, and keeps what is not named', async () => {
    const [one, two] = [await usable(), await usable()];
    const id = await created({ schedule: 'daily' }, { components: of('component', one) });
    const renamed = await patch(id, document({ name: 'Renamed', status: 'stopped' }, undefined, id));
    expect(renamed.json().data).toMatchObject({
      attributes: { name: 'Renamed', status: 'stopped', schedule: 'daily', version: 1 },
      relationships: { components: of('component', one) },
    });
    const changed = await patch(id, document({ schedule: null }, { components: of('component', two) }));
    expect([changed.statusCode, changed.json().data]).toMatchObject([
      200,
      {
        attributes: { name: 'Renamed', schedule: null, version: 2 },
        relationships: { components: of('component', two) },
      },
    ]);
    const { data } = (await call(test, 'GET', `${FLOWS}/${id}/versions`, { auth })).json();
    expect(data).toMatchObject([
      { type: 'flow-version', id: `${id}.2`, attributes: { version: 2, created_by: 'ops@acme.test' } },
      { id: `${id}.1`, relationships: { components: of('component', one), connections: { data: [] } } },
    ]);
    expect(errorsOf(await patch(id, document({}, undefined, 'another')))).toEqual([[409, 'TYPE_CONFLICT', '/data/id']]);
    expect((await patch('fl_unknown', document({ name: 'a' }))).statusCode).toBe(404);
  });

  it('002-27 old versions are removed one by one, the current one with the flow', async () => {
    const id = await created();
    await patch(id, document({}, { components: of('component', await usable()) }));
    const remove = async (path: string): Promise<number> =>
      (await call(test, 'DELETE', `${FLOWS}/${id}${path}`, { auth })).statusCode;
    expect(errorsOf(await call(test, 'DELETE', `${FLOWS}/${id}/versions/2`, { auth }))).toEqual([
      [409, 'IN_USE', undefined],
    ]);
    expect([await remove('/versions/1'), await remove('/versions/1'), await remove('/versions/x')]).toEqual([
      204, 404, 404,
    ]);
    expect([await remove(''), await remove('')]).toEqual([204, 404]);
    expect((await call(test, 'GET', `${FLOWS}/${id}/versions`, { auth })).statusCode).toBe(404);
  });

  it('of a component that was removed goes on with what else it has', async () => {
    const gone = await usable();
    const id = await created({}, { components: of('component', gone) });
    await test.registry.components.remove('acme', gone, event('component.removed'));
    expect((await patch(id, document({ status: 'stopped' }))).statusCode).toBe(200);
    expect((await call(test, 'DELETE', `${FLOWS}/${id}`, { auth })).statusCode).toBe(204);
  });
});

describe('flows', () => {
  it('are found by component, connection and status, in pages', async () => {
    const [id, { ref }] = [await usable(), await connected(test.registry, 'acme')];
    const running = await created(
      { status: 'running' },
      { components: of('component', id), connections: of('connection', ref.connection) },
    );
    const draft = await created({}, { components: of('component', id) });
    const found = async (query: string): Promise<string[]> =>
      (await call(test, 'GET', `${FLOWS}?${query}`, { auth })).json().data.map((one: { id: string }) => one.id);
    expect(await found(`filter[component]=${id}`)).toEqual([running, draft].sort());
    expect(await found(`filter[connection]=${ref.connection}`)).toEqual([running]);
    expect(await found(`filter[component]=${id}&filter[status]=draft`)).toEqual([draft]);
    expect(await found('filter[component]=cp_unknown')).toEqual([]);
    const first = (await call(test, 'GET', `${FLOWS}?filter[component]=${id}&page[size]=1`, { auth })).json();
    const next = (await call(test, 'GET', first.links.next, { auth })).json();
    expect([...first.data, ...next.data].map((one) => one.id)).toEqual([running, draft].sort());
    expect(next.links.next).toBeNull();
    const all = (await call(test, 'GET', `${FLOWS}?filter[component]=`, { auth })).json();
    expect([all.data.length > 1, all.meta.warnings[0].code]).toEqual([true, 'EMPTY_FILTER_IGNORED']);
    for (const query of ['filter[status]=on', 'filter[component]=%00', 'filter[other]=a']) {
      expect((await call(test, 'GET', `${FLOWS}?${query}`, { auth })).statusCode).toBe(400);
    }
  });

  it.each([
    ['GET', ''],
    ['POST', ''],
    ['GET', '/fl_1'],
    ['PATCH', '/fl_1'],
    ['DELETE', '/fl_1'],
    ['GET', '/fl_1/versions'],
    ['DELETE', '/fl_1/versions/1'],
  ] as const)('%s flows%s is forbidden without its permission', async (method, path) => {
    const without = await test.bearer('acme', 'tenants.components.*');
    expect((await call(test, method, `${FLOWS}${path}`, { auth: without })).statusCode).toBe(403);
  });
});
