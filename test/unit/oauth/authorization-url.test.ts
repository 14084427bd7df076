import { buildAuthorizationUrl } from '../../../src/oauth/authorization-url';
import type { AuthorizationRequest } from '../../../src/oauth/contract';
import { codeChallenge, randomToken } from '../../../src/oauth/pkce';
import { grantedScope, normaliseScope, scopeParameter } from '../../../src/oauth/scope';
import { tokenRequest } from '../../../src/oauth/token-request';
import type { PresetInput } from '../../../src/providers/preset';
import { preset } from './presets';

const REDIRECT = 'https://oauth2.integrations.acme.com/callback';

const request = (
  rules: Partial<PresetInput> = {},
  change: Partial<AuthorizationRequest> = {},
): AuthorizationRequest => ({
  authorizationUrl: 'https://login.example.com/authorize',
  clientId: 'app',
  redirectUri: REDIRECT,
  scope: 'read write',
  oauthState: 'state-1',
  codeChallenge: 'challenge-1',
  nonce: 'nonce-1',
  preset: preset(rules),
  ...change,
});
const paramsOf = (given: AuthorizationRequest): Record<string, string> =>
  Object.fromEntries(new URL(buildAuthorizationUrl(given)).searchParams);

it('asks for a code with client id, redirect URI, scope, state, nonce and an S256 challenge', () => {
  expect(paramsOf(request())).toEqual({
    response_type: 'code',
    client_id: 'app',
    redirect_uri: REDIRECT,
    scope: 'read write',
    state: 'state-1',
    nonce: 'nonce-1',
    code_challenge: 'challenge-1',
    code_challenge_method: 'S256',
  });
});

it('keeps the query the endpoint has, adds what the preset adds, and lets neither replace the protocol', () => {
  const authorizationUrl = 'https://login.example.com/authorize?tenant=t%201&state=theirs';
  const authorization_params = { access_type: 'offline', prompt: 'consent', redirect_uri: 'https://evil.example/' };
  const url = new URL(buildAuthorizationUrl(request({ authorization_params }, { authorizationUrl })));
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    tenant: 't 1',
    access_type: 'offline',
    prompt: 'consent',
    redirect_uri: REDIRECT,
    state: 'state-1',
  });
  expect(url.searchParams.getAll('state')).toEqual(['state-1']);
});

it('has no challenge where the preset has no PKCE, and no empty parameter', () => {
  const params = paramsOf(request({ pkce: 'off' }, { scope: '', nonce: undefined }));
  expect(Object.keys(params).sort()).toEqual(['client_id', 'redirect_uri', 'response_type', 'state']);
});

it('000-38 a scope typed with commas is asked for and requested with blanks', () => {
  const typed = preset();
  const scope = normaliseScope('read, write, api_access', typed);
  expect(scope).toBe('read write api_access');
  expect(paramsOf(request({}, { scope }))['scope']).toBe('read write api_access');
  const parameters = { grant_type: 'client_credentials', scope: scopeParameter(scope, typed) };
  const target = {
    tokenUrl: 'https://login.example.com/token',
    clientId: 'app',
    clientAuth: 'none',
    preset: typed,
  } as const;
  expect(new URLSearchParams(tokenRequest(target, parameters).body).get('scope')).toBe('read write api_access');
});

describe('scopes', () => {
  it('are split at commas and blanks, once each, or at blanks only where the preset says so', () => {
    expect(normaliseScope(' a,b ,, a\tc\n', preset())).toBe('a b c');
    expect(normaliseScope('a,b c', preset({ scope: { split: 'space' } }))).toBe('a,b c');
    expect(normaliseScope(' , ', preset())).toBe('');
  });
  it("are joined with the preset's separator", () => {
    expect(scopeParameter('a b', preset({ scope: { separator: ',' } }))).toBe('a,b');
    expect(paramsOf(request({ scope: { separator: ',' } }))['scope']).toBe('read,write');
  });
  it.each<[string | undefined, string, string]>([
    [undefined, 'read write', 'read write'],
    ['read', 'read write', 'read'],
    ['read write admin', 'read write', 'read write'],
    ['write read', 'read write', 'write read'],
    ['read', '', 'read'],
    [undefined, '', ''],
    ['re"ad wri\\te ok', '', 'ok'],
  ])('answered %s to %s is granted %s', (answered, asked, granted) => {
    expect(grantedScope(answered, asked)).toBe(granted);
  });
});

describe('random values', () => {
  it('have at least 128 bits and are never alike', () => {
    const values = Array.from({ length: 1_000 }, () => randomToken());
    expect(new Set(values).size).toBe(1_000);
    for (const value of values) expect(Buffer.from(value, 'base64url').length).toBeGreaterThanOrEqual(16);
  });
  it('make verifiers of 43 to 128 allowed characters', () => {
    for (const bytes of [32, 48, 96]) expect(randomToken(bytes)).toMatch(/^[A-Za-z0-9._~-]{43,128}$/);
  });
  it('give the challenge of RFC 7636, appendix B', () => {
    const challenge = codeChallenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk');
    expect(challenge).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
  });
});
