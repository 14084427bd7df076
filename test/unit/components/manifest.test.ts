import fc from 'fast-check';
import { readManifest, type Manifest } from '../../../src/components/manifest';

const oauth2 = {
  client_id: '',
  client_secret: '',
  auth_uri: 'https://as.example/a',
  token_uri: 'https://as.example/t',
};
const complete = {
  title: 'Pizza Van',
  useOAuthClient: true,
  credentials: { fields: { oauth: { viewClass: 'OAuthFieldView' } }, oauth2 },
  triggers: { poll: { main: './lib/poll.js' } },
};

const read = (value: unknown) => readManifest(JSON.stringify(value));

function accepted(value: unknown): Manifest {
  const { manifest, findings } = read(value);
  expect({ findings, manifest }).toMatchObject({ manifest: expect.anything() });
  return manifest!;
}

const told = (value: unknown): string[] =>
  read(value).findings.map(({ severity, code, pointer }) => `${severity} ${code} ${pointer}`);

it('a descriptor with all it needs gets no remark', () => {
  expect(told(complete)).toEqual([]);
});

describe('env vars', () => {
  it('002-01 legacy envVars are known by name, with what is required', () => {
    const { envVars, legacyOAuth } = accepted({
      envVars: {
        OAUTH_CLIENT_ID: { required: true, description: 'Your Salesforce OAuth client key' },
        OAUTH_CLIENT_SECRET: { required: true, description: 'Your Salesforce OAuth client secret' },
        REGION: { description: '' },
        DEBUG: { required: false },
      },
    });
    expect(envVars).toEqual({
      OAUTH_CLIENT_ID: { required: true, description: 'Your Salesforce OAuth client key' },
      OAUTH_CLIENT_SECRET: { required: true, description: 'Your Salesforce OAuth client secret' },
      REGION: { required: false, description: '' },
      DEBUG: { required: false },
    });
    expect(legacyOAuth).toBe(true);
  });

  it('may be spelled env, as an object or as names, and envVars wins', () => {
    expect(accepted({ env: ['A', 'B'], envVars: { B: { required: true } } }).envVars).toEqual({
      A: { required: false },
      B: { required: true },
    });
    expect(accepted({ env: { A: { required: true } } }).envVars).toEqual({ A: { required: true } });
  });

  it('of an odd shape are ignored with a remark, and refused where there is no name or no object', () => {
    expect(told({ ...complete, env: ['A', 1], envVars: { B: { required: 'yes', description: 1 } } })).toEqual([
      'warning MEMBER_IGNORED /env/1',
      'warning MEMBER_IGNORED /envVars/B/required',
      'warning MEMBER_IGNORED /envVars/B/description',
    ]);
    expect(told({ ...complete, envVars: ['A'] })).toEqual(['error NOT_AN_OBJECT /envVars']);
    expect(told({ ...complete, envVars: { A: 'x' } })).toEqual(['error NOT_AN_OBJECT /envVars/A']);
  });
});

describe('useOAuthClient', () => {
  it.each([
    ['at top level', { useOAuthClient: true }, true],
    ['inside credentials', { credentials: { useOAuthClient: true } }, true],
    ['in both places', { useOAuthClient: true, credentials: { useOAuthClient: true } }, true],
    ['by its successor', { authClientTypes: ['basic', 'oauth2'] }, true],
    ['by no OAuth type', { authClientTypes: ['api_key', 7] }, false],
    ['false', { useOAuthClient: false }, false],
    ['left out', {}, false],
  ])('002-03 is recognised %s', (_where, value, expected) => {
    expect(accepted(value).useOAuthClient).toBe(expected);
  });

  it.each([
    ['a text', { useOAuthClient: 'true' }, '/useOAuthClient'],
    ['null', { useOAuthClient: null }, '/useOAuthClient'],
    ['a number inside credentials', { credentials: { useOAuthClient: 1 } }, '/credentials/useOAuthClient'],
  ])('002-03 is refused as %s', (_what, value, pointer) => {
    expect(told({ title: 'x', triggers: complete.triggers, ...value })).toEqual([`error NOT_A_BOOLEAN ${pointer}`]);
  });

  it('002-03 is refused when the two places differ, and remarked on in the wrong one', () => {
    const inside = (useOAuthClient: boolean) => ({ ...complete.credentials, useOAuthClient });
    expect(told({ ...complete, credentials: inside(false) })).toEqual(['error CONFLICT /credentials/useOAuthClient']);
    expect(told({ ...complete, useOAuthClient: undefined, credentials: inside(true) })).toEqual([
      'warning MISPLACED /credentials/useOAuthClient',
    ]);
  });
});

describe('oauth2', () => {
  const full = {
    ...oauth2,
    client_id: '{{PIZZAVAN_KEY}}',
    client_secret: '{{ PIZZAVAN_SECRET }}',
    auth_uri: 'https://as.example/a?audience=x',
    scopes: ['read', 'write'],
    client_auth: 'basic',
    access_type: 'offline',
    max_age: 60,
  };

  it.each([
    ['inside credentials', { credentials: { oauth2: full } }],
    ['at top level', { oauth2: full }],
    ['in both places', { oauth2: full, credentials: { oauth2: full } }],
    ['a part in each', { oauth2: { ...full, scopes: undefined }, credentials: { oauth2: { scopes: full.scopes } } }],
  ])('002-04 is read %s', (_where, value) => {
    expect(accepted({ useOAuthClient: true, ...value }).oauth2).toEqual({
      authUri: 'https://as.example/a?audience=x',
      tokenUri: 'https://as.example/t',
      clientId: '{{PIZZAVAN_KEY}}',
      clientSecret: '{{ PIZZAVAN_SECRET }}',
      clientIdVariable: 'PIZZAVAN_KEY',
      clientSecretVariable: 'PIZZAVAN_SECRET',
      scopes: ['read', 'write'],
      clientAuth: 'client_secret_basic',
      authorizationParams: { access_type: 'offline', max_age: '60' },
    });
  });

  it.each(['auth_uri', 'token_uri'])('002-04 without %s is refused by name', (name) => {
    for (const blank of [undefined, '', '  ']) {
      const { findings, manifest } = read({ ...complete, oauth2: { ...oauth2, [name]: blank }, credentials: {} });
      expect(manifest).toBeUndefined();
      expect(findings).toContainEqual({
        severity: 'error',
        code: 'MEMBER_MISSING',
        pointer: `/oauth2/${name}`,
        message: `${name} is missing`,
      });
    }
  });

  it('002-04 is refused when the two places differ', () => {
    const other = { ...oauth2, auth_uri: 'https://other.example/a', scopes: ['b'] };
    expect(told({ ...complete, oauth2: { ...other, scopes: ['a'] }, credentials: { oauth2: other } })).toEqual(
      expect.arrayContaining(['error CONFLICT /credentials/oauth2/scopes']),
    );
    expect(told({ ...complete, oauth2: other })).toEqual(['error CONFLICT /credentials/oauth2/auth_uri']);
  });

  it.each([
    ['http://as.example/a', 'ENDPOINT_INVALID'],
    ['/oauth/authorize', 'ENDPOINT_INVALID'],
    ['as.example/a', 'ENDPOINT_INVALID'],
    ['javascript:alert(1)', 'ENDPOINT_INVALID'],
    ['https:// as.example', 'ENDPOINT_INVALID'],
    ['http://127.0.0.1.evil.example/a', 'ENDPOINT_INVALID'],
    [null, 'NOT_A_STRING'],
    [{ url: 'https://as.example' }, 'NOT_A_STRING'],
  ])('refuses %j as an endpoint', (value, code) => {
    for (const name of ['auth_uri', 'token_uri']) {
      const credentials = { ...complete.credentials, oauth2: { ...oauth2, [name]: value } };
      expect(told({ ...complete, credentials })).toEqual([`error ${code} /credentials/oauth2/${name}`]);
    }
  });

  it.each([
    'http://127.0.0.1:9000/a',
    'http://localhost/a',
    'http://[::1]/a',
    'https://auth_uri',
    '{{prodEnv}}/oauth2/a',
  ])('accepts %s as an endpoint', (uri) => {
    const fields = { ...complete.credentials.fields, prodEnv: { viewClass: 'SelectView' } };
    const credentials = { fields, oauth2: { ...oauth2, auth_uri: uri, token_uri: uri } };
    expect(accepted({ ...complete, credentials }).oauth2).toMatchObject({ authUri: uri, tokenUri: uri });
    expect(told({ ...complete, credentials })).toEqual([]);
  });

  it('may leave the endpoints to the OAuth client with authClientTypes, and to an integration with a remark', () => {
    const newer = { ...complete, useOAuthClient: undefined, authClientTypes: ['oauth2'] };
    const lacking = ['warning ENDPOINTS_MISSING /credentials/oauth2'];
    const withBlock = (block: unknown) => ({ ...complete.credentials, oauth2: block });
    expect(told({ ...newer, credentials: withBlock({ scopes: ['a'], client_auth: 'basic' }) })).toEqual(lacking);
    expect(told({ ...newer, credentials: withBlock(undefined) })).toEqual(lacking);
    expect(told({ ...complete, credentials: withBlock(undefined) })).toEqual(lacking);
    expect(told({ ...newer, credentials: withBlock({ auth_uri: oauth2.auth_uri }) })).toEqual([
      'error MEMBER_MISSING /credentials/oauth2/token_uri',
    ]);
  });

  it('says what it leaves out', () => {
    const odd = {
      ...oauth2,
      client_secret: 'an obvious fake',
      scopes: ['a', 1],
      client_auth: 'digest',
      state: 'fixed',
      request_uri: 'https://evil.example',
      redirect_uris: ['https://app.example'],
      login: '{{LOGIN}}',
    };
    const value = { ...complete, credentials: { ...complete.credentials, oauth2: odd } };
    expect(told(value).sort()).toEqual([
      'warning CLIENT_AUTH_UNKNOWN /credentials/oauth2/client_auth',
      'warning MEMBER_IGNORED /credentials/oauth2/redirect_uris',
      'warning MEMBER_IGNORED /credentials/oauth2/scopes/1',
      'warning PARAMETER_RESERVED /credentials/oauth2/request_uri',
      'warning PARAMETER_RESERVED /credentials/oauth2/state',
      'warning SECRET_IN_FILE /credentials/oauth2/client_secret',
      'warning VARIABLE_UNDECLARED /credentials/oauth2/login',
    ]);
    expect(accepted(value).oauth2).toMatchObject({
      scopes: ['a'],
      clientAuth: 'client_secret_post',
      authorizationParams: { login: '{{LOGIN}}' },
    });
    expect(JSON.stringify(read(value).findings)).not.toContain('an obvious fake');
  });
});

describe('the rest', () => {
  it.each(['oauth', 'oauth2', 'oauth_2_0'])('the key of the OAuthFieldView field is free: %s', (key) => {
    const fields = { prodEnv: { viewClass: 'SelectView' }, [key]: { viewClass: 'OAuthFieldView' } };
    expect(accepted({ credentials: { fields } }).oauthField).toBe(key);
  });

  it.each([
    ['without such a field', { x: {} }, 'warning OAUTH_FIELD_MISSING /credentials/fields'],
    [
      'with two',
      { a: { viewClass: 'OAuthFieldView' }, 'b/c': { viewClass: 'OAuthFieldView' } },
      'warning OAUTH_FIELD_AMBIGUOUS /credentials/fields/b~1c',
    ],
    ['that are no object', { a: 1 }, 'error NOT_AN_OBJECT /credentials/fields/a'],
  ])('credential fields %s are remarked on', (_what, fields, finding) => {
    expect(told({ ...complete, credentials: { fields, oauth2 } })).toContain(finding);
  });

  it('OAuth by env vars, by a block or by a field is legacy without useOAuthClient; nothing of it is no OAuth', () => {
    expect(accepted({ oauth2 }).legacyOAuth).toBe(true);
    expect(accepted({ credentials: complete.credentials }).legacyOAuth).toBe(true);
    expect(accepted({ env: ['PIZZAVAN_KEY', 'PIZZAVAN_SECRET'] }).legacyOAuth).toBe(true);
    expect(accepted({ env: ['API_KEY'], credentials: { fields: { apiKey: {} } } }).legacyOAuth).toBe(false);
    expect(accepted(complete).legacyOAuth).toBe(false);
  });

  it('remarks on what people would miss, and accepts it', () => {
    expect(
      told({
        title: '  ',
        version: 1,
        triggers: { a: { main: './a.js' }, b: {} },
        actions: { a: { main: './b.js', title: 5 } },
        credentials: { oauth1: { consumer_key: 'k' } },
      }),
    ).toEqual([
      'warning MEMBER_IGNORED /version',
      'warning TITLE_MISSING /title',
      'warning OAUTH1_UNSUPPORTED /credentials/oauth1',
      'warning MAIN_MISSING /triggers/b/main',
      'warning MEMBER_IGNORED /actions/a/title',
      'warning FUNCTION_SHADOWED /actions/a',
    ]);
    expect(told({ version: '1.0' })).toEqual([
      'warning TITLE_MISSING /title',
      'warning VERSION_INVALID /version',
      'warning FUNCTION_MISSING ',
    ]);
    expect(told({ title: 'x', version: '3.0.1-dev.16', triggers: complete.triggers })).toEqual([]);
  });

  it('points at members by RFC 6901', () => {
    expect(told({ title: 'x', actions: { 'a/b~c': null, '': null } })).toEqual([
      'error NOT_AN_OBJECT /actions/a~1b~0c',
      'error NOT_AN_OBJECT /actions/',
    ]);
  });
});

describe('the text', () => {
  const secret = 'an obvious fake';

  it.each([
    [`{\n  "client_secret": "${secret}"\n  "title": ""}`, /^not valid JSON \(line 3, column 3\)$/],
    [`{"client_secret": "${secret}"`, /^not valid JSON/],
    ['{"title": "x', /^not valid JSON/],
    ['', /^not valid JSON: it ends too early$/],
    [`{"client_secret": "${secret}" x}`, /^not valid JSON/],
    [`{"client_secret": ${secret}}`, /^not valid JSON$/],
  ])('that is no JSON is refused without quoting it: %j', (text, message) => {
    const { findings, manifest } = readManifest(text);
    expect(manifest).toBeUndefined();
    expect(findings).toEqual([
      { severity: 'error', code: 'JSON_INVALID', pointer: '', message: expect.stringMatching(message) as string },
    ]);
    expect(findings[0]!.message).not.toContain('fake');
  });

  it('may have 1 MiB and no byte more', () => {
    const sized = (bytes: number) => `{"title":"${'é'.repeat((bytes - 12) / 2)}"}`;
    expect(Buffer.byteLength(sized(1024 * 1024))).toBe(1024 * 1024);
    expect(readManifest(sized(1024 * 1024)).manifest).toBeDefined();
    expect(readManifest(`${sized(1024 * 1024)} `).findings).toMatchObject([{ severity: 'error', code: 'TOO_LARGE' }]);
  });

  it('is read to the end however deep or wide it is', () => {
    const depth = 400_000;
    const deep = `{"oauth2":{"a":${'['.repeat(depth)}${']'.repeat(depth)}},"credentials":{"oauth2":{"a":[[]]}}}`;
    expect(readManifest(deep).findings.map(({ code }) => code)).toContain('MEMBER_MISSING');
    const keys = Array.from({ length: 40_000 }, (_, index) => `"${index}":{}`).join();
    expect(readManifest(`{"triggers":{${keys}},"actions":{${keys}}}`).manifest?.functions).toHaveLength(80_000);
  });

  it('any text at all gets an answer: findings that point somewhere, and a manifest exactly without errors', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          descriptor.map((value) => JSON.stringify(value)),
          fc.json(),
          fc.string(),
        ),
        (text) => {
          const { findings, manifest } = readManifest(text);
          expect(manifest === undefined).toBe(findings.some(({ severity }) => severity === 'error'));
          for (const { pointer } of findings) expect(pointer).toMatch(/^(\/([^~/]|~[01])*)*$/s);
        },
      ),
    );
  });

  it('keeps the key of every function', () => {
    const functions = fc.dictionary(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(functions, functions, (triggers, actions) => {
        const kept = accepted({ triggers, actions }).functions;
        expect(kept.map(({ kind, key }) => [kind, key])).toEqual([
          ...Object.keys(triggers).map((key) => ['trigger', key]),
          ...Object.keys(actions).map((key) => ['action', key]),
        ]);
      }),
    );
  });
});

/** Members of our names, each holding what it should or anything else. */
const odd = (known: fc.Arbitrary<unknown>) =>
  fc.option(fc.oneof({ weight: 3, arbitrary: known }, fc.jsonValue()), { nil: undefined });
const block = fc.record({
  client_id: odd(fc.constantFrom('', '{{A_KEY}}', 'x')),
  client_secret: odd(fc.constantFrom('', '{{A_SECRET}}', 'x')),
  auth_uri: odd(fc.constantFrom('https://as.example/a', '{{x}}/a', '/a')),
  token_uri: odd(fc.webUrl()),
  scopes: odd(fc.array(fc.string())),
  client_auth: odd(fc.constant('basic')),
  prompt: odd(fc.string()),
});
const descriptor = fc.record({
  title: odd(fc.string()),
  env: odd(fc.array(fc.constantFrom('A_KEY', 'A_SECRET', 'B_ID'))),
  envVars: odd(fc.dictionary(fc.constantFrom('A_KEY', 'A_SECRET', 'B_ID'), fc.record({ required: odd(fc.boolean()) }))),
  useOAuthClient: odd(fc.boolean()),
  authClientTypes: odd(fc.array(fc.constantFrom('oauth2', 'basic'))),
  oauth2: odd(block),
  credentials: odd(
    fc.record({
      fields: odd(fc.dictionary(fc.string(), fc.record({ viewClass: odd(fc.constant('OAuthFieldView')) }))),
      oauth2: odd(block),
      useOAuthClient: odd(fc.boolean()),
    }),
  ),
  triggers: odd(fc.dictionary(fc.string(), fc.record({ main: odd(fc.string()) }))),
  actions: odd(fc.dictionary(fc.string(), fc.record({ main: odd(fc.string()) }))),
});
