/** Consent on real parts: Temporal, database, vault, and an authorization server nobody here wrote. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { OAUTH_CALLBACK } from '../../src/connection/messages';
import { consentWorkflowId } from '../../src/connection/ids';
import { eventually, Harness, RUNS } from '../support/harness';
import { testClients, testProvider, type TestProvider } from '../support/provider';
import { CALLBACK, complete, read, saved, view, visit } from '../support/scenes';
import { temporalCli } from '../support/temporal';

const PRESET = (provider: TestProvider) =>
  ({
    name: 'shop',
    title: 'Shop',
    endpoints: { ...provider.endpoints, issuer: provider.issuer },
    authorization_params: { prompt: 'consent' },
    rotation: { mode: 'strict' },
  }) as const;

describe.each(RUNS)('consent ($run)', ({ tuning, maxCachedWorkflows }) => {
  let provider: TestProvider;
  let harness: Harness;

  const integration = () => ({
    at: provider,
    clientSecret: testClients.code.clientSecret,
    change: {
      grant_type: 'authorization_code',
      preset: 'shop',
      endpoints: {
        authorization: provider.endpoints.authorization,
        token: provider.endpoints.token,
        revocation: provider.endpoints.revocation,
        issuer: provider.issuer,
      },
      client_id: testClients.code.clientId,
      scope: 'openid email offline_access orders',
      redirect_uri: CALLBACK,
      rotation: 'strict',
    } as const,
  });

  beforeAll(async () => {
    provider = await testProvider({ redirectUris: [CALLBACK], accessTokenSeconds: 60 });
    harness = await Harness.start({ presets: [PRESET(provider)], tuning, maxCachedWorkflows });
  }, 120_000);
  afterEach(() => harness.judge());
  afterAll(async () => {
    await harness?.stop();
    await provider?.close();
  });

  const tokenCalls = async (): Promise<number> => (await provider.admin.ledger()).requests;

  it('000-34, 001-07, 001-08, 003-07 a consented code is exchanged once and the token works; a replay is answered neutrally', async () => {
    const ref = await saved(harness, integration());
    expect((await harness.parts.registry.connections.get(ref))?.state).toBe('pending_consent');
    const before = await tokenCalls();
    const visitor = await visit(harness, ref);
    expect(await complete(harness, visitor)).toBe('connected');
    await eventually(
      'active',
      () => harness.parts.registry.connections.get(ref),
      (row) => row?.state === 'active',
    );
    expect(await tokenCalls()).toBe(before + 1);

    const replay = await harness.parts.consents.callback(visitor.callbackUrl, visitor.cookie);
    expect(replay.status).toBe(303);
    expect(await tokenCalls()).toBe(before + 1);

    const { accessToken } = await read(harness, ref);
    const answer = await fetch(`${provider.apiUrl}/orders?page=1`, {
      headers: { authorization: `Bearer ${accessToken.reveal()}` },
    });
    expect(answer.status).toBe(200);
  });

  it('003-05 a callback counts only in the browser that started it: no cookie, or another browser, changes nothing', async () => {
    const ref = await saved(harness, integration());
    const visitor = await visit(harness, ref);
    const other = await visit(harness, ref, 'bob');
    const before = await tokenCalls();
    for (const cookie of [undefined, other.cookie, visitor.cookie.replace(/\.[^.]*$/, '.wrong')]) {
      await harness.parts.consents.callback(visitor.callbackUrl, cookie);
    }
    await harness.parts.consents.callback(`${visitor.callbackUrl}&state=twice`, visitor.cookie);
    expect(await tokenCalls()).toBe(before);
    expect(await complete(harness, visitor)).toBe('connected');
  });

  it('what a consent shows is for its own browser: the state alone opens nothing', async () => {
    const ref = await saved(harness, integration());
    const visitor = await visit(harness, ref);
    const [name = ''] = visitor.cookie.split('=');
    const stranger = `${name}=${visitor.stateHash}.${'x'.repeat(43)}`;
    expect(await harness.parts.consents.describe(visitor.attempt, visitor.cookie)).toBeDefined();
    expect(await harness.parts.consents.describe(visitor.attempt, stranger)).toBeUndefined();
    const odd = `${name}=${'é'.repeat(43)}.${'x'.repeat(43)}`;
    expect(await harness.parts.consents.describe(visitor.attempt, odd)).toBeUndefined();
  });

  it.each(['client', 'Temporal CLI'])(
    'M-03 a consent signalled by the %s while no worker runs is completed when one starts, with one code exchange',
    async (by) => {
      const ref = await saved(harness, integration());
      const visitor = await visit(harness, ref);
      const before = await tokenCalls();
      await harness.stopWorkers();
      const params = new URL(visitor.callbackUrl).searchParams;
      const browser = createHash('sha256')
        .update(visitor.cookie.split('.').at(-1) ?? '')
        .digest('base64url');
      const code = await harness.parts.sealer.seal('code', { code: params.get('code') });
      const [workflowId, payload] = [consentWorkflowId(visitor.stateHash), { v: 1, browser, code }];
      if (by === 'client') await harness.parts.temporal.workflow.getHandle(workflowId).signal(OAUTH_CALLBACK, payload);
      else {
        const words = ['workflow', 'signal', '--address', harness.env.address, '--workflow-id', workflowId];
        execFileSync(temporalCli(), [...words, '--name', OAUTH_CALLBACK, '--input', JSON.stringify(payload)]);
      }
      await harness.startWorkers();
      const seen = await eventually(
        'the exchange',
        () => harness.parts.consents.describe(visitor.attempt, visitor.cookie),
        (now) => now?.stage === 'waiting_for_confirmation',
      );
      await harness.parts.consents.confirm(visitor.attempt, visitor.cookie, seen?.csrf ?? '');
      await eventually(
        'active',
        () => harness.parts.registry.connections.get(ref),
        (row) => row?.state === 'active',
      );
      expect(await tokenCalls()).toBe(before + 1);
    },
  );

  it('003-08 a declined consent exchanges nothing and keeps the connection waiting', async () => {
    const ref = await saved(harness, integration());
    const visitor = await visit(harness, ref);
    const before = await tokenCalls();
    const url = new URL(visitor.callbackUrl);
    url.searchParams.delete('code');
    url.searchParams.set('error', 'access_denied');
    await harness.parts.consents.callback(url.href, visitor.cookie);
    const seen = await view(harness, visitor);
    expect(seen?.reading).toMatchObject({ stage: 'failed', code: 'CONSENT_NOT_COMPLETED', detail: 'declined' });
    expect(await tokenCalls()).toBe(before);
    expect((await harness.parts.registry.connections.get(ref))?.state).toBe('pending_consent');
  });

  it('a thousand junk signals leave a waiting consent as it was', async () => {
    const ref = await saved(harness, integration());
    const visitor = await visit(harness, ref);
    const handle = harness.parts.temporal.workflow.getHandle(consentWorkflowId(visitor.stateHash));
    const junk = [
      null,
      7,
      'x',
      {},
      { v: 1 },
      { v: 1, browser: 'x', code: 'y' },
      { code: 'raw', state: 'wrong' },
      { v: 2 },
      [],
    ];
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => handle.signal(OAUTH_CALLBACK, junk[(round + i) % junk.length])),
      );
    }
    expect(await complete(harness, visitor)).toBe('connected');
  }, 120_000);

  it('004-20 a renewed consent of the same account keeps the connection id; another account is refused', async () => {
    const ref = await saved(harness, integration());
    await complete(harness, await visit(harness, ref, 'ann'));
    const first = await eventually(
      'active',
      () => harness.parts.registry.connections.get(ref),
      (row) => row?.state === 'active',
    );
    expect(first?.accountLabel).toBe('ann@example.test');

    const stranger = await visit(harness, ref, 'bob');
    await harness.parts.consents.callback(stranger.callbackUrl, stranger.cookie);
    const refused = await view(harness, stranger);
    expect(refused?.reading).toMatchObject({ stage: 'failed', code: 'WRONG_ACCOUNT' });
    expect((await harness.parts.registry.connections.get(ref))?.grantId).toBe(first?.grantId);

    expect(await complete(harness, await visit(harness, ref, 'ann'))).toBe('connected');
    const second = await eventually(
      'the new grant',
      () => harness.parts.registry.connections.get(ref),
      (row) => row?.grantId !== first?.grantId,
    );
    expect(second?.state).toBe('active');
    expect((await read(harness, ref)).grant).toBe(second?.grantId);
  });
});
