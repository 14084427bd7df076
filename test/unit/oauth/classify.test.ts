import { cleanCode, requestIdOf, retryAfterOf } from '../../../src/oauth/answer-facts';
import { classifyAnswer } from '../../../src/oauth/classify';

const NOW = new Date('2026-11-20T10:00:00Z');
const PLAIN = { errors: {} };

type Row = readonly [status: number, error: string | undefined, verdict: string];

const TABLE: readonly Row[] = [
  [400, 'invalid_grant', 'REAUTH/GRANT_REFUSED'],
  [200, 'invalid_grant', 'REAUTH/GRANT_REFUSED'],
  [401, 'invalid_grant', 'REAUTH/GRANT_REFUSED'],
  [400, 'INVALID_GRANT', 'REAUTH/GRANT_REFUSED'],
  [500, 'invalid_grant', 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [503, 'invalid_grant', 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [400, 'interaction_required', 'REAUTH/GRANT_REFUSED'],
  [400, 'login_required', 'REAUTH/GRANT_REFUSED'],
  [400, 'consent_required', 'REAUTH/GRANT_REFUSED'],
  [401, 'invalid_client', 'CONFIG/CLIENT_REJECTED'],
  [400, 'invalid_client', 'CONFIG/CLIENT_REJECTED'],
  [400, 'unauthorized_client', 'CONFIG/CLIENT_REJECTED'],
  [400, 'unsupported_grant_type', 'CONFIG/CLIENT_REJECTED'],
  [400, 'invalid_request', 'CONFIG/CLIENT_REJECTED'],
  [401, undefined, 'CONFIG/CLIENT_REJECTED'],
  [401, 'Bad credentials', 'CONFIG/CLIENT_REJECTED'],
  [400, 'invalid_scope', 'CONFIG/SCOPE_REJECTED'],
  [400, 'invalid_target', 'CONFIG/SCOPE_REJECTED'],
  [400, 'redirect_uri_mismatch', 'CONFIG/REDIRECT_URI_MISMATCH'],
  [400, 'temporarily_unavailable', 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [400, 'server_error', 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [408, undefined, 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [425, undefined, 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [500, undefined, 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [502, undefined, 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [400, undefined, 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [403, undefined, 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [404, undefined, 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [400, 'something_else', 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [200, 'something_else', 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [400, 'constructor', 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [400, '__proto__', 'TRANSIENT/PROVIDER_UNREACHABLE'],
  [429, undefined, 'TRANSIENT/RATE_LIMITED'],
  [429, 'invalid_grant', 'TRANSIENT/RATE_LIMITED'],
  [400, 'slow_down', 'TRANSIENT/RATE_LIMITED'],
  [200, 'ratelimited', 'TRANSIENT/RATE_LIMITED'],
  [403, 'rate_limit_exceeded', 'TRANSIENT/RATE_LIMITED'],
  [503, 'ThrottlingException', 'TRANSIENT/RATE_LIMITED'],
  [301, undefined, 'BLOCKED/ENDPOINT_BLOCKED'],
  [302, 'invalid_grant', 'BLOCKED/ENDPOINT_BLOCKED'],
  [307, undefined, 'BLOCKED/ENDPOINT_BLOCKED'],
];

it.each(TABLE)('an answer %i with error %s is %s', (status, error, verdict) => {
  const facts = classifyAnswer({ status, headers: {}, error }, PLAIN, NOW);
  expect(`${facts.class}/${facts.code}`).toBe(verdict);
  expect(facts).toMatchObject({ sent: true, httpStatus: status });
});

it.each([
  ['invalid_grant', 'The redirect_uri does not match'],
  ['invalid_request', 'redirect uri mismatch'],
  ['invalid_grant', 'Redirect URL is not the one of the authorization request'],
])('a token endpoint that answers %s and names the redirect URI means that one', (error, description) => {
  const facts = classifyAnswer({ status: 400, headers: {}, error, description }, PLAIN, NOW);
  expect(facts).toMatchObject({ class: 'CONFIG', code: 'REDIRECT_URI_MISMATCH' });
  expect(JSON.stringify(facts)).not.toContain(description);
});

describe("a preset's own codes come first", () => {
  const errors = {
    bad_refresh_token: 'REAUTH',
    unauthorized_client: 'REAUTH',
    invalid_scope: 'CONFIG',
    fatal_error: 'TRANSIENT',
    request_throttled: 'TRANSIENT',
    app_disabled: 'CONFIG',
  } as const;
  it.each<[number, string, string]>([
    [200, 'bad_refresh_token', 'REAUTH/GRANT_REFUSED'],
    [403, 'unauthorized_client', 'REAUTH/GRANT_REFUSED'],
    [400, 'invalid_scope', 'CONFIG/SCOPE_REJECTED'],
    [200, 'fatal_error', 'TRANSIENT/PROVIDER_UNREACHABLE'],
    [400, 'request_throttled', 'TRANSIENT/RATE_LIMITED'],
    [500, 'app_disabled', 'CONFIG/CLIENT_REJECTED'],
    [400, 'invalid_grant', 'REAUTH/GRANT_REFUSED'],
    [400, 'toString', 'TRANSIENT/PROVIDER_UNREACHABLE'],
  ])('%i %s is %s', (status, error, verdict) => {
    const facts = classifyAnswer({ status, headers: {}, error }, { errors }, NOW);
    expect(`${facts.class}/${facts.code}`).toBe(verdict);
  });
});

describe('only what looks like a code is told', () => {
  it.each(['invalid_grant', 'invalid_client', 'error.expired', 'aadsts7000215', '190', 'error_1001', '2fa_required'])(
    '%s is',
    (code) => expect(cleanCode(code)).toBe(code),
  );
  it('spells it in lower case', () => expect(cleanCode('BAD_REFRESH_TOKEN')).toBe('bad_refresh_token'));
  it.each([
    undefined,
    '',
    'The refresh token is invalid',
    'invalid grant',
    'canary-rt-q2V0Yk9xZ3h3c0h1d2pQbUJ5TnM',
    'ya29.a0AfH6SMBx8Q7r',
    'q2v0yk9xz3h3c0h1d2pqmbyns4k8',
    '3f2a9c1b-77d0-4e0b-9c1f-0d3c5a7e9b11',
    '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln',
    'sk_live_51H8xJ2eZvKYlo2C',
    'x'.repeat(65),
    'a.'.repeat(40),
    'error\ninjected',
    '<b>error</b>',
  ])('%s is not', (text) => expect(cleanCode(text)).toBeUndefined());

  it('takes the id of the request from the headers that carry one', () => {
    const id = '8f14e45f-ceea-467f-a9d4-3f2a9c1b77d0';
    for (const header of ['x-request-id', 'request-id', 'x-ms-request-id', 'x-amzn-requestid', 'cf-ray']) {
      expect(requestIdOf({ [header]: id })).toBe(id);
    }
    expect(requestIdOf({ 'x-request-id': 'a b' })).toBeUndefined();
    expect(requestIdOf({ 'x-request-id': 'x'.repeat(129) })).toBeUndefined();
    expect(requestIdOf({ 'x-powered-by': 'PHP' })).toBeUndefined();
  });
});

describe('Retry-After', () => {
  it.each<[string | undefined, number | undefined]>([
    ['7', 7],
    [' 7 ', 7],
    ['3600', 3600],
    ['86400', 3600],
    ['0', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
    ['Fri, 20 Nov 2026 10:00:30 GMT', 30],
    ['Fri, 20 Nov 2026 09:00:00 GMT', undefined],
    ['Sat, 21 Nov 2026 10:00:00 GMT', 3600],
  ])('%s is %s seconds', (value, seconds) => expect(retryAfterOf(value, NOW)).toBe(seconds));

  it('counts for what passes by itself, and for nothing else', () => {
    const headers = { 'retry-after': '9' };
    expect(classifyAnswer({ status: 429, headers }, PLAIN, NOW).retryAfterSeconds).toBe(9);
    expect(classifyAnswer({ status: 503, headers }, PLAIN, NOW).retryAfterSeconds).toBe(9);
    const refused = classifyAnswer({ status: 400, headers, error: 'invalid_grant' }, PLAIN, NOW);
    expect(refused.retryAfterSeconds).toBeUndefined();
  });
});
