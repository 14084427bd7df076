import { revocationRequest, tokenRequest } from '../../../src/oauth/token-request';
import type { OAuthClientTarget } from '../../../src/oauth/contract';
import type { PresetInput } from '../../../src/providers/preset';
import { Secret } from '../../../src/vault/secret';
import { preset } from './presets';

const target = (rules: Partial<PresetInput> = {}, change: Partial<OAuthClientTarget> = {}): OAuthClientTarget => ({
  tokenUrl: 'https://login.example.com/token',
  clientId: 'my:app',
  clientAuth: 'client_secret_basic',
  clientSecret: new Secret('a%b c:é+'),
  preset: preset(rules),
  ...change,
});
const GRANT = { grant_type: 'client_credentials', scope: 'read write' };
const basicOf = (given: OAuthClientTarget): string =>
  Buffer.from((tokenRequest(given, GRANT).headers['authorization'] ?? '').replace('Basic ', ''), 'base64').toString();

describe('the client proves itself', () => {
  it('in the Basic header, in the encoding of the preset', () => {
    expect(basicOf(target())).toBe('my%3Aapp:a%25b+c%3A%C3%A9%2B');
    expect(basicOf(target({ basic_encoding: 'raw' }))).toBe('my:app:a%b c:é+');
    expect(basicOf(target({ basic_encoding: 'interop' }))).toBe('my%3Aapp:a%b c%3Aé+');
    expect(tokenRequest(target(), GRANT).body).toBe('grant_type=client_credentials&scope=read+write');
  });
  it('in the body', () => {
    const { headers, body } = tokenRequest(target({}, { clientAuth: 'client_secret_post' }), GRANT);
    expect(headers).toEqual({ 'content-type': 'application/x-www-form-urlencoded' });
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      ...GRANT,
      client_id: 'my:app',
      client_secret: 'a%b c:é+',
    });
  });
  it('not at all, and says who it is', () => {
    const { headers, body } = tokenRequest(target({}, { clientAuth: 'none', clientSecret: undefined }), GRANT);
    expect(headers).not.toHaveProperty('authorization');
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({ ...GRANT, client_id: 'my:app' });
  });
});

describe('the body', () => {
  it('is JSON where the preset says so', () => {
    const { headers, body } = tokenRequest(target({ body_format: 'json' }), GRANT);
    expect(headers['content-type']).toBe('application/json');
    expect(JSON.parse(body)).toEqual(GRANT);
  });
  it("carries the preset's parameters, over which the protocol's own win", () => {
    const rules = { token_params: { audience: 'shop', grant_type: 'other', scope: 'usual' } };
    const { body } = tokenRequest(target(rules), { ...GRANT, scope: undefined });
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      audience: 'shop',
      grant_type: 'client_credentials',
      scope: 'usual',
    });
  });
  it('leaves out what has no value', () => {
    expect(tokenRequest(target(), { ...GRANT, scope: '', resource: undefined }).body).toBe(
      'grant_type=client_credentials',
    );
  });
  it('of a revocation is form-encoded and has no token parameters', () => {
    const rules = { body_format: 'json', token_params: { audience: 'shop' } } as const;
    const { headers, body } = revocationRequest(target(rules), { token: 't/1', token_type_hint: 'refresh_token' });
    expect(headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(body).toBe('token=t%2F1&token_type_hint=refresh_token');
  });
});
