import { createHash, randomBytes } from 'node:crypto';
import type { Rotation } from '../../../src/connection/types';
import { startScriptedProvider, type ScriptedProvider } from '../../../src/testing/scripted-provider';

const REDIRECT_URI = 'http://127.0.0.1/callback';
const SECRET = 'canary-secret-of-shop:%&+';

type Tokens = Record<'access_token' | 'refresh_token', string>;

describe('scriptedProvider', () => {
  let provider: ScriptedProvider;
  let clock: number;

  beforeEach(async () => {
    clock = Date.now();
    provider = await startScriptedProvider({ clients: { shop: { secret: SECRET }, app: {} }, now: () => clock });
  });
  afterEach(() => provider.stop());

  /** Authenticates as `shop` by form; members win. */
  async function ask(members: Record<string, string>, init: RequestInit = {}): Promise<Response> {
    const body = new URLSearchParams({ client_id: 'shop', client_secret: SECRET, ...members });
    return fetch(provider.endpoints.token, { method: 'POST', body, ...init });
  }
  const refresh = (refreshToken: string): Promise<Response> =>
    ask({ grant_type: 'refresh_token', refresh_token: refreshToken });
  const exchange = (code: string, verifier: string): Promise<Response> =>
    ask({ grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI });
  const orders = (token: string, query = ''): Promise<Response> =>
    fetch(`${provider.apiBaseUrl}/orders${query}`, { headers: { authorization: `Bearer ${token}` } });

  async function consent(): Promise<{ back: URL; code: string; verifier: string }> {
    const verifier = randomBytes(32).toString('base64url');
    const url = new URL(provider.endpoints.authorization);
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: 'shop',
      redirect_uri: REDIRECT_URI,
      scope: 'orders',
      state: 'state-1',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    }).toString();
    const response = await fetch(url, { redirect: 'manual' });
    expect(response.status).toBe(302);
    const back = new URL(response.headers.get('location') ?? '');
    return { back, code: back.searchParams.get('code') ?? '', verifier };
  }

  /** A pair after one refresh: the first refresh token is spent where the mode spends it. */
  async function rotated(rotation: Rotation) {
    provider.rotation('shop', rotation);
    const first = provider.issueRefreshToken('shop');
    const answer = await refresh(first);
    expect(answer.status).toBe(200);
    const { access_token: accessToken, refresh_token: second } = (await answer.json()) as Tokens;
    return { first, accessToken, second };
  }

  describe('happy paths', () => {
    it('consent returns code, state and issuer, and the code buys tokens that the API accepts', async () => {
      provider.account({ sub: 'bob', email: 'bob@example.com' });
      const { back, code, verifier } = await consent();
      expect(back.searchParams.get('state')).toBe('state-1');
      expect(back.searchParams.get('iss')).toBe(provider.issuer);
      const answer = await exchange(code, verifier);
      const tokens = (await answer.json()) as Tokens;
      expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'orders' });
      expect([code, tokens.access_token, tokens.refresh_token]).toEqual([
        expect.stringMatching(/^canary-code-[\w-]{32}$/),
        expect.stringMatching(/^canary-at-[\w-]{32}$/),
        expect.stringMatching(/^canary-rt-[\w-]{32}$/),
      ]);
      const bearer = { headers: { authorization: `Bearer ${tokens.access_token}` } };
      expect(await (await fetch(provider.endpoints.identity, bearer)).json()).toEqual({
        sub: 'bob',
        email: 'bob@example.com',
      });
      expect((await orders(tokens.access_token)).status).toBe(200);
      expect(provider.issuedSecrets()).toEqual([SECRET, code, tokens.refresh_token, tokens.access_token]);
      provider.assertLedger();
    });

    it('consent can be denied', async () => {
      provider.denyConsent(true);
      const { back } = await consent();
      const members = { error: 'access_denied', state: 'state-1', iss: provider.issuer };
      expect(Object.fromEntries(back.searchParams)).toEqual(members);
    });

    it.each([
      ['another verifier', 'x'.repeat(43)],
      ['no verifier', ''],
    ])('a code with %s buys nothing', async (_, verifier) => {
      const { code } = await consent();
      const answer = await exchange(code, verifier);
      expect([answer.status, await answer.json()]).toEqual([400, { error: 'invalid_grant' }]);
      expect(provider.ledger()[0]).toMatchObject({ committed: false, error: 'invalid_grant' });
    });

    it('a client authenticates by Basic or by form, and a wrong or replaced secret is refused', async () => {
      const basic = Buffer.from(`shop:${encodeURIComponent(SECRET)}`).toString('base64');
      const byBasic = await fetch(provider.endpoints.token, {
        method: 'POST',
        headers: { authorization: `Basic ${basic}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      expect(byBasic.status).toBe(200);
      expect((await ask({ grant_type: 'client_credentials' })).status).toBe(200);
      provider.changeClientSecret('shop', 'canary-secret-two');
      const late = await ask({ grant_type: 'client_credentials' });
      expect([late.status, await late.json()]).toEqual([401, { error: 'invalid_client' }]);
      expect(provider.ledger().map(({ clientAuth, status }) => [clientAuth, status])).toEqual([
        ['client_secret_basic', 200],
        ['client_secret_post', 200],
        ['client_secret_post', 401],
      ]);
      expect(provider.tokenRequests('client_credentials')).toBe(3);
      expect(provider.tokenRequests('refresh_token')).toBe(0);
      expect(provider.issuedSecrets()).toContain('canary-secret-two');
    });

    it('the API pages orders and echoes a request without its token', async () => {
      const { access_token: token } = (await (await ask({ grant_type: 'client_credentials' })).json()) as Tokens;
      const ids: string[] = [];
      for (const page of [1, 2, 3, 4]) {
        const answer = (await (await orders(token, `?page=${page}`)).json()) as { orders: { id: string }[] };
        ids.push(...answer.orders.map(({ id }) => id));
      }
      expect(new Set(ids).size).toBe(15);
      const echo = await fetch(`${provider.apiBaseUrl}/echo`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'x-key': 'k' },
        body: 'hello',
      });
      const text = await echo.text();
      expect(JSON.parse(text)).toMatchObject({ method: 'POST', headers: { 'x-key': 'k' }, body: 'hello' });
      expect(text).not.toContain(token);
    });

    it('the API refuses an expired token, and every token when told to', async () => {
      provider.tokenLifetime(60);
      const { access_token: token } = (await (await ask({ grant_type: 'client_credentials' })).json()) as Tokens;
      provider.apiRefusesAll(true);
      const refused = await orders(token);
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
      provider.apiRefusesAll(false);
      expect((await orders(token)).status).toBe(200);
      clock += 60_000;
      expect((await orders(token)).status).toBe(401);
    });
  });

  describe('rotation', () => {
    it('none: the refresh token stays', async () => {
      const { first, second } = await rotated({ mode: 'none' });
      expect(second).toBeUndefined();
      expect((await refresh(first)).status).toBe(200);
      provider.assertLedger();
    });

    it('old_stays_valid: every refresh token ever issued works', async () => {
      const { first, second } = await rotated({ mode: 'old_stays_valid' });
      expect(second).not.toBe(first);
      expect([(await refresh(first)).status, (await refresh(second)).status]).toEqual([200, 200]);
      provider.assertLedger();
    });

    it('grace: a spent refresh token works for the grace period and then ends its family', async () => {
      const { first, second } = await rotated({ mode: 'grace', graceSeconds: 30 });
      clock += 29_999;
      expect((await refresh(first)).status).toBe(200);
      provider.assertLedger();
      clock += 1;
      expect((await refresh(first)).status).toBe(400);
      expect((await refresh(second)).status).toBe(400);
      expect(() => provider.assertLedger()).toThrow('REFRESH_TOKEN_REUSED by token request 3 ');
    });

    it('until_used: a spent refresh token works until its successor is used', async () => {
      const { first } = await rotated({ mode: 'until_used' });
      const { refresh_token: retried } = (await (await refresh(first)).json()) as Tokens;
      provider.assertLedger();
      expect((await refresh(retried)).status).toBe(200);
      expect((await refresh(first)).status).toBe(400);
      expect(() => provider.assertLedger()).toThrow('REFRESH_TOKEN_REUSED by token request 4 ');
    });

    it('until_used: an access token confirms its own pair and ends the one never used', async () => {
      const { first, second: lost } = await rotated({ mode: 'until_used' });
      const kept = (await (await refresh(first)).json()) as Tokens;
      expect((await orders(kept.access_token)).status).toBe(200);
      expect((await refresh(lost)).status).toBe(400);
      expect((await refresh(kept.refresh_token)).status).toBe(200);
    });

    it('strict: a spent refresh token ends its family, access tokens included', async () => {
      const { first, second, accessToken } = await rotated({ mode: 'strict' });
      expect((await orders(accessToken)).status).toBe(200);
      expect(await (await refresh(first)).json()).toEqual({ error: 'invalid_grant' });
      expect((await refresh(second)).status).toBe(400);
      expect((await orders(accessToken)).status).toBe(401);
      expect(() => provider.assertLedger()).toThrow('REFRESH_TOKEN_REUSED by token request 2 ');
      provider.allowReuse(1);
      provider.assertLedger();
    });

    it('unknown: acts as strict, and the ledger pardons one retry', async () => {
      const { first, second } = await rotated({ mode: 'unknown' });
      expect((await refresh(first)).status).toBe(400);
      expect((await refresh(second)).status).toBe(400);
      provider.assertLedger();
      await refresh(first);
      expect(() => provider.assertLedger()).toThrow('REFRESH_TOKEN_REUSED by token request 4 ');
    });

    it('an answer without refresh token spends nothing', async () => {
      provider.rotation('shop', { mode: 'strict' });
      provider.omitRefreshToken(true);
      const first = provider.issueRefreshToken('shop');
      expect(await (await refresh(first)).json()).not.toHaveProperty('refresh_token');
      expect((await refresh(first)).status).toBe(200);
      provider.assertLedger();
    });
  });

  describe('ledger', () => {
    it('a code presented twice breaks a rule, and the first exchange is the only one', async () => {
      const { code, verifier } = await consent();
      await exchange(code, verifier);
      provider.assertLedger();
      expect((await exchange(code, verifier)).status).toBe(400);
      expect(() => provider.assertLedger()).toThrow('CODE_TWICE by token request 2 ');
    });

    it('a code that was never issued may be presented often', async () => {
      await exchange('never-issued', 'v');
      await exchange('never-issued', 'v');
      provider.assertLedger();
    });

    it('two requests of one grant at once break a rule; a grant of its own does not', async () => {
      const mine = provider.issueRefreshToken('shop');
      const hangUp = new AbortController();
      provider.respondNext({ delayMs: 60_000 });
      const members = { grant_type: 'refresh_token', refresh_token: mine };
      const slow = ask(members, { signal: hangUp.signal }).catch(() => 'hung up');
      await until(() => provider.tokenRequests() === 1);
      await refresh(provider.issueRefreshToken('shop'));
      provider.assertLedger();
      await refresh(mine);
      hangUp.abort();
      await slow;
      expect(provider.ledger().map(({ overlapped }) => overlapped)).toEqual([true, false, true]);
      expect(() => provider.assertLedger()).toThrow('REQUESTS_OVERLAPPED by token request 3 ');
    });

    it('a request whose client hung up is over', async () => {
      const mine = provider.issueRefreshToken('shop');
      const hangUp = new AbortController();
      provider.respondNext({ delayMs: 60_000 });
      const members = { grant_type: 'refresh_token', refresh_token: mine };
      const slow = ask(members, { signal: hangUp.signal }).catch(() => 'hung up');
      await until(() => provider.tokenRequests() === 1);
      hangUp.abort();
      await slow;
      await until(() => provider.ledger()[0]?.endedAt !== undefined);
      await refresh(mine);
      provider.assertLedger();
    });

    it('a request of a client before its Retry-After has passed breaks a rule', async () => {
      provider.respondNext({ status: 429, headers: { 'retry-after': '30' } });
      expect((await ask({ grant_type: 'client_credentials' })).status).toBe(429);
      await ask({ grant_type: 'client_credentials', client_id: 'app', client_secret: '' });
      clock += 30_000;
      await ask({ grant_type: 'client_credentials' });
      provider.assertLedger();
      clock -= 1_000;
      await ask({ grant_type: 'client_credentials' });
      expect(() => provider.assertLedger()).toThrow('RETRY_AFTER_IGNORED by token request 4 ');
    });

    it('names no secret', async () => {
      const { first } = await rotated({ mode: 'strict' });
      await refresh(first);
      const fingerprint = createHash('sha256').update(first).digest('hex').slice(0, 12);
      expect(() => provider.assertLedger()).toThrow(`fingerprint=${fingerprint}`);
      for (const secret of provider.issuedSecrets()) {
        expect(() => provider.assertLedger()).not.toThrow(secret);
        expect(JSON.stringify(provider.ledger())).not.toContain(secret);
      }
    });
  });

  describe('faults', () => {
    it('dropped after the commit, the answer is lost and the refresh token spent', async () => {
      provider.rotation('shop', { mode: 'strict' });
      const first = provider.issueRefreshToken('shop');
      provider.respondNext({ dropConnection: 'after_commit' });
      await expect(refresh(first)).rejects.toThrow('fetch failed');
      const [entry] = provider.ledger();
      expect(entry).toMatchObject({ committed: true, grantType: 'refresh_token' });
      expect(entry?.status).toBeUndefined();
      expect((await refresh(first)).status).toBe(400);
      expect(() => provider.assertLedger()).toThrow('REFRESH_TOKEN_REUSED');
    });

    it('dropped before the commit, the refresh token works on', async () => {
      provider.rotation('shop', { mode: 'strict' });
      const first = provider.issueRefreshToken('shop');
      provider.respondNext({ dropConnection: 'before_commit' });
      await expect(refresh(first)).rejects.toThrow('fetch failed');
      expect(provider.ledger()[0]).toMatchObject({ committed: false });
      expect((await refresh(first)).status).toBe(200);
      provider.assertLedger();
    });

    it('scripted answers come in order: a refusal without commit, an overlaid answer, raw text', async () => {
      provider.respondNext({ status: 400, body: { error: 'slow_down' } });
      provider.respondNext({ body: { scope: 'less', expires_in: undefined } });
      provider.respondNext({ raw: '<html>', headers: { 'content-type': 'text/html' } });
      const refused = await ask({ grant_type: 'client_credentials' });
      expect([refused.status, await refused.json()]).toEqual([400, { error: 'slow_down' }]);
      const overlaid = await (await ask({ grant_type: 'client_credentials' })).json();
      expect(overlaid).toEqual({ access_token: expect.any(String), token_type: 'Bearer', scope: 'less' });
      expect(await (await ask({ grant_type: 'client_credentials' })).text()).toBe('<html>');
      expect(provider.ledger().map(({ committed }) => committed)).toEqual([false, true, true]);
    });

    it('in an outage nothing is committed, and the API stays up', async () => {
      const first = provider.issueRefreshToken('shop');
      const { access_token: token } = (await (await refresh(first)).json()) as Tokens;
      provider.outage(503);
      expect((await refresh(first)).status).toBe(503);
      expect((await fetch(provider.endpoints.revocation, { method: 'POST' })).status).toBe(503);
      expect((await orders(token)).status).toBe(200);
      provider.outage(null);
      expect((await refresh(first)).status).toBe(200);
      expect(provider.ledger()[1]).toMatchObject({ status: 503, committed: false });
    });

    it.each(['7200ms', 0, null])('expires_in can be the literal %j', async (literal) => {
      provider.expiresIn(literal);
      expect(await (await ask({ grant_type: 'client_credentials' })).json()).toHaveProperty('expires_in', literal);
      provider.expiresIn(undefined);
      expect(await (await ask({ grant_type: 'client_credentials' })).json()).toHaveProperty('expires_in', 3600);
    });
  });

  describe('revocation', () => {
    const revoke = (token: string, secret = SECRET): Promise<Response> =>
      fetch(provider.endpoints.revocation, {
        method: 'POST',
        body: new URLSearchParams({ client_id: 'shop', client_secret: secret, token }),
      });

    it('a revoked refresh token ends its grant; an unknown token is answered 200, a wrong secret 401', async () => {
      const { second, accessToken } = await rotated({ mode: 'strict' });
      expect((await revoke(second, 'wrong')).status).toBe(401);
      expect((await orders(accessToken)).status).toBe(200);
      expect(provider.revocations()).toBe(0);
      expect((await revoke(second)).status).toBe(200);
      expect((await revoke('unknown')).status).toBe(200);
      expect(provider.revocations()).toBe(2);
      expect((await orders(accessToken)).status).toBe(401);
      expect((await refresh(second)).status).toBe(400);
    });

    it('a revoked access token leaves its refresh token alone', async () => {
      const { second, accessToken } = await rotated({ mode: 'strict' });
      await revoke(accessToken);
      expect((await orders(accessToken)).status).toBe(401);
      expect((await refresh(second)).status).toBe(200);
    });

    it.each(['shop', 'ann', 'ann@example.com'])('grants of %s end behind our back', async (owner) => {
      provider.account({ sub: 'ann', email: 'ann@example.com' });
      const { second, accessToken } = await rotated({ mode: 'strict' });
      provider.revokeGrant(owner);
      expect((await orders(accessToken)).status).toBe(401);
      expect((await refresh(second)).status).toBe(400);
      expect(() => provider.revokeGrant(owner)).toThrow();
      provider.assertLedger();
    });
  });

  it('stops twice and refuses connections afterwards', async () => {
    await provider.stop();
    await provider.stop();
    await expect(ask({ grant_type: 'client_credentials' })).rejects.toThrow('fetch failed');
  });
});

/** Observes the server, which runs in this process. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
