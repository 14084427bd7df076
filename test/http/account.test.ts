/** What a save says of the account behind a connection: who answers for it, where it is, what it may do there. */
import { call, startTestApp, type TestApp } from './support';

type Attributes = Record<string, unknown>;

const basic: Attributes = {
  label: 'Shop',
  grant_type: 'client_credentials',
  token_url: 'https://shop.test/token',
  client_id: 'app-1',
  client_secret: 'cs-canary-4a6e8c0b2d',
  api_base_url: 'https://api.shop.test/v1',
};
const code: Attributes = {
  ...basic,
  grant_type: 'authorization_code',
  authorization_url: 'https://shop.test/auth',
  scope: 'read write',
};
const pasted: Attributes = { ...basic, grant_type: 'refresh_token', refresh_token: 'rt-canary-6b8d0f2a4c' };

let t: TestApp;
let auth: string;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
});
afterAll(() => t.stop());

const save = (attributes: Attributes, extra: Record<string, unknown> = {}) =>
  call(t, 'POST', '/v2/tenants/acme/integrations', {
    auth,
    body: { data: { type: 'integration', ...extra, attributes } },
  });

describe('what a tenant says of the account', () => {
  const shown = async (integration: string): Promise<Record<string, unknown>> =>
    (await call(t, 'GET', `/v2/tenants/acme/connections/cn_${integration}`, { auth })).json().data.attributes;

  it('004-16 marketplace account, region and role of the user are attributes of the connection', async () => {
    await save({ ...code, region: 'DE', account_role: 'Seller Central admin' }, { id: 'market' });
    expect(await shown('market')).toMatchObject({ region: 'DE', account_role: 'Seller Central admin' });
    const ref = { tenant: 'acme', connection: 'cn_market' };
    const token = {
      grant: 'gr_2',
      generation: 1,
      issuedAt: '2026-07-01T10:00:00.000Z',
      receivedAt: '2026-07-01T10:00:00.000Z',
      expiresAt: '2026-07-01T11:00:00.000Z',
      lifetimeSeconds: 3600,
      scope: 'read',
      refreshable: true,
    };
    const event = { type: 'grant.adopted', by: 'system', traceId: 'test' };
    const account = { id: 'A1B2', label: 'Shop One' };
    await t.registry.connections.adoptGrant(ref, { token, account, grantedAt: token.issuedAt, thaw: true, event });
    expect(await shown('market')).toMatchObject({
      account_id: 'A1B2',
      account_label: 'Shop One',
      region: 'DE',
      account_role: 'Seller Central admin',
    });
  });

  it('who saves a grant of a person answers for it, unless another is named', async () => {
    await save(code, { id: 'mine' });
    await save({ ...pasted, owner: 'ann@acme.test' }, { id: 'anns' });
    expect([(await shown('mine'))['owner'], (await shown('anns'))['owner']]).toEqual([
      'ops@acme.test',
      'ann@acme.test',
    ]);
  });

  it('003-14 a machine has no owner, and none may be given to it', async () => {
    await save({ ...basic, region: 'EU' }, { id: 'keyed' });
    const attributes = await shown('keyed');
    expect(attributes).toMatchObject({ region: 'EU' });
    expect(attributes).not.toHaveProperty('owner');
    t.connections.saves.length = 0;
    const answer = await save({ ...basic, owner: 'ann@acme.test' });
    expect([answer.statusCode, answer.json().errors[0]]).toMatchObject([
      422,
      { code: 'MEMBER_INVALID', source: { pointer: '/data/attributes/owner' } },
    ]);
    expect(t.connections.saves).toEqual([]);
  });
});
