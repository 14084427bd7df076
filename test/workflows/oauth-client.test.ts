/** OAuth clients of components on real parts: how they come to be, change and go, judged by the provider's ledger. */
import { connectionWorkflowId } from '../../src/connection/ids';
import type { ConnectionRef } from '../../src/connection/types';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { pizzaVan, saveClient, throughClient } from '../support/component-clients';
import { eventually, Harness, RUNS } from '../support/harness';
import { tenMinutesAgo } from '../support/older-tokens';
import { caller, complete, read, saved, visit } from '../support/scenes';

const SECRET = 'pizza-secret-canary-1';
let counter = 0;

describe.each(RUNS)('an OAuth client of a component ($run)', ({ tuning, maxCachedWorkflows }) => {
  let provider: ScriptedProvider;
  let harness: Harness;

  beforeAll(async () => {
    provider = await startScriptedProvider({
      clients: { pizza: { secret: SECRET }, 'pizza-2': { secret: 'pizza-2-secret-canary' } },
      tokenLifetime: 3600,
    });
    harness = await Harness.start({
      tuning: { ...tuning, retryBaseMs: 500 },
      maxCachedWorkflows,
      decorate: (ports) => ({ ...ports, authorizationServer: tenMinutesAgo(ports.authorizationServer) }),
      secrets: () => provider.issuedSecrets(),
    });
  }, 120_000);
  afterEach(async () => {
    provider.changeClientSecret('pizza', SECRET);
    provider.outage(null);
    provider.omitRefreshToken(false);
    provider.assertLedger();
    await harness.judge();
  });
  afterAll(async () => {
    await harness?.stop();
    await provider?.stop();
  });

  const event = (type: string) => ({ type, ...caller });

  const component = (change: object = {}): Promise<string> => pizzaVan(harness, `cp_${++counter}`, provider, change);
  async function client(
    component: string,
    secret = SECRET,
    id = `oc_${++counter}`,
    update = false,
    legacy = false,
  ): Promise<string> {
    const audience = [provider.issuer];
    expect(await saveClient(harness, { component, secret, client: id, update, legacy, audience })).toBe('saved');
    return id;
  }

  async function connected(component: string, client: string): Promise<ConnectionRef> {
    const ref = await pending(component, client);
    await consent(ref);
    return ref;
  }

  const pending = (component: string, client: string): Promise<ConnectionRef> =>
    saved(harness, throughClient(provider, component, client));

  async function consent(ref: ConnectionRef): Promise<void> {
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    await eventually(
      'its adoption',
      () => state(ref),
      (is) => is === 'active',
    );
  }

  const refresh = async (ref: ConnectionRef) => {
    const { generation } = await read(harness, ref);
    return harness.parts.connections.ensureFresh(ref, { generation, why: 'refused' }, caller);
  };
  const state = async (ref: ConnectionRef) => (await harness.parts.registry.connections.get(ref))?.state;

  it('002-06 an empty or templated client_id in component.json takes the values of the tenant’s OAuth client', async () => {
    const id = await component();
    const ref = await connected(id, await client(id));
    expect(provider.ledger(1)[0]).toMatchObject({ clientId: 'pizza', grantType: 'authorization_code', status: 200 });
    expect((await read(harness, ref)).apiBaseUrl).toBe(provider.apiBaseUrl);
  });

  it('002-05 {{PIZZAVAN_KEY}} and {{PIZZAVAN_SECRET}} are the client’s id and secret: both reach the provider, neither a step', async () => {
    const id = await component();
    const ref = await connected(id, await client(id));
    // Authenticated by the secret behind the variable, or it would not be 200.
    expect(provider.ledger(1)[0]).toMatchObject({ clientId: 'pizza', clientAuth: 'client_secret_post', status: 200 });
    const { accessToken, ...served } = await read(harness, ref);
    expect(provider.fateOf(accessToken.reveal())).toBe('alive');
    expect(JSON.stringify(served)).not.toContain(SECRET);
  });

  it('002-02 legacy: a component without useOAuthClient connects with the client its env vars name', async () => {
    const id = await component({ useOAuthClient: false });
    const ref = await connected(id, await client(id, SECRET, undefined, false, true));
    expect(provider.ledger(1)[0]).toMatchObject({ clientId: 'pizza', grantType: 'authorization_code', status: 200 });
    expect(await harness.parts.registry.oauthClients.listForComponents(harness.tenant, { component: id })).toEqual([]);
    expect(await state(ref)).toBe('active');
  });

  it('002-10 an answer without refresh token is refused: nothing is kept, and the reason is said', async () => {
    const id = await component();
    const own = await client(id);
    provider.omitRefreshToken(true);
    const ref = await pending(id, own);
    const visitor = await visit(harness, ref);
    expect(await complete(harness, visitor)).toBe('failed');
    const seen = await harness.parts.consents.describe(visitor.attempt, visitor.cookie);
    expect(seen?.reading.code).toBe('REFRESH_TOKEN_MISSING');
    expect(await harness.parts.registry.connections.get(ref)).toMatchObject({
      state: 'pending_consent',
      grantId: null,
    });
    const kept = [];
    for await (const entry of harness.parts.vault.list(`grant/${harness.tenant}/${ref.connection}/`)) kept.push(entry);
    expect(kept).toEqual([]);
  });

  it('002-24 PATCH of the secret takes effect at the next refresh, and none after it uses the old one', async () => {
    const id = await component();
    const own = await client(id);
    const ref = await connected(id, own);
    const next = `pizza-secret-canary-${++counter}-new`;
    provider.changeClientSecret('pizza', next);
    await client(id, next, own, true);
    const before = provider.ledger().length;
    const answer = await refresh(ref);
    expect(answer.state).toBe('active');
    const since = provider.ledger().slice(before);
    expect(since.map(({ status }) => status)).toEqual([200]);
    expect(await harness.parts.registry.oauthClients.secretIds(harness.tenant, own)).toHaveLength(2);
  });

  it('a secret that was wrong is put right once for every connection: what it kept from working is nudged', async () => {
    const id = await component();
    const own = await client(id);
    const ref = await connected(id, own);
    const next = `pizza-secret-canary-${++counter}-rotated`;
    provider.changeClientSecret('pizza', next);
    await refresh(ref);
    await eventually(
      'the refusal',
      () => state(ref),
      (is) => is === 'degraded',
    );
    await client(id, next, own, true);
    await harness.parts.effects.drain();
    await eventually(
      'its recovery',
      () => state(ref),
      (is) => is === 'active',
    );
  });

  it('002-30 … a client whose component was removed is unusable: connections are revoked and say so', async () => {
    const id = await component();
    const own = await client(id);
    const ref = await connected(id, own);
    const revocations = provider.revocations();
    await harness.parts.registry.components.remove(harness.tenant, id, event('component.removed'));
    await expect(harness.parts.tokens.read(ref, { refused: 1 })).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await harness.parts.effects.drain();
    const row = await eventually(
      'its end',
      () => harness.parts.registry.connections.get(ref),
      (it) => it?.frozenAt != null && it.revokingSince === null,
    );
    expect(row).toMatchObject({ state: 'disconnected', recovery: 'reconnect', reason: 'OAUTH_CLIENT_UNUSABLE' });
    expect(provider.revocations()).toBeGreaterThan(revocations);
    await expect(visit(harness, ref)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const [left] = await harness.parts.registry.oauthClients.listForComponents(harness.tenant, { component: id });
    expect(left).toMatchObject({ id: own, componentGone: true });
  });

  it.each([
    ['made for its component', false],
    ['out of env vars', true],
  ])(
    '002-39 the end of a client %s revokes what was granted through it, authenticated as that client, before its secret is destroyed',
    async (_how, legacy) => {
      const id = await component({ useOAuthClient: !legacy });
      const own = await client(id, SECRET, undefined, false, legacy);
      const refs = [await connected(id, own), await connected(id, own)];
      const revocations = provider.revocations();
      const [secret] = await harness.parts.registry.oauthClients.secretIds(harness.tenant, own);
      provider.outage(503);
      await harness.parts.registry.oauthClients.markDeleting(harness.tenant, own, event('oauth_client.deleting'));
      await harness.parts.effects.drain();
      await expect(harness.parts.tokens.read(refs[0]!, { refused: 1 })).rejects.toMatchObject({
        code: 'NOT_CONNECTED',
      });
      // Nobody can be asked: the secret that is needed for it stays.
      await expect(harness.parts.vault.latest(`client/${harness.tenant}/${own}/${secret}`)).resolves.toMatchObject({
        generation: 1,
      });
      provider.outage(null);
      expect(await harness.parts.oauthClients.retire(harness.tenant, own, true, caller, 60_000)).toBe(true);
      // A refresh token and an access token each.
      expect(provider.revocations() - revocations).toBe(4);
      await expect(harness.parts.vault.latest(`client/${harness.tenant}/${own}/${secret}`)).rejects.toMatchObject({
        code: 'VAULT_GONE',
      });
      for (const ref of refs) {
        expect(await harness.parts.registry.connections.get(ref)).toMatchObject({
          state: 'disconnected',
          reason: 'OAUTH_CLIENT_UNUSABLE',
          revokingSince: null,
        });
      }
      // A new client of the component lets them be reconnected.
      await client(id, SECRET, undefined, false, legacy);
      await consent(refs[0]!);
    },
  );

  it('a deletion whose effect nobody was told of is done by whoever looks next', async () => {
    const id = await component();
    const own = await client(id);
    const ref = await connected(id, own);
    // The server died right after its transaction: no drain of its own.
    await harness.parts.registry.oauthClients.markDeleting(harness.tenant, own, event('oauth_client.deleting'));
    await eventually(
      'the end of the grant',
      () => harness.parts.registry.connections.get(ref),
      (row) => row?.frozenAt != null && row.revokingSince === null,
    );
    const removal = harness.parts.temporal.workflow.getHandle(`oauth-client/${harness.tenant}/${own}/remove`);
    await eventually(
      'its removal',
      () => removal.describe().catch(() => undefined),
      (it) => it?.status.name === 'COMPLETED',
    );
    const stone = harness.parts.temporal.workflow.getHandle(connectionWorkflowId(ref));
    await expect(stone.result()).resolves.toMatchObject({
      provider: 'revoked',
      reason: expect.stringContaining('gone'),
    });
  });
});
