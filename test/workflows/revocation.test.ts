/** Revocation: frozen first, whatever else is down; what was consented to before goes with it, what comes after connects. */
import type { Ports } from '../../src/compose';
import { connectionWorkflowId, grantRef } from '../../src/connection/ids';
import type { ConnectionRef } from '../../src/connection/types';
import { DurableOAuthError, isDurableOAuthError, type ErrorCode } from '../../src/errors';
import { OAuthFailure } from '../../src/oauth/failure';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { eventually, Harness, RUNS } from '../support/harness';
import { caller, CALLBACK, complete, link, saved, view, visit } from '../support/scenes';
import type { TokenSet } from '../../src/vault/secret';
import { vaultWith } from '../support/vault-with';

describe.each(RUNS)('revocation ($run)', ({ tuning, maxCachedWorkflows }) => {
  let provider: ScriptedProvider;
  let harness: Harness;
  /** What the vault answers about these refs, instead of what it holds. */
  const answers = new Map<string, ErrorCode>();
  let vaultDown = false;
  let revocationDown = false;
  let destructionDown = false;
  /** Adoptions wait for it before they reach the registry. */
  let adoptable = Promise.resolve();
  let release = (): void => undefined;
  /** What happens once an adoption was committed, before its answer is known. */
  let afterAdoption: ((grant: string) => void) | undefined;

  const unavailable = (): Promise<never> => Promise.reject(new DurableOAuthError('VAULT_UNAVAILABLE'));
  const decorate = (ports: Ports): Ports => {
    const { vault, registry, authorizationServer: server } = ports;
    return {
      ...ports,
      authorizationServer: {
        ...server,
        revoke: (...given) => (revocationDown ? Promise.reject(silent()) : server.revoke(...given)),
      },
      registry: {
        ...registry,
        connections: {
          ...registry.connections,
          async adoptGrant(ref, adoption) {
            await adoptable;
            const answer = await registry.connections.adoptGrant(ref, adoption);
            afterAdoption?.(adoption.token.grant);
            return answer;
          },
        },
      },
      vault: vaultWith(vault, {
        async latest(ref) {
          if (vaultDown) return unavailable();
          const code = answers.get(ref);
          if (code !== undefined) throw new DurableOAuthError(code);
          return vault.latest(ref);
        },
        destroy: (ref) =>
          vaultDown || (destructionDown && ref.startsWith('grant/')) ? unavailable() : vault.destroy(ref),
      }),
    };
  };

  beforeAll(async () => {
    provider = await startScriptedProvider({ clients: { app: { secret: 'app-secret-canary' } }, tokenLifetime: 3600 });
    harness = await Harness.start({
      presets: [{ name: 'single', title: 'Single', revocation: { reach: 'token' } }],
      tuning: { ...tuning, retryBaseMs: 500, continueAfter: 2 },
      maxCachedWorkflows,
      decorate,
      secrets: () => provider.issuedSecrets(),
    });
  }, 120_000);
  afterEach(async () => {
    answers.clear();
    vaultDown = revocationDown = destructionDown = false;
    release();
    afterAdoption = undefined;
    provider.tokenLifetime(3600);
    harness.tripwire.watch(provider.issuedSecrets());
    provider.assertLedger();
    await harness.judge();
  });
  afterAll(async () => {
    await harness?.stop();
    await provider?.stop();
  });

  const silent = (): OAuthFailure =>
    new OAuthFailure('Revoking', { class: 'TRANSIENT', code: 'PROVIDER_UNREACHABLE', sent: true });
  const scene = (change = {}) => ({
    at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
    clientSecret: 'app-secret-canary',
    change: { client_id: 'app', endpoints: provider.endpoints, preset: 'single', ...change },
  });
  const pasted = () =>
    saved(harness, {
      ...scene({ grant_type: 'refresh_token' }),
      refreshToken: provider.issueRefreshToken('app'),
    });
  const row = (ref: ConnectionRef) => harness.parts.registry.connections.get(ref);
  const handle = (ref: ConnectionRef) => harness.parts.temporal.workflow.getHandle(connectionWorkflowId(ref));
  const revoke = (ref: ConnectionRef) => harness.parts.connections.revoke(ref, 'over', caller);
  const grantOf = async (ref: ConnectionRef): Promise<string> => (await row(ref))?.grantId ?? '';
  const fate = (ref: ConnectionRef, grant: string): Promise<string> =>
    harness.parts.vault.latest(grantRef(ref, grant)).then(
      () => 'there',
      (error: unknown) => (isDurableOAuthError(error) ? error.code : 'foreign'),
    );
  /** @returns the id of a run that is another one than `before`, or than the one there is now */
  async function newRun(ref: ConnectionRef, before?: string): Promise<string> {
    const old = before ?? (await handle(ref).describe()).runId;
    const { runId } = await eventually(
      'a new run',
      () => handle(ref).describe(),
      (now) => now.runId !== old,
    );
    return runId;
  }
  const destroyed = (ref: ConnectionRef, grant: string) =>
    eventually(
      `${grant} is destroyed`,
      () => fate(ref, grant),
      (code) => code === 'VAULT_GONE',
    );
  const reaches = (ref: ConnectionRef, state: string, reason?: string) =>
    eventually(
      `${state}/${String(reason)}`,
      () => row(ref),
      (r) => r?.state === state && (reason === undefined || r.reason === reason),
    );
  const finished = (ref: ConnectionRef) =>
    eventually(
      'the revocation is finished',
      () => row(ref),
      (r) => r?.frozenAt != null && r.revokingSince === null,
    );

  /** A connection that somebody has consented to, and its access token. */
  async function consented(): Promise<{ ref: ConnectionRef; grant: string; token: string }> {
    const ref = await saved(
      harness,
      scene({ grant_type: 'authorization_code', redirect_uri: CALLBACK, scope: 'read' }),
    );
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    await reaches(ref, 'active');
    const grant = await grantOf(ref);
    return { ref, grant, token: await tokenOf(ref, grant) };
  }
  /** Consent once more. @returns the new grant, which its connection has heard of */
  async function consentAgain(ref: ConnectionRef): Promise<string> {
    const before = await heard(ref);
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    const now = await eventually(
      'the hand-over',
      () => heard(ref),
      (seen) => seen.length > before.length,
    );
    return now.at(-1) ?? '';
  }
  const heard = async (ref: ConnectionRef): Promise<string[]> =>
    (await harness.history(connectionWorkflowId(ref)))
      .filter(({ json }) => json.includes('"grantReady"'))
      .map(({ json }) => /"data":"([^"]+)"/.exec(json)?.[1] ?? '')
      .map((data) => (JSON.parse(Buffer.from(data, 'base64').toString()) as { grant: string }).grant);
  /** Hold adoptions back, until `release`. */
  function hold(): void {
    adoptable = new Promise((resolve) => (release = resolve));
  }
  /** The newest access token of a grant. Readers may still hold a row that is not half a minute old. */
  const tokenOf = async (ref: ConnectionRef, grant: string): Promise<string> =>
    ((await harness.parts.vault.latest(grantRef(ref, grant))).secret as TokenSet).accessToken.reveal();

  it('freezes while the vault is down and its run was lost; it is finished once the vault is back', async () => {
    const ref = await pasted();
    const grant = await grantOf(ref);
    await handle(ref).terminate('lost');
    vaultDown = true;
    expect(await revoke(ref)).toMatchObject({ by: caller.by, frozenAt: expect.any(String) as unknown });
    expect(await row(ref)).toMatchObject({ usable: false, frozenAt: expect.any(String) as unknown });
    vaultDown = false;
    expect(await finished(ref)).toMatchObject({ state: 'disconnected', reason: 'REVOKED_HERE' });
    expect(await fate(ref, grant)).toBe('VAULT_GONE');
  }, 90_000);

  it.each([
    ['VAULT_CORRUPT', 'disconnected', 'STORAGE_UNREACHABLE', 'gave_up'],
    ['VAULT_GONE', 'reauth_required', 'GRANT_REFUSED', 'nothing_to_revoke'],
  ] as const)(
    'a connection whose entry is %s loads, says so, and can be revoked',
    async (code, state, reason, outcome) => {
      const ref = await pasted();
      const grant = await grantOf(ref);
      answers.set(grantRef(ref, grant), code);
      await handle(ref).terminate('lost');
      await harness.parts.connections.nudge(ref, 'start', caller);
      await reaches(ref, state, reason);
      await revoke(ref);
      expect(await finished(ref)).toMatchObject({ state: 'disconnected', recovery: 'reconnect', usable: false });
      expect(await handle(ref).result()).toMatchObject({
        provider: outcome,
        destroyedAt: expect.any(String) as unknown,
      });
      answers.clear();
      expect(await fate(ref, grant)).toBe('VAULT_GONE');
    },
    90_000,
  );

  it('of an unknown connection is refused, and starts nothing that stays', async () => {
    const ref = { tenant: harness.tenant, connection: 'cn_nowhere' };
    await expect(revoke(ref)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await handle(ref).result()).toEqual({ v: 1, ended: 'unknown' });
  });

  it('whose provider does not answer keeps no new consent waiting; the old grant is revoked and destroyed all the same', async () => {
    const { ref, grant, token } = await consented();
    revocationDown = true;
    expect(await revoke(ref)).toMatchObject({ provider: 'pending' });
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    await reaches(ref, 'active');
    const second = await grantOf(ref);
    expect(second).not.toBe(grant);
    expect([provider.fateOf(token), await fate(ref, grant)]).toEqual(['alive', 'there']);
    revocationDown = false;
    await destroyed(ref, grant);
    expect(provider.fateOf(token)).not.toBe('alive');
    expect(provider.fateOf(await tokenOf(ref, second))).toBe('alive');
    expect(await row(ref)).toMatchObject({ grantId: second, frozenAt: null, usable: true });
  }, 90_000);

  it('takes along what was consented to before it, queued or being adopted; a consent after it connects again', async () => {
    const { ref, grant } = await consented();
    hold();
    const adopting = await consentAgain(ref);
    const queued = await consentAgain(ref);
    const tokens = await Promise.all([grant, adopting, queued].map((one) => tokenOf(ref, one)));
    const pending = revoke(ref);
    await eventually(
      'the freeze',
      () => row(ref),
      (r) => r?.frozenAt != null,
    );
    release();
    await pending;
    expect(await finished(ref)).toMatchObject({ grantId: grant, state: 'disconnected', reason: 'REVOKED_HERE' });
    for (const gone of [grant, adopting, queued]) await destroyed(ref, gone);
    for (const dead of tokens) expect(provider.fateOf(dead)).not.toBe('alive');
    await handle(ref).result();
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    expect(await reaches(ref, 'active')).toMatchObject({ frozenAt: null });
  }, 90_000);

  it('asked again takes along what was consented to since', async () => {
    const { ref, grant } = await consented();
    revocationDown = true;
    const first = revoke(ref);
    await eventually(
      'the freeze',
      () => row(ref),
      (r) => r?.frozenAt != null,
    );
    hold();
    const second = await consentAgain(ref);
    const pending = revoke(ref);
    await eventually(
      'the second revocation was heard',
      async () =>
        (await harness.history(connectionWorkflowId(ref))).filter(({ json }) => json.includes('"revoke"')).length,
      (asked) => asked === 2,
    );
    release();
    revocationDown = false;
    await Promise.all([first, pending]);
    for (const gone of [grant, second]) await destroyed(ref, gone);
    expect(await finished(ref)).toMatchObject({ state: 'disconnected', recovery: 'reconnect' });
  }, 90_000);

  it('leaves the links that were out before it worth nothing', async () => {
    const { ref } = await consented();
    const out = await link(harness, ref);
    await revoke(ref);
    await expect(harness.parts.consents.begin(out, 'en')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(harness.parts.consents.begin(await link(harness, ref), 'en')).resolves.toBeDefined();
  }, 60_000);

  it('a grant whose adoption was committed and its answer lost is kept, whatever its repetition finds', async () => {
    const { ref, grant: first } = await consented();
    afterAdoption = (grant) => {
      afterAdoption = undefined;
      answers.set(grantRef(ref, grant), 'VAULT_MISSING');
      throw new DurableOAuthError('REGISTRY_UNAVAILABLE', 'The test lost the answer');
    };
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    await reaches(ref, 'disconnected', 'STORAGE_UNREACHABLE');
    answers.clear();
    await reaches(ref, 'active');
    const second = await grantOf(ref);
    expect(second).not.toBe(first);
    expect(provider.fateOf(await tokenOf(ref, second))).toBe('alive');
    await destroyed(ref, first);
  }, 60_000);

  it('whose provider never answers goes along when the connection, consented to anew, continues as new', async () => {
    const { ref, grant, token } = await consented();
    revocationDown = true;
    expect(await revoke(ref)).toMatchObject({ provider: 'pending' });
    provider.tokenLifetime(5);
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    await newRun(ref, await newRun(ref));
    expect([provider.fateOf(token), await fate(ref, grant)]).toEqual(['alive', 'there']);
    revocationDown = false;
    await destroyed(ref, grant);
    expect(provider.fateOf(token)).not.toBe('alive');
    expect(await row(ref)).toMatchObject({ state: 'active', frozenAt: null, usable: true });
  }, 120_000);

  it('a replaced grant that cannot be destroyed keeps the run neither from refreshing nor from continuing as new', async () => {
    const { ref, grant } = await consented();
    destructionDown = true;
    provider.tokenLifetime(5);
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    await newRun(ref, await newRun(ref));
    expect(await fate(ref, grant)).toBe('there');
    destructionDown = false;
    await destroyed(ref, grant);
    expect(await fate(ref, await grantOf(ref))).toBe('there');
  }, 120_000);

  it('a grant that was being let go when the run was lost is let go by the next one', async () => {
    const { ref, grant } = await consented();
    destructionDown = true;
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    await eventually(
      'the adoption',
      () => grantOf(ref),
      (now) => now !== grant,
    );
    await handle(ref).terminate('lost');
    destructionDown = false;
    await harness.parts.connections.nudge(ref, 'start', caller);
    await destroyed(ref, grant);
    expect(await fate(ref, await grantOf(ref))).toBe('there');
  }, 60_000);

  it('a grant that is handed over for a connection that is gone is destroyed', async () => {
    const { ref, grant } = await consented();
    const gone = { tenant: ref.tenant, connection: `${ref.connection}_gone` };
    const { secret } = await harness.parts.vault.latest(grantRef(ref, grant));
    await harness.parts.vault.put(grantRef(gone, 'cs_late'), 1, secret);
    await harness.parts.activities.handOverGrant({
      v: 1,
      ref: `${gone.tenant}/${gone.connection}`,
      message: { v: 1, consent: 'cs_late', grant: 'cs_late', generation: 1, ...caller },
    });
    await destroyed(gone, 'cs_late');
    expect(await handle(gone).result()).toEqual({ v: 1, ended: 'unknown' });
  }, 60_000);

  it('of two browsers with one link the first to confirm connects; the grant of the other is revoked and destroyed', async () => {
    const { ref, grant } = await consented();
    const token = await link(harness, ref);
    const [first, second] = [await visit(harness, ref, 'ann', token), await visit(harness, ref, 'ann', token)];
    for (const { callbackUrl, cookie } of [first, second]) await harness.parts.consents.callback(callbackUrl, cookie);
    expect((await view(harness, second))?.stage).toBe('waiting_for_confirmation');
    expect(await complete(harness, first)).toBe('connected');
    await eventually(
      'the new grant',
      () => grantOf(ref),
      (now) => now !== grant,
    );
    const asked = provider.revocations();
    expect(await complete(harness, second)).toBe('failed');
    const seen = await view(harness, second);
    expect(seen?.reading).toMatchObject({ code: 'CONSENT_NOT_COMPLETED', detail: 'used' });
    const grants = async (): Promise<readonly string[]> => {
      const left = [];
      for await (const one of harness.parts.vault.list(`grant/${ref.tenant}/${ref.connection}/`)) left.push(one);
      return left;
    };
    await eventually('the end of the other grants', grants, (left) => left.length === 1);
    expect(await grants()).toEqual([grantRef(ref, await grantOf(ref))]);
    expect(provider.revocations()).toBeGreaterThan(asked);
  }, 90_000);
});
