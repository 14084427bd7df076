import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startProvider } from '../../../demo/provider/process';
import { obtainTokens, postForm, testClients, testProvider, UNUSED_REDIRECT_URI } from '../../support/provider';
import type { ProviderClient, TestProvider } from '../../support/provider';

interface TokenAnswer {
  readonly status: number;
  readonly body: { access_token: string; refresh_token: string; expires_in: number; error?: string };
}

const consent = { redirectUri: UNUSED_REDIRECT_URI, login: 'ann', scope: 'openid email offline_access orders' };

let provider: TestProvider;
beforeAll(async () => {
  provider = await testProvider({ orders: { first: 7, everySeconds: 3600, most: 7 } });
});
afterAll(() => provider.close());

const tokenCall = async (
  client: ProviderClient,
  form: Readonly<Record<string, string>>,
  at: TestProvider = provider,
): Promise<TokenAnswer> => {
  const response = await postForm(at.endpoints.token, client, form);
  return { status: response.status, body: (await response.json()) as TokenAnswer['body'] };
};
const refresh = (
  refreshToken: string,
  client: ProviderClient = testClients.code,
  at?: TestProvider,
): Promise<TokenAnswer> => tokenCall(client, { grant_type: 'refresh_token', refresh_token: refreshToken }, at);
const firstRefreshToken = async (login: string, client: ProviderClient = testClients.code): Promise<string> =>
  (await obtainTokens(provider, client, { ...consent, login })).refreshToken.reveal();
const api = (
  path: string,
  accessToken: string,
  init: RequestInit = {},
  at: TestProvider = provider,
): Promise<Response> =>
  fetch(at.apiUrl + path, { ...init, headers: { authorization: `Bearer ${accessToken}`, ...init.headers } });
const robotToken = async (at?: TestProvider): Promise<string> =>
  (await tokenCall(testClients.m2m, { grant_type: 'client_credentials', scope: 'orders' }, at)).body.access_token;

describe('the authorization server of the demo', () => {
  it.each(Object.values(testClients).filter(({ kind }) => kind === 'code'))(
    'gives tokens to $clientId for a code and its verifier',
    async (client) => {
      const tokens = await obtainTokens(provider, client, consent);
      expect(tokens.expiresInSeconds).toBe(60);
      expect((await api('/orders', tokens.accessToken.reveal())).status).toBe(200);
      expect((await refresh(tokens.refreshToken.reveal(), client)).status).toBe(200);
    },
  );

  it('refuses an authorization request without a code challenge', async () => {
    const query = new URLSearchParams({
      client_id: testClients.code.clientId,
      response_type: 'code',
      redirect_uri: UNUSED_REDIRECT_URI,
      scope: 'openid',
    });
    const response = await fetch(`${provider.endpoints.authorization}?${query.toString()}`, { redirect: 'manual' });
    const back = new URL(response.headers.get('location') ?? '');
    expect(back.searchParams.get('error')).toBe('invalid_request');
  });

  it('rotates the refresh token at every refresh', async () => {
    const first = await firstRefreshToken('rose');
    const second = await refresh(first);
    const third = await refresh(second.body.refresh_token);
    expect([second.status, third.status]).toEqual([200, 200]);
    expect(new Set([first, second.body.refresh_token, third.body.refresh_token]).size).toBe(3);
  });

  it('ends the whole grant when a used refresh token comes back', async () => {
    const first = await firstRefreshToken('ruth');
    const second = await refresh(first);
    expect((await refresh(first)).body.error).toBe('invalid_grant');
    expect((await refresh(second.body.refresh_token)).body.error).toBe('invalid_grant');
    expect((await api('/orders', second.body.access_token)).status).toBe(401);
  });

  it('refuses one of two parallel refreshes', async () => {
    const token = await firstRefreshToken('pia');
    const answers = await Promise.all([refresh(token), refresh(token)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(answers.find(({ status }) => status === 400)?.body.error).toBe('invalid_grant');
  });

  it('ends the grant when its refresh token is revoked, and says so on introspection', async () => {
    const tokens = await obtainTokens(provider, testClients.code, { ...consent, login: 'rita' });
    const introspect = async (): Promise<unknown> => {
      const form = { token: tokens.accessToken.reveal() };
      return (await postForm(provider.endpoints.introspection, testClients.code, form)).json();
    };
    expect(await introspect()).toMatchObject({ active: true, client_id: testClients.code.clientId });
    await postForm(provider.endpoints.revocation, testClients.code, { token: tokens.refreshToken.reveal() });
    expect(await introspect()).toEqual({ active: false });
  });

  it('refuses the next refresh of a grant that was revoked behind our back, and no other', async () => {
    const [ended, kept] = [await firstRefreshToken('eve'), await firstRefreshToken('kim')];
    expect(await provider.admin.revokeGrant({ sub: 'eve', clientId: testClients.code.clientId })).toBe(1);
    expect((await refresh(ended)).body.error).toBe('invalid_grant');
    expect((await refresh(kept)).status).toBe(200);
  });

  it('knows its grants, ports and orders after a restart', async () => {
    const own = await testProvider();
    try {
      const tokens = await obtainTokens(own, testClients.code, consent);
      const before = await refresh(tokens.refreshToken.reveal(), testClients.code, own);
      const again = await own.restart();
      expect([again.issuer, again.apiUrl]).toEqual([own.issuer, own.apiUrl]);
      expect(again.pid).not.toBe(own.pid);
      expect((await api('/orders', before.body.access_token, {}, again)).status).toBe(200);
      expect((await refresh(before.body.refresh_token, testClients.code, again)).status).toBe(200);
      expect((await again.admin.ledger()).requests).toBe(3);
      await again.close();
    } finally {
      await own.close();
    }
  });

  it('commits a refresh and keeps its answer back until the client goes away', async () => {
    const token = await firstRefreshToken('flo', testClients.public);
    await provider.admin.withholdNextRefresh(testClients.public.clientId);
    const gone = new AbortController();
    const cut = fetch(provider.endpoints.token, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: token,
        client_id: testClients.public.clientId,
      }),
      signal: gone.signal,
    }).catch(() => 'cut');
    await provider.admin.untilWithheld(testClients.public.clientId, 10_000);
    gone.abort();
    expect(await cut).toBe('cut');
    expect((await refresh(token, testClients.public)).body.error).toBe('invalid_grant');
  });

  it('lets a withheld answer out on release, and its ledger counts who overlapped it', async () => {
    const token = await firstRefreshToken('gus', testClients.pasted);
    const before = await provider.admin.ledger();
    await provider.admin.withholdNextRefresh(testClients.pasted.clientId);
    const withheld = refresh(token, testClients.pasted);
    await provider.admin.untilWithheld(testClients.pasted.clientId, 10_000);
    expect((await refresh(token, testClients.pasted)).status).toBe(400);
    expect(await provider.admin.release()).toBe(1);
    expect((await withheld).status).toBe(200);

    const after = await provider.admin.ledger();
    expect(after.overlapping).toBe(before.overlapping + 1);
    expect(after.withheld).toBe(before.withheld + 1);
    expect(after.presentedAgain).toBe(before.presentedAgain + 1);
    expect(after.byClient[testClients.pasted.clientId]?.errors).toMatchObject({ invalid_grant: 1 });
  });

  it('keeps no secret in its ledger', async () => {
    const tokens = await obtainTokens(provider, testClients.code, { ...consent, login: 'sue' });
    const next = await refresh(tokens.refreshToken.reveal());
    const robot = await robotToken();
    const written = (await readFile(provider.ledgerFile, 'utf8')) + JSON.stringify(await provider.admin.ledger());
    expect(written).toContain('"presented":"');
    for (const secret of [
      tokens.accessToken.reveal(),
      tokens.refreshToken.reveal(),
      next.body.access_token,
      next.body.refresh_token,
      robot,
      testClients.code.clientSecret,
      testClients.m2m.clientSecret,
    ])
      expect(written).not.toContain(secret);
  });
});

describe('the API that it protects', () => {
  const pageOf = async (page: number): Promise<{ orders: { id: string }[]; full: boolean }> =>
    (await (await api(`/orders?page=${page}`, await robotToken())).json()) as {
      orders: { id: string }[];
      full: boolean;
    };

  it('pages through its orders in a fixed order', async () => {
    const pages = [await pageOf(1), await pageOf(2), await pageOf(3)];
    expect(pages.map(({ orders, full }) => [orders.length, full])).toEqual([
      [5, true],
      [2, false],
      [0, false],
    ]);
    expect(pages.flatMap(({ orders }) => orders.map(({ id }) => id)).at(-1)).toBe('order-00007');
  });

  it('counts one effect for one key, and repeats apart', async () => {
    const token = await robotToken();
    const acknowledge = (order: string, key?: string): Promise<Response> =>
      api(`/orders/${order}/ack`, token, { method: 'POST', headers: key ? { 'idempotency-key': key } : {} });
    const first = await acknowledge('order-00001', 'k1');
    const again = await acknowledge('order-00001', 'k1');
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(await again.json()).toEqual(await first.json());
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect((await acknowledge('order-00002', 'k1')).status).toBe(422);
    expect((await acknowledge('order-00002')).status).toBe(400);
    expect((await acknowledge('order-99999', 'k2')).status).toBe(404);
    const { effects, repeats } = await provider.admin.journal();
    expect(effects).toMatchObject([{ order: 'order-00001', key: 'k1', client: testClients.m2m.clientId }]);
    expect(repeats).toMatchObject([{ order: 'order-00001', key: 'k1' }]);
  });

  it('answers 401 invalid_token once a token has expired, and names no error when there was none', async () => {
    const own = await testProvider({ accessTokenSeconds: 2, orders: { first: 1, everySeconds: 0.1, most: 4 } });
    try {
      const token = await robotToken(own);
      expect((await api('/orders', token, {}, own)).status).toBe(200);
      let expired: Response;
      do expired = await api('/orders', token, {}, own);
      while (expired.status === 200);
      expect(expired.status).toBe(401);
      expect(expired.headers.get('www-authenticate')).toContain('error="invalid_token"');
      const bare = await fetch(`${own.apiUrl}/orders`);
      expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="orders"']);
      const { created, refused } = await own.admin.journal();
      expect([created.length, refused]).toEqual([4, 2]);
    } finally {
      await own.close();
    }
  });
});

describe('its process', () => {
  it('ends within a second on SIGTERM, even with an answer withheld', async () => {
    const own = await testProvider();
    try {
      const { refreshToken } = await obtainTokens(own, testClients.code, consent);
      await own.admin.withholdNextRefresh(testClients.code.clientId);
      const cut = refresh(refreshToken.reveal(), testClients.code, own).catch(() => 'cut');
      await own.admin.untilWithheld(testClients.code.clientId, 10_000);
      const asked = performance.now();
      await own.stop();
      expect(performance.now() - asked).toBeLessThan(1000);
      expect(await cut).toBe('cut');
    } finally {
      await own.close();
    }
  });

  it('ends when whoever started it is gone', async () => {
    const config = { dataDir: join(provider.dataDir, 'orphan'), clients: [], redirectUris: [] };
    const script = join(__dirname, '../../../demo/provider/provider.mjs');
    const child = spawn(process.execPath, [script, JSON.stringify(config)], { stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      const ended = once(child, 'exit');
      await once(child.stdout, 'data');
      child.stdin.end();
      expect(await ended).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('says which port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const start = startProvider({ dataDir: join(provider.dataDir, 'second'), port, clients: [], redirectUris: [] });
    try {
      await expect(start).rejects.toThrow(`Port ${port} is in use`);
    } finally {
      other.close();
    }
  });
});
