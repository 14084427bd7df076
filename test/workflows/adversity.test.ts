/** What happens between the steps: answers that overtake each other, storage that refuses, runs lost half-way. */
import type { Ports } from '../../src/compose';
import { connectionWorkflowId, grantRef } from '../../src/connection/ids';
import type { ConnectionRef } from '../../src/connection/types';
import { DurableOAuthError, type ErrorCode } from '../../src/errors';
import { startOverdue } from '../../src/housekeeping';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import type { VaultEntry } from '../../src/vault/port';
import { Secret, type TokenSet } from '../../src/vault/secret';
import { eventually, Harness, RUNS } from '../support/harness';
import { caller, complete, read, save, saved, visit } from '../support/scenes';

const CALLBACK = 'http://127.0.0.1:3000/callback';
const HOUR = 3_600_000;

describe.each(RUNS)('adversity ($run)', ({ tuning, maxCachedWorkflows }) => {
  let provider: ScriptedProvider;
  let harness: Harness;
  /** What the vault answers to a put, instead of doing it. */
  let refusePuts: ErrorCode | undefined;
  let refuseReads = false;
  /** An empty vault in the place of the one that was used: its volume is not mounted. */
  let empty = false;
  /** The vault answers with the first generation, whatever it holds. */
  let lag = false;
  const firsts = new Map<string, VaultEntry>();
  /** Runs after the provider answered or refused a refresh, before the activity hears of it. */
  let afterRefresh: (() => Promise<void>) | undefined;

  const decorate = (ports: Ports): Ports => {
    const { vault, authorizationServer: server } = ports;
    return {
      ...ports,
      authorizationServer: {
        ...server,
        refresh: (target, token) => server.refresh(target, token).finally(() => afterRefresh?.()),
      },
      vault: {
        capabilities: vault.capabilities,
        put(ref, generation, secret) {
          const refused = ref.startsWith('grant/') && generation > 1 ? refusePuts : undefined;
          return refused === undefined
            ? vault.put(ref, generation, secret)
            : Promise.reject(new DurableOAuthError(refused));
        },
        async latest(ref) {
          if (refuseReads) throw new DurableOAuthError('VAULT_UNAVAILABLE');
          if (empty) throw new DurableOAuthError('VAULT_MISSING');
          const entry = await vault.latest(ref);
          if (entry.generation === 1) firsts.set(ref, entry);
          return (lag && firsts.get(ref)) || entry;
        },
        destroy: (ref) => vault.destroy(ref),
        checkWritable: () => vault.checkWritable(),
        list: (prefix) => vault.list(prefix),
      },
    };
  };

  beforeAll(async () => {
    provider = await startScriptedProvider({
      clients: { app: { secret: 'app-secret-canary', rotation: { mode: 'strict' } } },
      tokenLifetime: 3600,
    });
    harness = await Harness.start({
      presets: [{ name: 'single', title: 'Single', revocation: { reach: 'token' } }],
      tuning: { ...tuning, retryBaseMs: 500, consentMs: 20_000 },
      maxCachedWorkflows,
      decorate,
      secrets: () => provider.issuedSecrets(),
    });
  }, 120_000);
  afterEach(async () => {
    refusePuts = afterRefresh = undefined;
    refuseReads = lag = empty = false;
    provider.outage(null);
    provider.tokenLifetime(3600);
    harness.tripwire.watch(provider.issuedSecrets());
    provider.assertLedger();
    await harness.judge();
  });
  afterAll(async () => {
    await harness?.stop();
    await provider?.stop();
  });

  const scene = (change = {}) => ({
    at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
    clientSecret: 'app-secret-canary',
    change: { client_id: 'app', endpoints: provider.endpoints, rotation: 'strict', ...change } as const,
  });
  const pasted = (change = {}) => ({
    ...scene({ grant_type: 'refresh_token', ...change }),
    refreshToken: provider.issueRefreshToken('app'),
  });
  const codeGrant = (change = {}) =>
    scene({ grant_type: 'authorization_code', redirect_uri: CALLBACK, scope: 'read', ...change });
  const row = (ref: ConnectionRef) => harness.parts.registry.connections.get(ref);
  const reaches = (ref: ConnectionRef, state: string, reason?: string) =>
    eventually(
      `${state}/${String(reason)}`,
      () => row(ref),
      (r) => r?.state === state && (reason === undefined || r.reason === reason),
    );

  it('a refused refresh token is believed only when the vault holds nothing newer: a slow worker had stored the pair', async () => {
    provider.tokenLifetime(8);
    const ref = await saved(harness, pasted());
    const grant = (await row(ref))?.grantId ?? '';
    const path = grantRef(ref, grant);
    const held = (await harness.parts.vault.latest(path)).secret as TokenSet;
    // The slow worker's pair: good for an hour, and stored while the provider refuses ours.
    const set: TokenSet = {
      ...held,
      accessToken: new Secret('slow-worker-access-canary'),
      refreshToken: new Secret('slow-worker-refresh-canary'),
      receivedAt: new Date(Date.now() + 1_000).toISOString(),
      expiresAt: new Date(Date.now() + HOUR).toISOString(),
      lifetimeSeconds: 3600,
    };
    harness.tripwire.watch(['slow-worker-access-canary', 'slow-worker-refresh-canary']);
    provider.respondNext({ status: 400, body: { error: 'invalid_grant' } });
    afterRefresh = async () => {
      afterRefresh = undefined;
      await harness.vault.put(path, 2, set);
    };
    await eventually(
      'generation 2',
      () => row(ref),
      (r) => r?.generation === 2,
    );
    expect(await row(ref)).toMatchObject({ state: 'active', reason: null });
    expect((await read(harness, ref)).accessToken.reveal()).toBe('slow-worker-access-canary');
  }, 60_000);

  it('a rotated answer that the vault driver fails on, whatever its failure, is kept sealed and stored in the end', async () => {
    provider.tokenLifetime(8);
    const ref = await saved(harness, pasted());
    refusePuts = 'VAULT_CORRUPT';
    await reaches(ref, 'degraded', 'STORAGE_UNREACHABLE');
    const sent = provider.tokenRequests();
    // While it waits the old token dies, and people are told.
    await reaches(ref, 'disconnected', 'STORAGE_UNREACHABLE');
    provider.tokenLifetime(3600);
    refusePuts = undefined;
    await reaches(ref, 'active');
    expect((await row(ref))?.generation).toBeGreaterThanOrEqual(2);
    // Its own tokens had died meanwhile: the next pair may have been asked for, but no refresh token twice (the ledger).
    expect(provider.tokenRequests() - sent).toBeLessThanOrEqual(1);
  }, 60_000);

  it('a vault that answers with an older generation than it was given costs no refresh token', async () => {
    provider.tokenLifetime(6);
    const ref = await saved(harness, pasted());
    const second = await eventually(
      'generation 2',
      () => row(ref),
      (r) => (r?.generation ?? 0) >= 2,
    );
    lag = true;
    const sent = provider.tokenRequests();
    await reaches(ref, 'disconnected', 'STORAGE_UNREACHABLE');
    // One may have been on its way when the lag began.
    expect(provider.tokenRequests() - sent).toBeLessThanOrEqual(1);
    lag = false;
    const healed = await reaches(ref, 'active');
    expect(healed?.generation).toBeGreaterThan(second?.generation ?? 0);
  }, 60_000);

  it('a vault that is suddenly empty is an outage, not the end of every consent', async () => {
    provider.tokenLifetime(6);
    const ref = await saved(harness, pasted());
    empty = true;
    await reaches(ref, 'disconnected', 'STORAGE_UNREACHABLE');
    await expect(harness.parts.tokens.read(ref, { deadlineMs: 500 })).rejects.toMatchObject({
      code: expect.stringMatching(/^(VAULT_UNAVAILABLE|NOT_CONNECTED|TOKEN_NOT_FRESH)$/) as unknown,
    });
    // A run that is started now finds nothing either, and knows no better.
    await harness.parts.temporal.workflow.getHandle(connectionWorkflowId(ref)).terminate('lost');
    await harness.parts.connections.nudge(ref, 'start', caller);
    await eventually(
      'its reading',
      () => harness.parts.connections.describe(ref),
      (reading) => reading.state === 'disconnected',
    );
    empty = false;
    await reaches(ref, 'active');
  }, 60_000);

  it('a revocation whose run was lost after the freeze is finished by housekeeping: revoked, destroyed, recorded', async () => {
    const ref = await saved(harness, pasted());
    const { grant } = await read(harness, ref);
    await harness.parts.temporal.workflow.getHandle(connectionWorkflowId(ref)).terminate('lost');
    await harness.parts.registry.connections.freeze(ref, { type: 'connection.frozen', ...caller });
    const asked = provider.revocations();
    expect(await startOverdue(harness.parts, new Date(Date.now() + HOUR / 2))).toBeGreaterThan(0);
    const done = await eventually(
      'the revocation is recorded',
      () => row(ref),
      (r) => r?.frozenAt != null && r.revokingSince === null,
    );
    expect(done).toMatchObject({ state: 'disconnected', recovery: 'reconnect', reason: 'REVOKED_HERE' });
    expect(provider.revocations()).toBeGreaterThan(asked);
    await expect(harness.parts.vault.latest(grantRef(ref, grant))).rejects.toMatchObject({ code: 'VAULT_GONE' });
    const types = (await harness.parts.registry.events.list(ref.tenant, ref.connection, { size: 50 })).map(
      ({ type }) => type,
    );
    expect(types).toContain('grant.destroyed');
  }, 60_000);

  it('a freeze whose answer was lost is found out by the next projection, and the revocation goes on', async () => {
    provider.tokenLifetime(8);
    const ref = await saved(harness, pasted());
    const grant = (await row(ref))?.grantId ?? '';
    await harness.parts.registry.connections.freeze(ref, { type: 'connection.frozen', ...caller });
    provider.outage(503);
    await eventually(
      'the revocation is recorded',
      () => row(ref),
      (r) => {
        if (r?.reason !== null) provider.outage(null);
        return r?.frozenAt != null && r.revokingSince === null;
      },
    );
    await expect(harness.parts.tokens.read(ref)).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(harness.parts.vault.latest(grantRef(ref, grant))).rejects.toMatchObject({ code: 'VAULT_GONE' });
  }, 60_000);

  it('of two saves that want one integration id, the loser takes nothing of the winner along', async () => {
    const integration = `in_twice_${maxCachedWorkflows ?? 'x'}`;
    const first = pasted();
    const ref = await saved(harness, { ...first, integration });
    expect(await save(harness, { ...pasted(), integration })).toMatchObject({ kind: 'failed', code: 'ALREADY_EXISTS' });
    expect(await save(harness, { ...first, integration })).toMatchObject({ kind: 'failed', code: 'ALREADY_EXISTS' });
    expect(await harness.parts.registry.integrations.get(harness.tenant, integration)).toBeDefined();
    expect((await read(harness, ref)).generation).toBe(1);
  }, 60_000);

  it('a grant that a newer consent replaced is destroyed, and revoked where revocation concerns one token', async () => {
    const ref = await saved(harness, codeGrant({ preset: 'single' }));
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    const first = await reaches(ref, 'active');
    const asked = provider.revocations();
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    const second = await eventually(
      'the second grant',
      () => row(ref),
      (r) => r?.grantId !== first?.grantId,
    );
    await eventually(
      'the first is destroyed',
      () =>
        harness.parts.vault.latest(grantRef(ref, first?.grantId ?? '')).then(
          () => 'there',
          (error: DurableOAuthError) => error.code,
        ),
      (code) => code === 'VAULT_GONE',
    );
    expect(provider.revocations()).toBeGreaterThan(asked);
    const { accessToken, grant } = await read(harness, ref);
    expect(grant).toBe(second?.grantId);
    const used = await fetch(`${provider.apiBaseUrl}/orders`, {
      headers: { authorization: `Bearer ${accessToken.reveal()}` },
    });
    expect(used.status).toBe(200);
  }, 60_000);

  it('a run that cannot be read yet answers so within seconds, and goes on once it can', async () => {
    const ref = await saved(harness, pasted());
    await harness.parts.temporal.workflow.getHandle(connectionWorkflowId(ref)).terminate('lost');
    refuseReads = true;
    const asked = harness.parts.connections.ensureFresh(ref, { generation: 1, why: 'refused' }, caller);
    await expect(asked).rejects.toMatchObject({ code: 'STORAGE_UNREACHABLE' });
    refuseReads = false;
    await eventually(
      'its reading',
      () => harness.parts.connections.describe(ref),
      (reading) => reading.state === 'active',
    );
  }, 60_000);
});
