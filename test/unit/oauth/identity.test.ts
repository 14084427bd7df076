import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { createAuthorizationServer } from '../../../src/oauth/authorization-server';
import type { OAuthClientTarget, TokenAnswer } from '../../../src/oauth/contract';
import { Secret } from '../../../src/vault/secret';
import { json, oddServer, type OddServer } from '../../support/odd-server';
import { preset } from './presets';

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

const NONCE = 'planted-nonce-4Rt-2Ws';
const server = createAuthorizationServer({ allowPrivateNetworks: true });

let provider: OddServer;
let keys: KeyPair;
let foreign: KeyPair;
let idToken: string;
let discovery: Record<string, unknown>;

beforeAll(async () => {
  [provider, keys, foreign] = await Promise.all([oddServer(), generateKeyPair('ES256'), generateKeyPair('ES256')]);
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  provider.answer = (request, response) => {
    const bodies: Record<string, unknown> = {
      '/token': { access_token: 'access', expires_in: 60, id_token: idToken },
      '/.well-known/openid-configuration': discovery,
      '/jwks': { keys: [jwk] },
    };
    const body = bodies[request.url];
    json(body === undefined ? 404 : 200, body ?? {})(request, response);
  };
});
beforeEach(async () => {
  provider.received.length = 0;
  discovery = { issuer: provider.origin, jwks_uri: `${provider.origin}/jwks` };
  idToken = await signed();
});
afterAll(() => provider.close());

const claims = (change: JWTPayload = {}): JWTPayload => {
  const now = Math.floor(Date.now() / 1_000);
  return {
    iss: provider.origin,
    aud: 'app',
    sub: 'u1',
    email: 'ann@example.com',
    nonce: NONCE,
    iat: now,
    exp: now + 60,
    ...change,
  };
};
const signed = (change?: JWTPayload, by: KeyPair = keys, kid = 'k1'): Promise<string> =>
  new SignJWT(claims(change)).setProtectedHeader({ alg: 'ES256', kid }).sign(by.privateKey);

const exchange = (change: Partial<OAuthClientTarget> = {}): Promise<TokenAnswer> =>
  server.exchangeCode(
    {
      tokenUrl: `${provider.origin}/token`,
      issuer: provider.origin,
      clientId: 'app',
      clientAuth: 'none',
      preset: preset(),
      ...change,
    },
    {
      code: new Secret('code'),
      redirectUri: 'https://us.example/cb',
      verifier: new Secret('v'),
      nonce: new Secret(NONCE),
    },
  );
const unverified = expect.objectContaining({ warnings: ['ID_TOKEN_UNVERIFIED'] }) as TokenAnswer;

it('a verified id token names the account', async () => {
  const answer = await exchange();
  expect(answer).toMatchObject({ account: { id: 'u1', label: 'ann@example.com' }, warnings: [] });
  expect(provider.received.map(({ url }) => url)).toEqual(['/token', '/.well-known/openid-configuration', '/jwks']);
});

it('the account is found along the paths of the preset', async () => {
  idToken = await signed({ oid: 'o-1', upn: 'ann@corp.example' });
  const answer = await exchange({ preset: preset({ identity: { id_path: 'oid', label_path: 'upn' } }) });
  expect(answer.account).toEqual({ id: 'o-1', label: 'ann@corp.example' });
});

it('an account id may have 255 characters, and what people are shown of it is cut and printable', async () => {
  idToken = await signed({ sub: 'u'.repeat(255), email: 'ann\u202e\u0007@example.com' });
  expect((await exchange()).account).toEqual({ id: 'u'.repeat(255), label: 'ann@example.com' });
  idToken = await signed({ sub: 'u'.repeat(255), email: undefined });
  expect((await exchange()).account?.label).toBe('u'.repeat(120));
});

describe('no account is taken from an id token', () => {
  it.each<[string, () => Promise<string> | string]>([
    ['that nobody can read', () => 'not.a.jwt'],
    ['signed by another key', () => signed({}, foreign)],
    ['signed by a key the issuer does not name', () => signed({}, foreign, 'k2')],
    ['without a signature', () => new UnsecuredJWT(claims()).encode()],
    ['of another issuer', () => signed({ iss: 'https://evil.example' })],
    ['that has expired', () => signed({ exp: Math.floor(Date.now() / 1_000) - 120 })],
    ['that never expires', () => signed({ exp: undefined })],
    ['that does not repeat the nonce', () => signed({ nonce: undefined })],
    ['that names nobody', () => signed({ sub: undefined })],
    ['whose account id no database takes', () => signed({ sub: 'u1\u0000' })],
    ['whose account id holds what nobody sees', () => signed({ sub: 'u\u200b1' })],
    ['whose account id is longer than OpenID Connect permits', () => signed({ sub: 'u'.repeat(256) })],
  ])('%s', async (_title, make) => {
    idToken = await make();
    const answer = await exchange();
    expect(answer).toEqual(unverified);
    expect(answer.account).toBeUndefined();
    expect(answer.accessToken.reveal()).toBe('access');
  });
  it('without an issuer to verify it with', async () => {
    await expect(exchange({ issuer: undefined })).resolves.toEqual(unverified);
    expect(provider.received).toHaveLength(1);
  });
  it('when the keys cannot be had, or the document is of another issuer', async () => {
    for (const change of [
      { jwks_uri: `${provider.origin}/none` },
      { jwks_uri: 'http://10.0.0.1/jwks' },
      { issuer: 'https://evil.example' },
    ]) {
      discovery = { issuer: provider.origin, jwks_uri: `${provider.origin}/jwks`, ...change };
      await expect(exchange()).resolves.toEqual(unverified);
    }
  });
});

describe('an id token made for another attempt or another client is an attack', () => {
  const blocked = { facts: { class: 'BLOCKED', code: 'ENDPOINT_BLOCKED', sent: true } };
  it.each<[string, () => Promise<string> | string]>([
    ['another nonce', () => signed({ nonce: 'another' })],
    ['another audience', () => signed({ aud: 'other-app' })],
    ['no audience', () => signed({ aud: undefined })],
    ['another nonce, without a signature', () => new UnsecuredJWT(claims({ nonce: 'another' })).encode()],
  ])('%s', async (_title, make) => {
    idToken = await make();
    await expect(exchange()).rejects.toMatchObject(blocked);
    await expect(exchange({ issuer: undefined })).rejects.toMatchObject(blocked);
  });
  it('one of several audiences may be ours', async () => {
    idToken = await signed({ aud: ['other-app', 'app'] });
    await expect(exchange()).resolves.toMatchObject({ account: { id: 'u1' } });
  });
});
