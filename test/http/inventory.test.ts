/** What operations know of the connections of a tenant: filters, clocks, permissions, dependents, and the same as CSV. */
import { Client } from 'pg';
import type { IntegrationSettings } from '../../src/connection/messages';
import type { Registration } from '../../src/registry/contract';
import { settings } from '../support/settings';
import { call, seedConnection, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/connections';
const AT = { issuer: 'https://shop.test', apiUrl: 'https://api.shop.test' };

let t: TestApp;
let auth: string;

const seed = (
  integration: string,
  about: NonNullable<Registration['about']> = {},
  change: Partial<IntegrationSettings> = {},
  row: Partial<Registration> = {},
) =>
  seedConnection(
    t.registry,
    { tenant: 'acme', integration, settings: settings(AT, change), about },
    `cn_${integration}`,
    row,
  );

const token = (expiresAt: string, scope = 'read') => ({
  grant: 'gr_1',
  generation: 3,
  issuedAt: '2026-07-01T10:00:00.000Z',
  receivedAt: '2026-07-01T10:00:01.000Z',
  expiresAt,
  lifetimeSeconds: 3600,
  scope,
  refreshable: true,
});

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
  await t.bearer('other');
  await seed(
    'crm',
    { owner: 'ann@acme.test', region: 'DE', account_role: '=admin' },
    {
      preset: 'crm',
      grant_type: 'refresh_token',
      environment: 'production',
      customer_reference: 'customer-7',
      scope: 'read write offline_access',
      policy: { refresh: 'proactive', fallback: 'skip', idle_limit_seconds: 86_400, absolute_limit_seconds: 864_000 },
    },
    {
      token: token('2026-07-01T11:00:00.000Z'),
      account: { id: 'A1', label: 'Shop, One' },
      grantedAt: '2026-07-01T09:00:00.000Z',
      nextAttemptAt: '2026-07-01T10:55:00.000Z',
    },
  );
  await seed('shop', {}, {}, { token: token('2026-08-01T00:00:00.000Z', '') });
  await seed('new', { owner: 'bob@acme.test' }, { grant_type: 'authorization_code', scope: 'read' });
  await t.registry.connections.recordTransition(
    { tenant: 'acme', connection: 'cn_shop' },
    {
      stateVersion: 5,
      state: 'degraded',
      reason: 'CLIENT_REJECTED',
      since: '2026-07-01T10:00:00.000Z',
      nextAttemptAt: '2026-07-01T10:00:30.000Z',
      usable: true,
      evidence: { id: 'ev_1', at: '2026-07-01T10:00:00.000Z', class: 'CONFIG', httpStatus: 401, attempt: 1 },
    },
  );
  const client = new Client({ connectionString: t.databaseUrl });
  await client.connect();
  await client.query(`INSERT INTO flows (tenant, id, name, status, schedule, version) VALUES
    ('acme', 'orders', 'Orders every hour', 'running', '0 * * * *', 2), ('acme', 'old', 'Old', 'stopped', NULL, 2)`);
  await client.query(`INSERT INTO flow_versions (tenant, flow, version, created_by) VALUES
    ('acme', 'orders', 1, 'ann'), ('acme', 'orders', 2, 'ann'), ('acme', 'old', 1, 'ann'), ('acme', 'old', 2, 'ann')`);
  await client.query(`INSERT INTO flow_connections (tenant, flow, version, connection) VALUES
    ('acme', 'orders', 2, 'cn_crm'), ('acme', 'old', 1, 'cn_crm')`);
  await client.end();
});
afterAll(() => t.stop());

const get = (path: string) => call(t, 'GET', `${PATH}${path}`, { auth });
const attributesOf = async (id: string) => (await get(`/${id}`)).json().data.attributes;

describe('the list', () => {
  it.each([
    ['filter[state]=degraded', ['cn_shop']],
    ['filter[who]=administrator', ['cn_shop']],
    ['filter[who]=account_owner', ['cn_new']],
    ['filter[who]=nobody', ['cn_crm']],
    ['filter[provider]=crm', ['cn_crm']],
    ['filter[environment]=production', ['cn_crm']],
    ['filter[expires_before]=2026-07-01T13:00:00%2B02:00', []],
    ['filter[expires_before]=2026-07-01T13:00:01%2B02:00', ['cn_crm']],
    ['filter[owner]=bob@acme.test', ['cn_new']],
    ['filter[account]=A1', ['cn_crm']],
    ['filter[account]=Shop, One', ['cn_crm']],
    ['filter[tenant_id]=customer-7', ['cn_crm']],
    ['filter[integration]=new', ['cn_new']],
    ['filter[provider]=generic&filter[who]=administrator', ['cn_shop']],
    ['filter[owner]=nobody@acme.test', []],
  ])('%s finds %j', async (query, ids) => {
    const answer = await get(`?${query}`);
    expect([answer.statusCode, answer.json().data.map(({ id }: { id: string }) => id)]).toEqual([200, ids]);
  });

  it.each([
    'filter[who]=me',
    'filter[environment]=test',
    'filter[expires_before]=tomorrow',
    'filter[expires_before]=0001-01-01T00:00:00Z',
    'filter[owner]=%00',
  ])('refuses %s and names the parameter', async (query) => {
    const answer = await get(`?${query}`);
    expect([answer.statusCode, answer.json().errors[0].source]).toEqual([400, { parameter: query.split('=')[0] }]);
  });

  it('keeps a filter on the next page, and says of an empty one that it filters nothing', async () => {
    const first = (await get('?filter[expires_before]=2027-01-01T00:00:00Z&page[size]=1&filter[owner]=')).json();
    expect(first.meta.warnings).toMatchObject([{ parameter: 'filter[owner]' }]);
    const second = (await call(t, 'GET', first.links.next, { auth })).json();
    const ids = [first, second].map(({ data }) => data[0].id);
    expect([ids, second.links.next]).toEqual([['cn_crm', 'cn_shop'], null]);
  });
});

describe('one connection', () => {
  it('004-06 shows state, since, last success, next refresh and the class of the last error', async () => {
    expect(await attributesOf('cn_shop')).toMatchObject({
      state: 'degraded',
      since: '2026-07-01T10:00:00.000Z',
      issued_at: '2026-07-01T10:00:00.000Z',
      refreshed_at: null,
      next_attempt_at: '2026-07-01T10:00:30.000Z',
      last_error_class: 'CONFIG',
    });
    expect(await attributesOf('cn_crm')).toMatchObject({ state: 'active', last_error_class: null });
  });

  it('004-07 shows which permissions were not granted', async () => {
    const { scope, needed_scope, missing_scope } = await attributesOf('cn_crm');
    expect({ scope, needed_scope, missing_scope }).toEqual({
      scope: 'read',
      needed_scope: 'read write offline_access',
      missing_scope: 'write',
    });
    expect(await attributesOf('cn_new')).toMatchObject({ needed_scope: 'read', missing_scope: '' });
  });

  it('004-02 says provider, customer, account, region and role, and who answers for it', async () => {
    expect(await attributesOf('cn_crm')).toMatchObject({
      provider: 'crm',
      environment: 'production',
      tenant_id: 'customer-7',
      account_id: 'A1',
      account_label: 'Shop, One',
      region: 'DE',
      account_role: '=admin',
      owner: 'ann@acme.test',
    });
  });

  it('shows when the provider ends the authorization, used or unused', async () => {
    expect(await attributesOf('cn_crm')).toMatchObject({
      authorization_ends_at: '2026-07-11T09:00:00.000Z',
      ends_unused_at: '2026-07-02T10:00:00.000Z',
    });
    const machine = await attributesOf('cn_shop');
    expect([machine.authorization_ends_at, machine.ends_unused_at]).toEqual([undefined, undefined]);
  });

  it('004-08 names the flows that need it, and says how many when consent is to be renewed', async () => {
    const lost = { tenant: 'acme', connection: 'cn_crm' };
    const well = await t.registry.connections.get(lost);
    await t.registry.connections.recordTransition(lost, {
      stateVersion: 7,
      state: 'reauth_required',
      reason: 'GRANT_REFUSED',
      since: '2026-07-01T10:30:00.000Z',
      nextAttemptAt: null,
      usable: false,
    });
    const { attributes, relationships } = (await get('/cn_crm')).json().data;
    expect(relationships.flows).toEqual({
      links: { related: '/v2/tenants/acme/flows?filter[connection]=cn_crm' },
      data: [{ type: 'flow', id: 'orders' }],
      meta: { count: 1 },
    });
    expect(attributes.text).toContain('1 flows are affected.');
    expect(attributes.next_action).toContain('Renew consent');
    await t.registry.connections.recordTransition(lost, {
      stateVersion: 8,
      state: 'active',
      since: well?.since ?? '',
      nextAttemptAt: well?.nextAttemptAt ?? null,
      usable: true,
    });
  });

  it('001-06 many accounts may be of one provider, each its own connection', async () => {
    await seed(
      'second',
      {},
      { preset: 'crm', grant_type: 'refresh_token' },
      { account: { id: 'A2', label: 'Shop Two' } },
    );
    const { data } = (await get('?filter[provider]=crm')).json();
    expect(data.map((one: { attributes: { account_id: string } }) => one.attributes.account_id)).toEqual(['A1', 'A2']);
    await t.registry.integrations.remove('acme', 'second', { type: 'integration.removed', by: 'ops', traceId: 'test' });
  });
});

describe('changing what the tenant says of the account', () => {
  const patch = (attributes: unknown, id = 'cn_new', extra: object = {}, by = auth) =>
    call(t, 'PATCH', `${PATH}/${id}`, { auth: by, body: { data: { type: 'connection', ...extra, attributes } } });
  const changes = async () =>
    (await t.registry.events.list('acme', 'cn_new', { size: 100 })).filter(({ type }) => type === 'connection.changed');

  it('is shown and told with what was before; what is absent stays, null takes it away', async () => {
    const first = await patch({ region: 'FR', account_role: 'seller' });
    expect([first.statusCode, first.json().data.attributes]).toMatchObject([
      200,
      { region: 'FR', account_role: 'seller' },
    ]);
    const second = (await patch({ region: null })).json().data.attributes;
    expect([second.region, second.account_role]).toEqual([undefined, 'seller']);
    expect((await changes()).at(-1)).toMatchObject({
      by: 'ops@acme.test',
      facts: { before: { region: 'FR', account_role: 'seller' }, after: { region: null, account_role: 'seller' } },
    });
  });

  it('that changes nothing tells nothing', async () => {
    const before = (await changes()).length;
    expect((await patch({ account_role: 'seller' })).statusCode).toBe(200);
    expect(await changes()).toHaveLength(before);
  });

  it('does not change hands, nor anything else', async () => {
    for (const name of ['owner', 'state', 'scope']) {
      const answer = await patch({ [name]: 'eve@acme.test' });
      expect([answer.statusCode, answer.json().errors[0].source.pointer]).toEqual([422, `/data/attributes/${name}`]);
    }
    expect((await patch({ region: 'US' }, 'cn_new', { id: 'cn_other' })).statusCode).toBe(409);
    expect((await patch({ region: 'US' }, 'cn_nothing')).statusCode).toBe(404);
    const reader = await t.bearer('acme', 'tenants.connections.get');
    expect((await patch({ region: 'US' }, 'cn_new', {}, reader)).statusCode).toBe(403);
  });
});

describe('the inventory as CSV', () => {
  const csv = (query = '') => call(t, 'GET', `${PATH}.csv${query}`, { auth });

  it('004-03 names account, region, owner, permissions and since when for each connection, and runs no formula', async () => {
    const answer = await csv();
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([
      200,
      'text/csv; charset=utf-8; header=present',
    ]);
    const [header = '', ...rows] = answer.body.trimEnd().split('\r\n');
    expect(header.split(',')).toEqual(
      expect.arrayContaining(['account', 'region', 'owner', 'connected_since', 'granted_scope', 'state', 'provider']),
    );
    expect(rows.map((row) => row.split(',')[0])).toEqual(['cn_crm', 'cn_new', 'cn_shop']);
    expect(rows[0]).toContain(
      `"Shop, One",A1,'=admin,DE,ann@acme.test,customer-7,2026-07-01T09:00:00.000Z,read,write,active`,
    );
  });

  it('takes the filters of the list and no page, and shows the own tenant only', async () => {
    expect((await csv('?filter[owner]=bob@acme.test')).body.match(/\r\n/g)).toHaveLength(2);
    expect((await csv('?page[size]=10')).statusCode).toBe(400);
    const other = await t.bearer('other', 'tenants.*');
    const own = await call(t, 'GET', '/v2/tenants/other/connections.csv', { auth: other });
    expect(own.body.match(/\r\n/g)).toHaveLength(1);
    expect((await call(t, 'GET', `${PATH}.csv`, { auth: other })).statusCode).toBe(404);
  });

  it('is written page by page, whole', async () => {
    for (let n = 0; n < 205; n++) await seed(`bulk${String(n).padStart(3, '0')}`, {}, { customer_reference: 'bulk' });
    const ids = (await csv('?filter[tenant_id]=bulk')).body
      .split('\r\n')
      .slice(1, -1)
      .map((row) => row.split(',')[0]);
    expect(new Set(ids).size).toBe(205);
    expect(ids).toEqual([...ids].sort());
  });
});
