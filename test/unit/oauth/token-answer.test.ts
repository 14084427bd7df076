import { inspect } from 'node:util';
import { isOAuthFailure } from '../../../src/oauth/failure';
import type { GuardedAnswer } from '../../../src/oauth/guarded-client';
import { readTokenAnswer } from '../../../src/oauth/token-answer';
import type { PresetInput } from '../../../src/providers/preset';
import { findCanaries } from '../../../src/testing/canary';
import { preset } from './presets';

const ISSUED = new Date('2026-11-20T10:00:00.000Z');
const RECEIVED = new Date('2026-11-20T10:00:04.000Z');
const ACCESS = 'planted-access-token-5Kp';
const REFRESH = 'planted-refresh-token-8Lm';
const JSON_TYPE = { 'content-type': 'application/json' };

const raw = (body: unknown, change: Partial<GuardedAnswer> = {}): GuardedAnswer => ({
  status: 200,
  headers: JSON_TYPE,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  ...change,
});
const read = (answer: GuardedAnswer, rules: Partial<PresetInput> = {}): ReturnType<typeof readTokenAnswer> =>
  readTokenAnswer(answer, preset(rules), { issuedAt: ISSUED, receivedAt: RECEIVED }, 'Refreshing a token set');

/** @returns class, code and the provider's code; fails when a planted token is in the error */
function failure(answer: GuardedAnswer, rules: Partial<PresetInput> = {}): string {
  try {
    read(answer, rules);
  } catch (error) {
    if (!isOAuthFailure(error)) throw error;
    expect(findCanaries(inspect(error, { showHidden: true }) + JSON.stringify(error), [ACCESS, REFRESH])).toEqual([]);
    return `${error.facts.class}/${error.facts.code}/${error.facts.oauthError ?? '-'}`;
  }
  return 'read';
}

const LOST = 'AMBIGUOUS/REFRESH_OUTCOME_UNKNOWN/-';

it('001-11 the expiry shown counts from the receipt, the one that decides serving from before the request', () => {
  const { answer } = read(raw({ access_token: ACCESS, token_type: 'bearer', expires_in: 7200 }));
  const shown = Date.parse(answer.receivedAt) + (answer.lifetimeSeconds ?? 0) * 1_000;
  expect(new Date(shown).toISOString()).toBe('2026-11-20T12:00:04.000Z');
  expect(answer.expiresAt).toBe('2026-11-20T12:00:00.000Z');
  expect(answer).toMatchObject({ issuedAt: ISSUED.toISOString(), receivedAt: RECEIVED.toISOString(), warnings: [] });
});

it('001-08 an answer gives both tokens, and neither is printed', () => {
  const { answer, idToken } = read(
    raw({ access_token: ACCESS, refresh_token: REFRESH, id_token: 'a.b.c', scope: 'read write', token_type: 'Bearer' }),
  );
  expect(answer.accessToken.reveal()).toBe(ACCESS);
  expect(answer.refreshToken?.reveal()).toBe(REFRESH);
  expect(answer).toMatchObject({ scope: 'read write', tokenType: 'Bearer', expiresAt: null, lifetimeSeconds: null });
  expect(idToken).toBe('a.b.c');
  expect(findCanaries(inspect(answer) + JSON.stringify(answer), [ACCESS, REFRESH])).toEqual([]);
});

describe('tolerates', () => {
  const lifetimeOf = (answer: GuardedAnswer, rules?: Partial<PresetInput>): unknown =>
    read(answer, rules).answer.lifetimeSeconds;

  it('form-encoded answers', () => {
    const body = `access_token=${ACCESS}&expires_in=60&scope=read%2Cwrite`;
    for (const type of ['application/x-www-form-urlencoded; charset=utf-8', 'text/plain', 'text/html']) {
      const { answer } = read(raw(body, { headers: { 'content-type': type } }));
      expect(answer.accessToken.reveal()).toBe(ACCESS);
      expect(answer).toMatchObject({ lifetimeSeconds: 60, scope: 'read write' });
    }
  });
  it('JSON under another type and status', () => {
    const answer = raw(
      { access_token: ACCESS, expires_in: 60 },
      { status: 201, headers: { 'content-type': 'text/html' } },
    );
    expect(lifetimeOf(answer)).toBe(60);
  });
  it('envelopes, other names and other units, by the preset', () => {
    const body = { code: 0, data: { access_token: ACCESS, access_token_expire_in: ISSUED.getTime() / 1_000 + 60 } };
    const response = {
      path: 'data',
      expires_in_field: 'access_token_expire_in',
      expires_in_unit: 'epoch_s',
      success: { path: 'code', equals: 0 },
      error_path: 'code',
    } as const;
    expect(lifetimeOf(raw(body), { response })).toBe(60);
    expect(failure(raw({ code: 105, message: 'no' }), { response, errors: { '105': 'REAUTH' } })).toBe(
      'REAUTH/GRANT_REFUSED/105',
    );
  });
  it('a missing lifetime: the default of the preset, else unknown', () => {
    expect(lifetimeOf(raw({ access_token: ACCESS }), { lifetime: { default_seconds: 1800 } })).toBe(1800);
    expect(lifetimeOf(raw({ access_token: ACCESS }))).toBeNull();
    const junk = read(raw({ access_token: ACCESS, expires_in: 'later' }), { lifetime: { default_seconds: 1800 } });
    expect(junk.answer).toMatchObject({ lifetimeSeconds: 1800, warnings: ['LIFETIME_UNREADABLE'] });
  });
  it('scopes as a list, with commas, and with commas in them where the preset says so', () => {
    const scopeOf = (scope: unknown, rules?: Partial<PresetInput>): unknown =>
      read(raw({ access_token: ACCESS, scope }), rules).answer.scope;
    expect(scopeOf(['read', 'write', 7])).toBe('read write');
    expect(scopeOf('read,write, admin')).toBe('read write admin');
    expect(scopeOf('read,write admin', { scope: { split: 'space' } })).toBe('read,write admin');
    expect(scopeOf(undefined)).toBeUndefined();
    expect(scopeOf('')).toBeUndefined();
  });
  it('a missing or unusual token type, with a warning for the unusual', () => {
    const typeOf = (token_type: unknown): unknown[] => {
      const { tokenType, warnings } = read(raw({ access_token: ACCESS, token_type })).answer;
      return [tokenType, ...warnings];
    };
    expect(typeOf(undefined)).toEqual(['Bearer']);
    expect(typeOf('BEARER')).toEqual(['Bearer']);
    expect(typeOf('user')).toEqual(['user', 'TOKEN_TYPE_UNUSUAL']);
    expect(typeOf(`see ${ACCESS}`)).toEqual(['Bearer', 'TOKEN_TYPE_UNUSUAL']);
  });
  it('a lifetime nobody can count to', () => {
    const body = { access_token: `e30.${Buffer.from('{"exp":1e300}').toString('base64url')}.x`, expires_in: 1e300 };
    expect(read(raw(body)).answer.warnings).toEqual(['LIFETIME_ABSURD']);
  });
});

describe('a success that cannot be read leaves the outcome unknown: the server has committed', () => {
  it.each<[string, GuardedAnswer]>([
    ['an empty body', raw('')],
    ['a page', raw('<html>Welcome</html>', { headers: { 'content-type': 'text/html' } })],
    ['half of JSON', raw(`{"access_token":"${ACCESS}`)],
    ['a list', raw([{ access_token: ACCESS }])],
    ['null', raw('null')],
    ['no access token', raw({ refresh_token: REFRESH })],
    ['an empty access token', raw({ access_token: '', refresh_token: REFRESH })],
    ['an object for an access token', raw({ access_token: { value: ACCESS } })],
    ['an access token that breaks its line', raw({ access_token: `${ACCESS}\r\nX: y` })],
    ['an access token only by inheritance', raw('{"__proto__":{"access_token":"inherited-token"}}')],
    ['a body cut short', raw('', { cut: 'lost' })],
    ['a form cut short', raw(`access_token=${ACCESS.slice(0, 9)}`, { cut: 'lost' })],
    ['a body above the limit', raw('', { cut: 'too_large' })],
    ['204', raw('', { status: 204 })],
    ['deep nesting', raw('['.repeat(100_000))],
  ])('%s', (_title, answer) => expect(failure(answer)).toBe(LOST));

  it('but an error status with a body cut short is what its status says', () => {
    expect(failure(raw('', { status: 503, cut: 'lost' }))).toBe('TRANSIENT/PROVIDER_UNREACHABLE/-');
    expect(failure(raw('', { status: 302, cut: 'too_large' }))).toBe('BLOCKED/ENDPOINT_BLOCKED/-');
  });
});

describe('an error is one whatever its status', () => {
  it.each<[string, GuardedAnswer, string]>([
    ['of the RFC', raw({ error: 'invalid_grant' }, { status: 400 }), 'REAUTH/GRANT_REFUSED/invalid_grant'],
    ['under 200', raw({ error: 'invalid_grant', access_token: ACCESS }), 'REAUTH/GRANT_REFUSED/invalid_grant'],
    ['in a form', raw('error=invalid_client&x=y', { status: 401 }), 'CONFIG/CLIENT_REJECTED/invalid_client'],
    ['as an object', raw({ error: { code: 'invalid_scope' } }, { status: 400 }), 'CONFIG/SCOPE_REJECTED/invalid_scope'],
    ['as prose', raw({ error: `Token ${REFRESH} has expired` }, { status: 400 }), 'TRANSIENT/PROVIDER_UNREACHABLE/-'],
    ['as the token', raw({ error: REFRESH }, { status: 400 }), 'TRANSIENT/PROVIDER_UNREACHABLE/-'],
    ['with a page', raw('<html>403</html>', { status: 403 }), 'TRANSIENT/PROVIDER_UNREACHABLE/-'],
    [
      'called constructor',
      raw({ error: 'constructor' }, { status: 400 }),
      'TRANSIENT/PROVIDER_UNREACHABLE/constructor',
    ],
  ])('%s', (_title, answer, verdict) => expect(failure(answer)).toBe(verdict));

  it('an empty error is none', () => {
    for (const error of ['', null, false]) expect(failure(raw({ access_token: ACCESS, error }))).toBe('read');
  });
  it('what an object inherits is no member of it', () => {
    expect(failure(raw({ access_token: ACCESS }), { response: { error_path: 'constructor.name' } })).toBe('read');
  });
  it('a predicate of the preset decides alone', () => {
    const response = { success: { path: 'ok', equals: true }, error_path: 'error' };
    expect(failure(raw({ ok: true, access_token: ACCESS, error: 'none' }), { response })).toBe('read');
    expect(failure(raw({ ok: false, error: 'invalid_grant' }), { response })).toBe(
      'REAUTH/GRANT_REFUSED/invalid_grant',
    );
    expect(failure(raw({ access_token: ACCESS }), { response })).toBe('TRANSIENT/PROVIDER_UNREACHABLE/-');
  });
  it('the description is read and never told', () => {
    const error_description = `redirect_uri wrong for ${REFRESH}`;
    expect(failure(raw({ error: 'invalid_grant', error_description }, { status: 400 }))).toBe(
      'CONFIG/REDIRECT_URI_MISMATCH/invalid_grant',
    );
  });
});
