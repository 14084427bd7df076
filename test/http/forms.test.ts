/** What a form asks, and that a save agrees with it. */
import { GRANT_TYPES, type GrantType } from '../../src/connection/types';
import { grantTypeOf } from '../../src/http/integrations/form';
import { FIELD_TEXTS, GRANT_TYPE_TEXTS } from '../../src/http/integrations/form-texts';
import { ProblemError } from '../../src/http/problem';
import { saveIntegration } from '../../src/http/schemas/integration';
import { toSettings } from '../../src/http/integrations/settings';
import { createCatalogue } from '../../src/providers/catalogue';
import { call, CALLBACK, CATALOGUE, startTestApp, type TestApp } from './support';

interface Field {
  readonly id: string;
  readonly attributes: {
    readonly name: string;
    readonly label: string;
    readonly help: string;
    readonly kind: string;
    readonly required: boolean;
    readonly confidential: boolean;
    readonly read_only: boolean;
    readonly default?: string;
    readonly options?: { value: string; label: string }[];
  };
}

let t: TestApp;

beforeAll(async () => {
  t = await startTestApp();
});
afterAll(() => t.stop());

async function form(path: string, headers?: Record<string, string>, auth?: string): Promise<Field[]> {
  const answer = await call(t, 'GET', path, { auth, headers });
  expect(answer.statusCode).toBe(200);
  return answer.json().data;
}

const asked = (type: string, provider?: string): Promise<Field[]> =>
  form(`/v2/grant-types/${encodeURIComponent(type)}/fields${provider === undefined ? '' : `?provider=${provider}`}`);

/** Name, with a star when it must be filled in. */
const shape = (fields: readonly Field[]): string[] =>
  fields.map(({ attributes: { name, required } }) => (required ? `${name}*` : name));
const named = (fields: readonly Field[], name: string): Field['attributes'] | undefined =>
  fields.find((field) => field.attributes.name === name)?.attributes;

const BASE = ['label*', 'grant_type*', 'token_url*', 'client_id*', 'client_secret*'];

describe('the form of a grant type', () => {
  it.each<[GrantType, string[]]>([
    ['client_credentials', [...BASE, 'scope', 'api_base_url*', 'tenant_id']],
    ['authorization_code', [...BASE, 'scope*', 'api_base_url*', 'tenant_id', 'authorization_url*', 'redirect_uri']],
    ['refresh_token', [...BASE, 'scope', 'api_base_url*', 'tenant_id', 'refresh_token*']],
  ])('000-03 %s asks exactly its fields, in the order of the guide', async (type, fields) => {
    expect(shape(await asked(type))).toEqual(fields);
  });

  it('000-03 what a preset brings is filled in and need not be typed', async () => {
    const fields = await asked('authorization_code', 'crm');
    expect(shape(fields).filter((name) => name.endsWith('*'))).toEqual([
      'label*',
      'grant_type*',
      'client_id*',
      'client_secret*',
    ]);
    expect(Object.fromEntries(fields.map(({ attributes }) => [attributes.name, attributes.default]))).toMatchObject({
      token_url: 'https://crm.test/token',
      authorization_url: 'https://crm.test/auth',
      api_base_url: 'https://api.crm.test/v1',
      scope: 'contacts.read',
      redirect_uri: CALLBACK,
      client_secret: undefined,
    });
  });

  it('says what is confidential, what is chosen, and what is only shown', async () => {
    const fields = [...(await asked('authorization_code')), ...(await asked('refresh_token'))];
    const names = (which: (field: Field['attributes']) => boolean): string[] => [
      ...new Set(fields.filter(({ attributes }) => which(attributes)).map(({ id }) => id)),
    ];
    expect(names(({ confidential }) => confidential)).toEqual(['client_secret', 'refresh_token']);
    expect(names(({ kind }) => kind === 'secret')).toEqual(['client_secret', 'refresh_token']);
    expect(names(({ kind }) => kind === 'url')).toEqual([
      'token_url',
      'api_base_url',
      'authorization_url',
      'redirect_uri',
    ]);
    expect(names(({ read_only }) => read_only)).toEqual(['redirect_uri']);
    expect(named(fields, 'grant_type')?.options?.map(({ value }) => value)).toEqual(GRANT_TYPES);
    expect(named(fields, 'redirect_uri')?.default).toBeUndefined();
  });

  it('a public client of a preset has no secret to ask for', async () => {
    const name = 'native';
    const catalogue = createCatalogue([{ name, title: 'Native', client_auth: 'none' }]);
    const own = await startTestApp({}, { catalogue });
    const answer = await call(own, 'GET', `/v2/grant-types/authorization_code/fields?provider=${name}`);
    await own.stop();
    expect(answer.json().data.map(({ id }: Field) => id)).not.toContain('client_secret');
  });

  it('knows the redirect URI of an integration whose id the client has made, below its tenant', async () => {
    const auth = await t.bearer('acme', 'tenants.integrations.create');
    const path = '/v2/tenants/acme/grant-types/authorization_code/fields';
    const uri = async (query: string): Promise<string | undefined> =>
      named(await form(`${path}${query}`, undefined, auth), 'redirect_uri')?.default;
    expect(await uri('?integration=shop')).toBe(`${CALLBACK}/acme.shop`);
    expect(await uri('?integration=shop&provider=crm')).toBe(CALLBACK);
    expect(await uri('')).toBeUndefined();
    expect((await call(t, 'GET', path)).statusCode).toBe(401);
    const reader = await t.bearer('acme', 'tenants.integrations.get');
    expect((await call(t, 'GET', path, { auth: reader })).statusCode).toBe(403);
  });

  it('is answered to anybody, in English or Spanish', async () => {
    const spanish = await form('/v2/grant-types/m2m/fields', { 'accept-language': 'es' });
    expect(named(spanish, 'client_secret')?.label).toBe('Secreto de cliente');
    expect(named(await asked('m2m'), 'tenant_id')?.label).toBe('Tenant ID (your customer reference)');
    const answer = await call(t, 'GET', '/v2/grant-types', { headers: { 'accept-language': 'es' } });
    expect(answer.headers['content-language']).toBe('es');
    const types = answer
      .json()
      .data.map((one: { id: string; attributes: { label: string; default: boolean } }) => [
        one.id,
        one.attributes.label,
        one.attributes.default,
      ]);
    expect(types).toEqual([
      ['authorization_code', 'Código de autorización', true],
      ['client_credentials', 'Credenciales de cliente', false],
      ['refresh_token', 'Token de actualización', false],
    ]);
  });

  it('both languages say the same things, each in its own words', () => {
    for (const texts of [FIELD_TEXTS, GRANT_TYPE_TEXTS]) {
      expect(Object.keys(texts.es)).toEqual(Object.keys(texts.en));
      const said = [texts.en, texts.es].flatMap((words) => Object.values(words).map(({ help }) => help));
      expect(new Set(said).size).toBe(said.length);
    }
  });

  it.each(['implicit', 'password', 'Client', '%00'])('there is none for %s', async (type) => {
    const answer = await call(t, 'GET', `/v2/grant-types/${type}/fields`);
    expect([answer.statusCode, answer.json().errors[0].code]).toEqual([404, 'NOT_FOUND']);
  });

  it('000-31 there is none that asks for a password', async () => {
    const { errors } = (await call(t, 'GET', '/v2/grant-types/password/fields')).json();
    expect(errors[0].detail).toContain('no grant asks for a password');
    for (const type of GRANT_TYPES) expect(shape(await asked(type)).join()).not.toMatch(/user|password/i);
  });

  it.each(['nope', 'pv_of_somebody'])('there is none for the provider %s', async (provider) => {
    const answer = await call(t, 'GET', `/v2/grant-types/m2m/fields?provider=${provider}`);
    expect([answer.statusCode, answer.json().errors[0]]).toMatchObject([
      422,
      { code: 'MEMBER_INVALID', source: { parameter: 'provider' } },
    ]);
  });

  it.each([
    ['Client Credentials', 'client_credentials'],
    ['client_credentials', 'client_credentials'],
    ['clientCredentials', 'client_credentials'],
    ['m2m', 'client_credentials'],
    ['M2M', 'client_credentials'],
    ['Authorization Code', 'authorization_code'],
    ['authorization-code', 'authorization_code'],
    ['Refresh Token', 'refresh_token'],
    ['code', undefined],
    ['', undefined],
  ])('003-02 the words %j are %s', (words, type) => {
    expect(grantTypeOf(words)).toBe(type);
  });
});

const TYPED: Readonly<Record<string, string>> = {
  label: 'Shop',
  token_url: 'https://shop.test/token',
  client_id: 'app',
  client_secret: 'cs-canary-6a1c',
  scope: 'read',
  api_base_url: 'https://api.shop.test',
  tenant_id: 'customer 7',
  authorization_url: 'https://shop.test/auth',
  refresh_token: 'rt-canary-7b2d',
};

describe.each([...CATALOGUE.keys()])('form and check of %s cannot disagree:', (provider) => {
  const preset = CATALOGUE.get(provider)!;
  const config = { callbackBase: CALLBACK, allowPrivateNetworks: false };

  /** Where a save of these attributes finds fault. */
  function faults(attributes: Record<string, string>): string[] {
    const document = { data: { type: 'integration', attributes: { preset: provider, ...attributes } } };
    const read = saveIntegration.safeParse(document);
    if (!read.success) return read.error.issues.map(({ path }) => `/${path.join('/')}`);
    try {
      toSettings(read.data.data.attributes, preset, 'acme.shop', config);
      return [];
    } catch (error) {
      if (error instanceof ProblemError) return error.problems.map(({ pointer = '' }) => pointer);
      throw error;
    }
  }

  it.each(GRANT_TYPES)('%s', async (type) => {
    const values = { ...TYPED, grant_type: type };
    const fields = (await asked(type, provider)).map(({ attributes }) => attributes);
    const filled = (which: (field: Field['attributes']) => boolean): Record<string, string> =>
      Object.fromEntries(fields.filter(which).map(({ name }) => [name, values[name as keyof typeof values] ?? '']));
    const required = filled((field) => field.required);
    expect(Object.keys(required).length).toBeGreaterThan(3);
    expect(faults(required)).toEqual([]);
    expect(faults(filled(({ read_only }) => !read_only))).toEqual([]);
    for (const name of Object.keys(required)) {
      const { [name]: _left, ...rest } = required;
      expect(faults(rest)).toEqual([`/data/attributes/${name}`]);
    }
    // A secret that the form does not ask for is refused.
    for (const name of ['client_secret', 'refresh_token'].filter(
      (one) => !fields.some((field) => field.name === one),
    )) {
      expect(faults({ ...required, [name]: 'x-canary-9f' })).toEqual([`/data/attributes/${name}`]);
    }
  });
});
