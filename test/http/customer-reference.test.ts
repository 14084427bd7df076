/** The seed's "Tenant ID": the customer's own reference, without authority (C20, C29). */
import { call, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/integrations';

type Attributes = Record<string, unknown>;

const basic: Attributes = {
  label: 'Shop',
  grant_type: 'client_credentials',
  token_url: 'https://shop.test/token',
  client_id: 'app-1',
  client_secret: 'cs-canary-8c1e5a',
  api_base_url: 'https://api.shop.test/v1',
};

let t: TestApp;
let auth: string;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
});
afterAll(() => t.stop());

const save = (attributes: Attributes, extra: Record<string, unknown> = {}) =>
  call(t, 'POST', PATH, { auth, body: { data: { type: 'integration', ...extra, attributes } } });

describe('the customer reference', () => {
  it('000-10 is stored, returned and filterable, and does not override the tenant of the caller', async () => {
    await t.bearer('other', 'tenants.*');
    await save({ ...basic, tenant_id: 'other' }, { id: 'of-customer' });
    expect(t.connections.saves.at(-1)?.tenant).toBe('acme');
    const found = (await call(t, 'GET', `${PATH}?filter[tenant_id]=other`, { auth })).json();
    expect(found.data).toMatchObject([{ id: 'of-customer', attributes: { tenant_id: 'other' } }]);
    expect((await call(t, 'GET', `${PATH}?filter[tenant_id]=nobody`, { auth })).json().data).toEqual([]);
    expect(await t.registry.integrations.get('other', 'of-customer')).toBeUndefined();
  });

  it('000-10 that looks like a directory is kept next to Microsoft, and it is said how the directory is chosen (C29)', async () => {
    const azure = 'https://login.microsoftonline.com/common/oauth2/v2.0/token';
    for (const tenant_id of ['contoso.onmicrosoft.com', 'b4f1f2a0-5a53-4e5c-9d43-0c1c3f4d7a11']) {
      const { data, meta } = (await save({ ...basic, tenant_id, token_url: azure })).json();
      expect(data.attributes.tenant_id).toBe(tenant_id);
      expect(meta.warnings).toEqual([
        {
          code: 'TENANT_ID_LOOKS_LIKE_DIRECTORY',
          detail: expect.stringContaining(`com/${tenant_id}/oauth2/v2.0/token`),
        },
      ]);
      const own = azure.replace('common', tenant_id);
      for (const quiet of [
        { tenant_id },
        { tenant_id: 'customer 7', token_url: azure },
        { tenant_id, token_url: own },
      ]) {
        expect((await save({ ...basic, ...quiet })).json().meta).toBeUndefined();
      }
    }
  });
});
