/** Whatever the connector, the operations are the same; its defaults come from its preset. */
import { call, startTestApp, type TestApp } from './support';

let t: TestApp;
let auth: string;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
});
afterAll(() => t.stop());

it.each(['google', 'crm', 'generic'])(
  '004-01 %s: consent, refresh, revocation and the connector’s defaults are had by the same four operations',
  async (preset) => {
    const own = {
      authorization_url: 'https://shop.test/auth',
      token_url: 'https://shop.test/token',
      scope: 'orders.read',
      api_base_url: 'https://api.shop.test',
    };
    const defaults = await call(t, 'GET', `/v2/grant-types/authorization_code/fields?provider=${preset}`);
    expect(defaults.statusCode).toBe(200);
    const attributes = {
      label: 'Shop',
      grant_type: 'authorization_code',
      preset,
      client_id: 'app',
      client_secret: 'app-secret-canary',
      ...(preset === 'generic' ? own : { scope: own.scope, api_base_url: own.api_base_url }),
    };
    const id = `in_${preset}`;
    const body = { data: { type: 'integration', id, attributes } };
    expect((await call(t, 'POST', '/v2/tenants/acme/integrations', { auth, body })).statusCode).toBe(201);
    const path = `/v2/tenants/acme/connections/cn_${preset}`;
    const consent = await call(t, 'POST', `${path}/consent-links`, { auth });
    const refresh = await call(t, 'POST', `${path}/refreshes`, { auth });
    const revocation = await call(t, 'POST', `${path}/revocations`, { auth });
    expect([consent, refresh, revocation].map(({ statusCode }) => statusCode)).toEqual([201, 200, 200]);
  },
);
