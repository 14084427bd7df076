/** Code grants against the scripted authorization server: what its answers lead to. */
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { eventually, Harness, RUNS } from '../support/harness';
import { caller, complete, link, read, saved, view, type Visitor } from '../support/scenes';
import type { ConnectionRef } from '../../src/connection/types';

const CALLBACK = 'https://oauth2.integrations.acme.com/callback';

describe.each(RUNS)('the code grant ($run)', ({ tuning, maxCachedWorkflows }) => {
  let provider: ScriptedProvider;
  let harness: Harness;

  beforeAll(async () => {
    provider = await startScriptedProvider({ clients: { app: { secret: 'app-secret-canary' } }, tokenLifetime: 3600 });
    harness = await Harness.start({
      tuning: { ...tuning, consentMs: 20_000 },
      maxCachedWorkflows,
      secrets: () => provider.issuedSecrets(),
    });
  }, 120_000);
  afterEach(async () => {
    provider.omitRefreshToken(false);
    provider.denyConsent(false);
    provider.tokenLifetime(3600);
    provider.account({ sub: 'ann', email: 'ann@example.test' });
    provider.assertLedger();
    await harness.judge();
  });
  afterAll(async () => {
    await harness?.stop();
    await provider?.stop();
  });

  const app = (change = {}) => ({
    at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
    clientSecret: 'app-secret-canary',
    change: {
      grant_type: 'authorization_code',
      client_id: 'app',
      endpoints: provider.endpoints,
      scope: 'read write api_access',
      redirect_uri: CALLBACK,
      ...change,
    } as const,
  });
  const row = (ref: ConnectionRef) => harness.parts.registry.connections.get(ref);
  const active = (ref: ConnectionRef) =>
    eventually(
      'active',
      () => row(ref),
      (r) => r?.state === 'active',
    );

  /** The browser's way: our start, the provider, back to the callback. */
  async function visit(ref: ConnectionRef, token?: string): Promise<Visitor & { location: URL }> {
    const { location, cookie } = await harness.parts.consents.begin(token ?? (await link(harness, ref)), 'en');
    const there = await fetch(location, { redirect: 'manual' });
    const callbackUrl = there.headers.get('location') ?? '';
    const [stateHash = '', browserSecret = ''] = cookie.value.split('.');
    harness.tripwire.watch([new URL(callbackUrl).searchParams.get('state') ?? '', browserSecret]);
    return {
      location: new URL(location),
      cookie: `${cookie.name}=${cookie.value}`,
      callbackUrl,
      stateHash,
      attempt: stateHash.slice(0, 8),
    };
  }

  it('003-04, 003-16, 001-20, 000-13, 003-11, 003-19, 004-22 the browser is sent with client id, exact redirect URI, scope, state and PKCE', async () => {
    const ref = await saved(harness, app());
    const { location } = await visit(ref);
    const asked = Object.fromEntries(location.searchParams);
    expect(asked).toMatchObject({
      response_type: 'code',
      client_id: 'app',
      redirect_uri: CALLBACK,
      scope: 'read write api_access',
      code_challenge_method: 'S256',
    });
    expect(asked['state']?.length).toBeGreaterThanOrEqual(43);
    expect(asked['code_challenge']).toHaveLength(43);
  });

  it('001-10 an account is connected without any password, and its token is renewed without the person', async () => {
    const ref = await saved(harness, app());
    provider.tokenLifetime(6);
    expect(await complete(harness, await visit(ref))).toBe('connected');
    await eventually(
      'generation 2',
      () => row(ref),
      (r) => (r?.generation ?? 0) >= 2,
    );
    const context = await harness.parts.registry.connections.context(ref);
    expect(JSON.stringify(context)).not.toMatch(/password/i);
  });

  it('001-15 an answer without refresh token leaves no grant and says what to do', async () => {
    const ref = await saved(harness, app());
    provider.omitRefreshToken(true);
    const visitor = await visit(ref);
    expect(await complete(harness, visitor)).toBe('failed');
    const seen = await view(harness, visitor);
    expect(seen?.reading.code).toBe('REFRESH_TOKEN_MISSING');
    expect(await row(ref)).toMatchObject({ state: 'pending_consent', grantId: null });
    const grants = [];
    for await (const one of harness.parts.vault.list(`grant/${ref.tenant}/${ref.connection}/`)) grants.push(one);
    expect(grants).toEqual([]);
  });

  it('001-23 a re-consent without refresh token keeps the old one when the account is the same and a refresh proves it', async () => {
    const ref = await saved(harness, app());
    await complete(harness, await visit(ref));
    const first = await active(ref);
    provider.omitRefreshToken(true);
    expect(await complete(harness, await visit(ref))).toBe('connected');
    const proved = await eventually(
      'proved by a refresh',
      () => row(ref),
      (r) => (r?.generation ?? 0) === 2,
    );
    expect(proved).toMatchObject({ grantId: first?.grantId, state: 'active' });
  });

  it('001-23 of another account it brings nothing', async () => {
    const ref = await saved(harness, app());
    await complete(harness, await visit(ref));
    const first = await active(ref);
    provider.omitRefreshToken(true);
    provider.account({ sub: 'bob', email: 'bob@example.test' });
    const visitor = await visit(ref);
    expect(await complete(harness, visitor)).toBe('failed');
    expect((await row(ref))?.grantId).toBe(first?.grantId);
  });

  it('000-26 a code grant without refresh token ends with its token: renewed consent is asked for and nothing stale is served', async () => {
    provider.omitRefreshToken(true);
    provider.tokenLifetime(5);
    const ref = await saved(harness, app({ refresh_token_required: false }));
    expect(await complete(harness, await visit(ref))).toBe('connected');
    await active(ref);
    const ended = await eventually(
      'its end',
      () => row(ref),
      (r) => r?.state === 'reauth_required',
    );
    expect(ended?.reason).toBe('REFRESH_TOKEN_MISSING');
    await expect(harness.parts.tokens.read(ref, { deadlineMs: 500 })).rejects.toMatchObject({ code: 'CONSENT_NEEDED' });
  });

  it('003-08 refusing at the provider exchanges nothing and keeps the connection waiting', async () => {
    const ref = await saved(harness, app());
    provider.denyConsent(true);
    const before = provider.tokenRequests();
    const visitor = await visit(ref);
    expect(await complete(harness, visitor)).toBe('failed');
    expect(provider.tokenRequests()).toBe(before);
    expect((await row(ref))?.state).toBe('pending_consent');
  });

  it('004-20 a revoked connection is connected again under its id', async () => {
    const ref = await saved(harness, app());
    await complete(harness, await visit(ref));
    await active(ref);
    await harness.parts.connections.revoke(ref, 'pause', caller);
    expect(await row(ref)).toMatchObject({ state: 'disconnected', recovery: 'reconnect' });
    expect(await complete(harness, await visit(ref))).toBe('connected');
    const again = await active(ref);
    expect(again).toMatchObject({ frozenAt: null });
    expect((await read(harness, ref)).grant).toBe(again?.grantId);
  });

  it('an unconfirmed grant is destroyed and leaves the working one alone; who confirms too late finds nothing', async () => {
    const ref = await saved(harness, app());
    await complete(harness, await visit(ref));
    const first = await active(ref);
    const confirmer = { endUserId: 'user-4711' };
    const confirmerHash = await harness.parts.consents.confirmerHash(ref, confirmer);
    const returnTo = 'https://shop.example/done';
    const token = await link(harness, ref, { mode: 'handback', confirmerHash, returnTo });
    const visitors = [await visit(ref), await visit(ref, token)];
    for (const { callbackUrl, cookie } of visitors) await harness.parts.consents.callback(callbackUrl, cookie);
    const seen = await view(harness, visitors[1]!);
    for (const { attempt, cookie } of visitors) {
      const after = await eventually(
        'the attempt ran out',
        () => harness.parts.consents.describe(attempt, cookie),
        (now) => now?.stage === 'failed',
      );
      expect(after?.reading).toMatchObject({ code: 'CONSENT_NOT_COMPLETED', detail: 'expired' });
    }
    const { searchParams } = new URL(seen?.onward ?? '');
    const code = searchParams.get('confirmation_code') ?? '';
    const late = { ref, consent: searchParams.get('consent') ?? '', code, confirmer };
    expect(await harness.parts.consents.confirmFor(late, caller)).toBeUndefined();
    expect((await row(ref))?.grantId).toBe(first?.grantId);
    // People are told first, and the grants are destroyed then.
    const grants = await eventually(
      'the grants are destroyed',
      async () => {
        const found = [];
        for await (const one of harness.parts.vault.list(`grant/${ref.tenant}/${ref.connection}/`)) found.push(one);
        return found;
      },
      (left) => left.length <= 1,
    );
    expect(grants).toEqual([`grant/${ref.tenant}/${ref.connection}/${first?.grantId}`]);
    const { accessToken } = await read(harness, ref);
    const used = await fetch(`${provider.apiBaseUrl}/orders`, {
      headers: { authorization: `Bearer ${accessToken.reveal()}` },
    });
    expect(used.status).toBe(200);
  }, 90_000);
});
