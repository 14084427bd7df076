/** Refreshing on real parts, against a scripted authorization server whose ledger is the judge. */
import { connectionWorkflowId, formatRef, grantRef } from '../../src/connection/ids';
import type { Ports } from '../../src/compose';
import type { ConnectionRef } from '../../src/connection/types';
import { DurableOAuthError } from '../../src/errors';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { eventually, Harness, RUNS } from '../support/harness';
import { caller, read, save, saved } from '../support/scenes';

describe.each(RUNS)('refresh ($run)', ({ tuning, maxCachedWorkflows }) => {
  let provider: ScriptedProvider;
  let harness: Harness;
  let vaultDown = false;
  /** Milliseconds by which the next answers are older than they are. */
  let backdate = 0;

  const decorate = (ports: Ports): Ports => {
    const older = async <T extends { issuedAt: string; receivedAt: string; expiresAt: string | null }>(
      answer: Promise<T>,
    ): Promise<T> => {
      const shift = backdate;
      const back = (text: string): string => new Date(Date.parse(text) - shift).toISOString();
      const a = await answer;
      return {
        ...a,
        issuedAt: back(a.issuedAt),
        receivedAt: back(a.receivedAt),
        expiresAt: a.expiresAt && back(a.expiresAt),
      };
    };
    const server = ports.authorizationServer;
    const up =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        if (vaultDown) throw new DurableOAuthError('VAULT_UNAVAILABLE');
        return call(...args);
      };
    const { vault } = ports;
    return {
      ...ports,
      authorizationServer: {
        ...server,
        clientCredentials: (target, scope) => older(server.clientCredentials(target, scope)),
        refresh: (target, token) => older(server.refresh(target, token)),
      },
      vault: {
        capabilities: vault.capabilities,
        put: up(vault.put.bind(vault)),
        latest: up(vault.latest.bind(vault)),
        destroy: up(vault.destroy.bind(vault)),
        checkWritable: up(vault.checkWritable.bind(vault)),
        list: vault.list.bind(vault),
      },
    };
  };

  beforeAll(async () => {
    provider = await startScriptedProvider({
      clients: {
        robot: { secret: 'robot-secret-canary' },
        slow: { secret: 'slow-secret-canary' },
        pasted: { secret: 'pasted-secret-canary', rotation: { mode: 'strict' } },
      },
      tokenLifetime: 3600,
    });
    harness = await Harness.start({
      tuning: { ...tuning, retryBaseMs: 500 },
      maxCachedWorkflows,
      decorate,
      secrets: () => provider.issuedSecrets(),
    });
  }, 120_000);
  afterEach(async () => {
    vaultDown = false;
    backdate = 0;
    provider.outage(null);
    provider.tokenLifetime(3600);
    provider.omitRefreshToken(false);
    harness.tripwire.watch(provider.issuedSecrets());
    provider.assertLedger();
    await harness.judge();
  });
  afterAll(async () => {
    await harness?.stop();
    await provider?.stop();
  });

  const at = (): { issuer: string; apiUrl: string } => ({ issuer: provider.issuer, apiUrl: provider.apiBaseUrl });
  const endpoints = (): { token: string; revocation: string } => provider.endpoints;
  const onDemand = { refresh: 'on_demand', fallback: 'pause' } as const;
  const robot = (change = {}) => ({
    at: at(),
    clientSecret: 'robot-secret-canary',
    change: { client_id: 'robot', endpoints: endpoints(), ...change },
  });
  const pasted = (change = {}) => ({
    at: at(),
    clientSecret: 'pasted-secret-canary',
    refreshToken: provider.issueRefreshToken('pasted'),
    change: {
      client_id: 'pasted',
      grant_type: 'refresh_token',
      endpoints: endpoints(),
      rotation: 'strict',
      ...change,
    } as const,
  });
  const row = (ref: ConnectionRef) => harness.parts.registry.connections.get(ref);
  const reaches = (ref: ConnectionRef, state: string, reason?: string) =>
    eventually(
      `${state}/${String(reason)}`,
      () => row(ref),
      (r) => r?.state === state && (reason === undefined || r.reason === reason),
    );

  it('000-11, 000-16, 000-18, 000-28, 001-09, 003-12, 003-13, 003-14 client credentials are saved with one token request, no redirect and no user', async () => {
    const before = provider.tokenRequests();
    const ref = await saved(harness, robot());
    expect(provider.tokenRequests()).toBe(before + 1);
    const context = await harness.parts.registry.connections.context(ref);
    expect(context?.connection).toMatchObject({ state: 'active', generation: 1, accountId: null });
    expect(context?.integration.settings.redirect_uri).toBeUndefined();
    const { accessToken, apiBaseUrl } = await read(harness, ref);
    const answer = await fetch(`${apiBaseUrl}/orders?page=1`, {
      headers: { authorization: `Bearer ${accessToken.reveal()}` },
    });
    expect(answer.status).toBe(200);
  });

  it('a person who asks has a newer generation before it is due; a young one is kept, and accuses nobody', async () => {
    backdate = 120_000;
    const ref = await saved(harness, robot());
    backdate = 0;
    const ask = (generation: number) =>
      harness.parts.connections.ensureFresh(ref, { generation, why: 'asked' }, caller);
    expect(await ask(1)).toMatchObject({ state: 'active', generation: 2 });
    const requests = provider.tokenRequests();
    expect(await ask(2)).toMatchObject({ state: 'active', generation: 2 });
    expect(provider.tokenRequests()).toBe(requests);
  });

  it('000-15, 001-14, 000-27 a pasted refresh token gives access without a screen; its pair is replaced ahead of expiry', async () => {
    provider.tokenLifetime(6);
    const ref = await saved(harness, pasted());
    const grant = (await row(ref))?.grantId ?? '';
    const first = await harness.parts.vault.latest(grantRef(ref, grant));
    await eventually(
      'generation 3',
      () => row(ref),
      (r) => (r?.generation ?? 0) >= 3,
    );
    const newest = await harness.parts.vault.latest(grantRef(ref, grant));
    expect(newest.generation).toBeGreaterThanOrEqual(3);
    const pairs = [first, newest].map(({ secret }) => (secret.kind === 'token_set' ? secret : undefined));
    expect(pairs[0]?.refreshToken?.reveal()).not.toBe(pairs[1]?.refreshToken?.reveal());
    expect(pairs[0]?.accessToken.reveal()).not.toBe(pairs[1]?.accessToken.reveal());
    // Its own clock would go on asking while other tests count.
    await harness.parts.connections.revoke(ref, 'test over', caller);
  });

  it('000-27 an answer without refresh token keeps the old one', async () => {
    backdate = (3600 - 100) * 1000;
    const ref = await saved(harness, pasted({ policy: onDemand }));
    backdate = 0;
    const grant = (await row(ref))?.grantId ?? '';
    const before = await harness.parts.vault.latest(grantRef(ref, grant));
    provider.omitRefreshToken(true);
    expect((await read(harness, ref)).generation).toBe(2);
    const after = await harness.parts.vault.latest(grantRef(ref, grant));
    const kept = [before, after].map(({ secret }) => secret.kind === 'token_set' && secret.refreshToken?.reveal());
    expect(kept[1]).toBe(kept[0]);
  });

  it('000-24 with an hour to live, 299 s left are refreshed before the answer and 301 s are not', async () => {
    backdate = (3600 - 299) * 1000;
    const low = await saved(harness, robot({ policy: onDemand }));
    // One second more than the buffer, as long as this machine is quick enough to read within it.
    let left = 0;
    for (let more = 1; left <= 300_000; more *= 2) {
      expect(more).toBeLessThan(500);
      backdate = (3600 - 300 - more) * 1000;
      const high = await saved(harness, robot({ policy: onDemand }));
      const before = provider.tokenRequests();
      const token = await read(harness, high);
      left = Date.parse(token.expiresAt ?? '') - Date.now();
      // Refreshed at once: it was too late, or the rule is broken, which the next turns then show.
      if (token.generation > 1) left = 0;
      if (left <= 300_000) continue;
      expect(provider.tokenRequests()).toBe(before);
    }
    backdate = 0;
    const before = provider.tokenRequests();
    expect((await read(harness, low)).generation).toBe(2);
    expect(provider.tokenRequests()).toBe(before + 1);
  });

  it('000-23 every read checks the expiry once', async () => {
    const ref = await saved(harness, robot());
    const count = async (): Promise<number> => (await harness.parts.metrics.tokenChecks.get()).values[0]?.value ?? 0;
    const before = await count();
    for (let i = 0; i < 7; i++) await read(harness, ref);
    expect(await count()).toBe(before + 7);
  });

  it('000-25, 000-27 an expired token is refreshed before it is served; the vault gives only the new pair, and the old refresh token is kept when none came', async () => {
    backdate = 3_700_000;
    const ref = await saved(harness, pasted({ policy: onDemand }));
    const row1 = await row(ref);
    backdate = 0;
    const token = await read(harness, ref);
    expect(token.generation).toBe(2);
    const path = grantRef(ref, row1?.grantId ?? '');
    const entry = await harness.parts.vault.latest(path);
    expect(entry.generation).toBe(2);
    expect(entry.secret.kind === 'token_set' && entry.secret.accessToken.reveal()).toBe(token.accessToken.reveal());
  });

  it('000-26 without a refresh token client credentials are granted anew', async () => {
    backdate = 3_700_000;
    const ref = await saved(harness, robot({ policy: onDemand }));
    backdate = 0;
    expect((await read(harness, ref)).generation).toBe(2);
  });

  it('500 callers at expiry cost one token request and at most two accepted updates', async () => {
    backdate = (3600 - 200) * 1000;
    const ref = await saved(harness, robot({ policy: onDemand }));
    backdate = 0;
    const before = provider.tokenRequests();
    const tokens = await Promise.all(Array.from({ length: 500 }, () => harness.parts.tokens.read(ref)));
    expect(new Set(tokens.map(({ generation }) => generation))).toEqual(new Set([2]));
    expect(provider.tokenRequests()).toBe(before + 1);
    const handle = harness.parts.temporal.workflow.getHandle(connectionWorkflowId(ref));
    const { events } = await handle.fetchHistory();
    const accepted = (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
    expect(accepted.length).toBeGreaterThan(0);
    expect(accepted.length).toBeLessThanOrEqual(2);
  });

  it('a proactive refresh costs at most 11 events, and its timer is named', async () => {
    provider.tokenLifetime(4);
    const ref = await saved(harness, robot());
    await eventually(
      'three generations',
      () => row(ref),
      (r) => (r?.generation ?? 0) >= 4,
    );
    const types: string[] = [];
    const started: number[] = [];
    for await (const one of harness.parts.temporal.workflow.list({
      query: `WorkflowId = "${connectionWorkflowId(ref)}"`,
    })) {
      const { events } = await harness.parts.temporal.workflow.getHandle(one.workflowId, one.runId).fetchHistory();
      for (const event of events ?? []) {
        types.push(String(event.eventType));
        if (event.activityTaskScheduledEventAttributes?.activityType?.name === 'refreshTokenSet')
          started.push(types.length);
      }
    }
    const perRefresh = Math.min(...started.slice(1).map((position, i) => position - (started[i] ?? 0)));
    process.stdout.write(`events per refresh: ${perRefresh}\n`);
    expect(perRefresh).toBeLessThanOrEqual(11);
    await harness.parts.connections.revoke(ref, 'test over', caller);
  });

  it('000-40 an outage while saving is nobody’s fault: 503 with Retry-After, nothing stored', async () => {
    provider.respondNext({ status: 503, headers: { 'retry-after': '7' } });
    const outcome = await save(harness, { ...robot({ client_id: 'slow' }), clientSecret: 'slow-secret-canary' });
    expect(outcome).toEqual(
      expect.objectContaining({ kind: 'failed', code: 'PROVIDER_UNREACHABLE', retryAfterSeconds: 7 }),
    );
  });

  it('000-39 a pasted refresh token is not spent while the vault is down', async () => {
    const before = provider.tokenRequests();
    const scene = pasted();
    vaultDown = true;
    const outcome = await save(harness, scene);
    vaultDown = false;
    expect(outcome).toMatchObject({ kind: 'failed', code: 'STORAGE_UNREACHABLE' });
    expect(provider.tokenRequests()).toBe(before);
  });

  it('004-09, 004-10 an outage degrades, the end of the token disconnects, and the first answer heals', async () => {
    provider.tokenLifetime(6);
    const ref = await saved(harness, robot());
    provider.outage(503);
    await reaches(ref, 'degraded', 'PROVIDER_UNREACHABLE');
    const dead = await reaches(ref, 'disconnected', 'PROVIDER_UNREACHABLE');
    expect(dead?.recovery).toBe('automatic');
    provider.outage(null);
    provider.tokenLifetime(3600);
    await reaches(ref, 'active');
  });

  it('004-09 a refused grant waits for renewed consent and that refresh token is never sent again', async () => {
    backdate = (3600 - 100) * 1000;
    const ref = await saved(harness, pasted({ policy: onDemand }));
    backdate = 0;
    provider.revokeGrant('pasted');
    await harness.parts.tokens.read(ref).catch(() => undefined);
    await reaches(ref, 'reauth_required', 'GRANT_REFUSED');
    const before = provider.tokenRequests();
    await expect(harness.parts.tokens.read(ref, { refused: 1, deadlineMs: 1_000 })).rejects.toMatchObject({
      code: 'CONSENT_NEEDED',
    });
    expect(provider.tokenRequests()).toBe(before);
  });

  it('004-09 a refused client secret is a setting to correct: it condemns no grant', async () => {
    backdate = (3600 - 100) * 1000;
    const ref = await saved(harness, pasted({ policy: onDemand }));
    backdate = 0;
    provider.changeClientSecret('pasted', 'another-secret-canary');
    await harness.parts.tokens.read(ref).catch(() => undefined);
    await reaches(ref, 'degraded', 'CLIENT_REJECTED');
    provider.changeClientSecret('pasted', 'pasted-secret-canary');
    await harness.parts.registry.oauthClients.resume(
      ref.tenant,
      (await harness.parts.registry.connections.context(ref))?.client.id ?? '',
    );
    await harness.parts.connections.nudge(ref, 'secret corrected', caller);
    await reaches(ref, 'active');
  });

  it('a vault that fails after the answer gets it later: kept sealed, one token request', async () => {
    backdate = (3600 - 100) * 1000;
    const ref = await saved(harness, robot({ policy: onDemand }));
    backdate = 0;
    const before = provider.tokenRequests();
    provider.respondNext({ delayMs: 1_500 });
    const reading = harness.parts.tokens.read(ref).catch(() => undefined);
    await eventually(
      'the request is in flight',
      () => Promise.resolve(provider.tokenRequests()),
      (n) => n === before + 1,
    );
    vaultDown = true;
    await reading;
    await reaches(ref, 'degraded', 'STORAGE_UNREACHABLE');
    vaultDown = false;
    await reaches(ref, 'active');
    expect((await read(harness, ref)).generation).toBe(2);
    expect(provider.tokenRequests()).toBe(before + 1);
  }, 90_000);

  it('M-11, 004-15 one revoke message revokes at the provider, destroys in the vault and disconnects; twice is fine', async () => {
    const ref = await saved(harness, pasted());
    const token = await read(harness, ref);
    const before = provider.revocations();
    const stone = await harness.parts.connections.revoke(ref, 'contract ended', caller);
    expect(stone).toMatchObject({ provider: 'revoked' });
    expect(stone.destroyedAt).toBeDefined();
    expect(provider.revocations()).toBeGreaterThan(before);
    expect(await row(ref)).toMatchObject({ state: 'disconnected', recovery: 'reconnect', reason: 'REVOKED_HERE' });
    await expect(harness.parts.vault.latest(grantRef(ref, token.grant))).rejects.toMatchObject({ code: 'VAULT_GONE' });
    await expect(harness.parts.connections.revoke(ref, 'again', caller)).resolves.toMatchObject({ v: 1 });
    const used = await fetch(`${provider.apiBaseUrl}/orders`, {
      headers: { authorization: `Bearer ${token.accessToken.reveal()}` },
    });
    expect(used.status).toBe(401);
  });

  it('a terminated run is started again by whoever asks, from its ref alone', async () => {
    backdate = (3600 - 100) * 1000;
    const ref = await saved(harness, robot({ policy: onDemand }));
    backdate = 0;
    await harness.parts.temporal.workflow.getHandle(connectionWorkflowId(ref)).terminate('test');
    expect((await read(harness, ref)).generation).toBe(2);
    const health = await harness.parts.connections.describe(ref);
    expect(health).toMatchObject({ state: 'active', ref: formatRef(ref) });
  });
});
