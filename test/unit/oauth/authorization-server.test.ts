import { inspect } from 'node:util';
import { createAuthorizationServer } from '../../../src/oauth/authorization-server';
import type { OAuthClientTarget } from '../../../src/oauth/contract';
import { isOAuthFailure } from '../../../src/oauth/failure';
import type { PresetInput } from '../../../src/providers/preset';
import { findCanaries } from '../../../src/testing/canary';
import { Secret } from '../../../src/vault/secret';
import { hangUp, json, oddServer, truncated, type OddAnswer, type OddServer } from '../../support/odd-server';
import { preset } from './presets';

const SECRET = 'planted-client-secret-7Qz';
const REFRESH = 'planted-refresh-token-9Xw';
const CODE = 'planted-code-3Fv-8Lm';
const VERIFIER = 'planted-verifier-0123456789-0123456789-0123456';
const ACCESS = 'planted-access-token-5Kp';
const PLANTED = [SECRET, REFRESH, CODE, VERIFIER, ACCESS];

const server = createAuthorizationServer({ allowPrivateNetworks: true });
let provider: OddServer;
beforeAll(async () => {
  provider = await oddServer();
});
beforeEach(() => {
  provider.received.length = 0;
  provider.answer = json(200, { access_token: ACCESS, token_type: 'Bearer', expires_in: 60 });
});
afterAll(() => provider.close());

const target = (change: Partial<OAuthClientTarget> = {}, rules: Partial<PresetInput> = {}): OAuthClientTarget => ({
  tokenUrl: `${provider.origin}/token`,
  revocationUrl: `${provider.origin}/revoke`,
  identityUrl: `${provider.origin}/me`,
  clientId: 'app',
  clientAuth: 'client_secret_post',
  clientSecret: new Secret(SECRET),
  audience: [provider.origin],
  preset: preset(rules),
  ...change,
});
const form = (index = 0): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(provider.received[index]?.body));
const grant = (): Parameters<typeof server.exchangeCode>[1] => ({
  code: new Secret(CODE),
  redirectUri: 'https://us.example/callback',
  verifier: new Secret(VERIFIER),
});

/** @returns `CLASS/CODE sent|unsent`; the failure holds nothing that was planted */
async function verdictOf(asking: Promise<unknown>): Promise<string> {
  const error: unknown = await asking.then(
    () => 'no failure',
    (thrown: unknown) => thrown,
  );
  if (!isOAuthFailure(error)) throw new Error(`Expected an OAuthFailure, not ${inspect(error)}`);
  const printed = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error) + String(error.stack);
  expect(findCanaries(printed, PLANTED)).toEqual([]);
  return `${error.facts.class}/${error.facts.code} ${error.facts.sent ? 'sent' : 'unsent'}`;
}

describe('one method makes one request', () => {
  it('for client credentials (RFC 6749 section 4.4)', async () => {
    const answer = await server.clientCredentials(target(), 'read write');
    expect(form()).toEqual({
      grant_type: 'client_credentials',
      scope: 'read write',
      client_id: 'app',
      client_secret: SECRET,
    });
    expect(answer).toMatchObject({ lifetimeSeconds: 60, tokenType: 'Bearer' });
    expect(provider.received).toHaveLength(1);
  });
  it('for a refresh, without a scope (section 6)', async () => {
    await server.refresh(target(), new Secret(REFRESH));
    expect(form()).toMatchObject({ grant_type: 'refresh_token', refresh_token: REFRESH });
    expect(form()).not.toHaveProperty('scope');
    expect(provider.received).toHaveLength(1);
  });
  it('for a code, with verifier and the same redirect URI (section 4.1.3)', async () => {
    await server.exchangeCode(target(), grant());
    expect(form()).toMatchObject({
      grant_type: 'authorization_code',
      code: CODE,
      code_verifier: VERIFIER,
      redirect_uri: 'https://us.example/callback',
    });
    await server.exchangeCode(target({}, { pkce: 'off' }), grant());
    expect(form(1)).not.toHaveProperty('code_verifier');
    expect(provider.received).toHaveLength(2);
  });
  it("at the preset's refresh URL, unless the token URL was typed in", async () => {
    const endpoints = { token: `${provider.origin}/token`, refresh: `${provider.origin}/refresh` };
    await server.refresh(target({}, { endpoints }), new Secret(REFRESH));
    await server.refresh(target({ tokenUrl: `${provider.origin}/own` }, { endpoints }), new Secret(REFRESH));
    expect(provider.received.map(({ url }) => url)).toEqual(['/refresh', '/own']);
  });
  it('that repeats itself by no means', async () => {
    const answers: readonly [OddAnswer, string][] = [
      [json(400, { error: 'invalid_grant' }), 'REAUTH/GRANT_REFUSED sent'],
      [json(401, { error: 'invalid_client' }), 'CONFIG/CLIENT_REJECTED sent'],
      [json(429, {}, { 'retry-after': '3' }), 'TRANSIENT/RATE_LIMITED sent'],
      [json(503, {}), 'TRANSIENT/PROVIDER_UNREACHABLE sent'],
      [json(302, {}, { location: '/token' }), 'BLOCKED/ENDPOINT_BLOCKED sent'],
      [hangUp, 'AMBIGUOUS/REFRESH_OUTCOME_UNKNOWN sent'],
      [truncated(200, `{"access_token":"${ACCESS}"`), 'AMBIGUOUS/REFRESH_OUTCOME_UNKNOWN sent'],
      [json(200, { token: ACCESS }), 'AMBIGUOUS/REFRESH_OUTCOME_UNKNOWN sent'],
      [json(200, { access_token: ACCESS, more: 'x'.repeat(1_100_000) }), 'AMBIGUOUS/REFRESH_OUTCOME_UNKNOWN sent'],
      [json(400, { error: REFRESH, error_description: `bad ${REFRESH}` }), 'TRANSIENT/PROVIDER_UNREACHABLE sent'],
    ];
    for (const [answer, verdict] of answers) {
      provider.received.length = 0;
      provider.answer = answer;
      await expect(verdictOf(server.refresh(target(), new Secret(REFRESH)))).resolves.toBe(verdict);
      expect(provider.received).toHaveLength(1);
    }
  });
  it('and none at all to an origin the client secret was not entered for', async () => {
    const foreign = target({ audience: ['https://login.example.com'] });
    for (const asking of [
      () => server.clientCredentials(foreign, ''),
      () => server.refresh(foreign, new Secret(REFRESH)),
      () => server.exchangeCode(foreign, grant()),
      () => server.revoke(foreign, new Secret(REFRESH), 'refresh_token'),
      () => server.identify(foreign, new Secret(ACCESS)),
      () => server.probeClient(foreign, 'https://us.example/callback'),
    ]) {
      await expect(verdictOf(asking())).resolves.toBe('BLOCKED/ENDPOINT_BLOCKED unsent');
    }
    expect(provider.received).toEqual([]);
  });
});

describe('revocation (RFC 7009)', () => {
  const revoke = (change: Partial<OAuthClientTarget> = {}): Promise<string> =>
    server.revoke(target(change), new Secret(REFRESH), 'refresh_token');

  it('names token and hint, and authenticates the client', async () => {
    provider.answer = (_request, response) => void response.end();
    await expect(revoke()).resolves.toBe('revoked');
    expect(provider.received[0]?.url).toBe('/revoke');
    expect(form()).toEqual({
      token: REFRESH,
      token_type_hint: 'refresh_token',
      client_id: 'app',
      client_secret: SECRET,
    });
  });
  it('is done when the server does not know the token', async () => {
    provider.answer = json(400, { error: 'invalid_token' });
    await expect(revoke()).resolves.toBe('revoked');
  });
  it('is not supported without an endpoint or for this type of token', async () => {
    await expect(revoke({ revocationUrl: undefined })).resolves.toBe('not_supported');
    expect(provider.received).toEqual([]);
    provider.answer = json(400, { error: 'unsupported_token_type' });
    await expect(revoke()).resolves.toBe('not_supported');
  });
  it('may be repeated after anything else', async () => {
    provider.answer = json(503, {}, { 'retry-after': '5' });
    await expect(verdictOf(revoke())).resolves.toBe('TRANSIENT/PROVIDER_UNREACHABLE sent');
    provider.answer = hangUp;
    await expect(verdictOf(revoke())).resolves.toBe('TRANSIENT/PROVIDER_UNREACHABLE sent');
    provider.answer = json(401, { error: 'invalid_client' });
    await expect(verdictOf(revoke())).resolves.toBe('CONFIG/CLIENT_REJECTED sent');
  });
});

describe('the identity endpoint', () => {
  const identify = (rules: Partial<PresetInput> = {}): Promise<unknown> =>
    server.identify(target({}, rules), new Secret(ACCESS));

  it('is asked with the access token, where the preset puts it', async () => {
    provider.answer = json(200, { sub: 'u1', email: 'ann@example.com' });
    await expect(identify()).resolves.toEqual({ id: 'u1', label: 'ann@example.com' });
    expect(provider.received[0]).toMatchObject({ method: 'GET', url: '/me', body: '' });
    expect(provider.received[0]?.headers.authorization).toBe(`Bearer ${ACCESS}`);
    await identify({ token_header: { name: 'X-Shop-Token', scheme: '' } });
    expect(provider.received[1]?.headers['x-shop-token']).toBe(ACCESS);
  });
  it('is read along the paths of the preset; numbers are ids too, and a label is fit to be shown', async () => {
    const identity = { id_path: 'data.user.id', label_path: 'data.user.name' };
    provider.answer = json(200, { data: { user: { id: 42, name: `Ann\u0000\u001b[31m\u202e${'x'.repeat(300)}` } } });
    await expect(identify({ identity })).resolves.toEqual({ id: '42', label: `Ann[31m${'x'.repeat(113)}` });
    provider.answer = json(200, { data: { user: { id: 42 } } });
    await expect(identify({ identity })).resolves.toEqual({ id: '42', label: '42' });
  });
  it('names nobody when there is none, or when its answer names nobody', async () => {
    await expect(server.identify(target({ identityUrl: undefined }), new Secret(ACCESS))).resolves.toBeUndefined();
    for (const body of [{}, { sub: '' }, { sub: { id: 1 } }, [], 'text']) {
      provider.answer = json(200, body);
      await expect(identify()).resolves.toBeUndefined();
    }
  });
  it('fails with its status, and says so when its answer is lost', async () => {
    provider.answer = json(401, { error: 'invalid_token' });
    await expect(identify()).rejects.toMatchObject({ facts: { httpStatus: 401 } });
    provider.answer = truncated(200, '{"sub":');
    await expect(verdictOf(identify())).resolves.toBe('TRANSIENT/PROVIDER_UNREACHABLE sent');
  });
});

describe('the probe of a client (C8)', () => {
  const probe = (): Promise<string> => server.probeClient(target(), 'https://us.example/callback');

  it('sends a code that was never issued, another one each time', async () => {
    provider.answer = json(400, { error: 'invalid_grant' });
    await expect(probe()).resolves.toBe('accepted');
    await expect(probe()).resolves.toBe('accepted');
    expect(form().code).toMatch(/^[\w-]{43}$/);
    expect(form(1).code).not.toBe(form().code);
  });
  it('passes on that the client was refused or the endpoint is blocked', async () => {
    provider.answer = json(401, { error: 'invalid_client' });
    await expect(verdictOf(probe())).resolves.toBe('CONFIG/CLIENT_REJECTED sent');
    provider.answer = json(302, {}, { location: '/' });
    await expect(verdictOf(probe())).resolves.toBe('BLOCKED/ENDPOINT_BLOCKED sent');
  });
  it('proves nothing by any other answer', async () => {
    for (const answer of [
      json(400, { error: 'invalid_request' }),
      json(500, {}),
      json(200, { access_token: ACCESS }),
      hangUp,
    ]) {
      provider.answer = answer;
      await expect(probe()).resolves.toBe('unproven');
    }
  });
});
