/** Deleting an integration on real parts: revoked with the client's own credentials, and only then its secret destroyed. */
import { afterRestore } from '../../src/cli/doctor/after-restore';
import { clientSecretRef, connectionWorkflowId, formatRef, grantRef } from '../../src/connection/ids';
import type { ConnectionRef } from '../../src/connection/types';
import { isDurableOAuthError } from '../../src/errors';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { pizzaVan, saveClient, throughClient } from '../support/component-clients';
import { tellingEndings } from '../support/endings';
import { eventually, Harness, RUNS } from '../support/harness';
import { caller, CALLBACK, complete, link, read, saved, view, visit } from '../support/scenes';

const SECRET = 'app-secret-canary';
const PIZZA = 'pizza-secret-canary';
const DAY = 86_400_000;

type Saved = ConnectionRef & { integration: string };

describe.each(RUNS)('an integration that is deleted ($run)', ({ tuning, maxCachedWorkflows }) => {
  let provider: ScriptedProvider;
  let harness: Harness;
  let counter = 0;
  /** What was accepted by the provider and what was destroyed in the vault, in this order. */
  let done: string[] = [];

  const decorate = tellingEndings((what) => void done.push(what));

  beforeAll(async () => {
    provider = await startScriptedProvider({
      clients: { app: { secret: SECRET }, pizza: { secret: PIZZA } },
      tokenLifetime: 3600,
    });
    harness = await Harness.start({
      tuning: { ...tuning, retryBaseMs: 500 },
      maxCachedWorkflows,
      decorate,
      secrets: () => provider.issuedSecrets(),
    });
  }, 300_000);
  beforeEach(() => {
    done = [];
  });
  afterEach(async () => {
    provider.outage(null);
    provider.assertLedger();
    await harness.judge();
  });
  afterAll(async () => {
    await harness?.stop();
    await provider?.stop();
  });

  const change = () => ({ client_id: 'app', endpoints: provider.endpoints, scope: 'read' });
  const pasted = (changes = {}): Promise<Saved> =>
    saved(harness, {
      at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
      clientSecret: SECRET,
      refreshToken: provider.issueRefreshToken('app'),
      change: { ...change(), grant_type: 'refresh_token', rotation: 'none', ...changes },
    });
  const pending = (): Promise<Saved> =>
    saved(harness, {
      at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
      clientSecret: SECRET,
      change: { ...change(), grant_type: 'authorization_code', redirect_uri: CALLBACK },
    });
  const row = (ref: ConnectionRef) => harness.parts.registry.connections.get(ref);
  const markDeleting = ({ tenant, integration }: Saved) =>
    harness.parts.registry.integrations.markDeleting(tenant, integration, {
      type: 'integration.deleting',
      ...caller,
      facts: { integration },
    });
  const retire = ({ tenant, integration }: Saved) =>
    harness.parts.connections.retire(tenant, integration, caller, 240_000);
  async function secretOf(ref: ConnectionRef): Promise<string> {
    const { client } = (await harness.parts.registry.connections.context(ref)) ?? {};
    return clientSecretRef(ref.tenant, client?.id ?? '', client?.secretId ?? '');
  }
  const grantOf = async (ref: ConnectionRef): Promise<string> => grantRef(ref, (await row(ref))?.grantId ?? '');
  const fate = (path: string): Promise<string> =>
    harness.parts.vault.latest(path).then(
      () => 'there',
      (error: unknown) => (isDurableOAuthError(error) ? error.code : 'foreign'),
    );
  const tombstone = (ref: ConnectionRef) =>
    harness.parts.temporal.workflow.getHandle(connectionWorkflowId(ref)).result();
  const typesOf = async (ref: ConnectionRef, connection?: string): Promise<string[]> =>
    (await harness.parts.registry.events.list(ref.tenant, connection, { size: 1000 })).map(({ type }) => type);

  it('has its connection revoked as its client before the client’s secret is destroyed; the proof can be read', async () => {
    const ref = await pasted();
    const [secret, grant] = [await secretOf(ref), await grantOf(ref)];
    const token = (await read(harness, ref)).accessToken.reveal();
    provider.outage(503);
    await markDeleting(ref);
    await harness.parts.effects.drain();
    await expect(harness.parts.tokens.read(ref, { refused: 1 })).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    // Nobody can be asked: the secret that is needed for it stays.
    expect([await fate(secret), await fate(grant)]).toEqual(['there', 'there']);
    // Another worker goes on with it.
    await harness.stopWorkers();
    await harness.startWorkers();
    provider.outage(null);
    expect(await retire(ref)).toBe(true);

    expect(provider.fateOf(token)).not.toBe('alive');
    expect([await fate(secret), await fate(grant)]).toEqual(['VAULT_GONE', 'VAULT_GONE']);
    expect(done).toContain('revoked refresh_token as app');
    expect(done.lastIndexOf('revoked access_token as app')).toBeLessThan(done.indexOf(`destroyed ${grant}`));
    expect(done.indexOf(`destroyed ${grant}`)).toBeLessThan(done.indexOf(`destroyed ${secret}`));
    expect(await row(ref)).toMatchObject({
      state: 'disconnected',
      reason: 'INTEGRATION_DELETED',
      usable: false,
      revokingSince: null,
    });
    // Who asked is in the log: a run may find its row frozen before anybody tells it.
    expect(await tombstone(ref)).toMatchObject({
      provider: 'revoked',
      destroyedAt: expect.any(String) as unknown,
    });
    expect(await typesOf(ref, ref.connection)).toEqual(
      expect.arrayContaining(['connection.frozen', 'grant.destroyed']),
    );
    expect(await typesOf(ref)).toEqual(expect.arrayContaining(['integration.deleting', 'integration.deleted']));
    // Nobody looks after it any more, and a restored vault is told once again.
    const later = new Date(Date.now() + DAY).toISOString();
    const overdue = await harness.parts.registry.connections.overdue(later, 1000);
    expect(overdue.map(formatRef)).not.toContain(formatRef(ref));
    for await (const one of afterRestore({ ...harness.parts, by: 'test', tenants: [ref.tenant] })) {
      if (one.ref === formatRef(ref)) expect(one).toMatchObject({ verdict: 'gone', quarantined: false });
    }
    // Once more is harmless.
    expect(await retire(ref)).toBe(true);
    expect((await typesOf(ref)).filter((type) => type === 'integration.deleted').length).toBe(
      (await typesOf(ref)).filter((type) => type === 'integration.deleting').length,
    );
  }, 300_000);

  it('is done by whoever looks next when the server died right after its transaction', async () => {
    const ref = await pasted();
    const secret = await secretOf(ref);
    await markDeleting(ref);
    const removal = harness.parts.temporal.workflow.getHandle(`integration/${ref.tenant}/${ref.integration}/remove`);
    await eventually(
      'its removal',
      () => removal.describe().catch(() => undefined),
      (it) => it?.status.name === 'COMPLETED',
    );
    expect(await fate(secret)).toBe('VAULT_GONE');
    expect(await tombstone(ref)).toMatchObject({ provider: 'revoked' });
  }, 300_000);

  it('ends at once where nobody ever consented; the links that are out open nothing', async () => {
    const ref = await pending();
    const [secret, token] = [await secretOf(ref), await link(harness, ref)];
    const revocations = provider.revocations();
    await markDeleting(ref);
    await expect(harness.parts.consents.begin(token, 'en')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const late = await link(harness, ref);
    await expect(harness.parts.consents.begin(late, 'en')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await retire(ref)).toBe(true);
    expect(await tombstone(ref)).toMatchObject({ provider: 'nothing_to_revoke' });
    expect(await row(ref)).toMatchObject({ state: 'disconnected', consentDeadline: null, revokingSince: null });
    expect([provider.revocations() - revocations, await fate(secret)]).toEqual([0, 'VAULT_GONE']);
  }, 300_000);

  it('leaves nothing that waits for its provider, once that is removed too', async () => {
    const own = `pv_${++counter}`;
    const { providers } = harness.parts.registry;
    const { endpoints } = provider;
    const preset = { name: own, title: 'Own', endpoints };
    const created = { type: 'provider.created', ...caller };
    await providers.create({ tenant: harness.tenant, id: own, base: null, preset, event: created });
    const ref = await pasted({ preset: own });
    await markDeleting(ref);
    expect(await retire(ref)).toBe(true);
    await providers.remove(harness.tenant, own, { type: 'provider.removed', ...caller });
    await harness.parts.connections.revoke(ref, 'once more', caller);
    expect(await tombstone(ref)).toEqual({ v: 1, ended: 'unknown' });
  }, 300_000);

  describe('through the OAuth client of a component', () => {
    async function made(): Promise<{ of: string; client: string }> {
      const [of, client] = [await pizzaVan(harness, `cp_${++counter}`, provider), `oc_${++counter}`];
      const outcome = await saveClient(harness, { component: of, client, secret: PIZZA, audience: [provider.issuer] });
      expect(outcome).toBe('saved');
      return { of, client };
    }
    async function connected(ref: Saved): Promise<Saved> {
      expect(await complete(harness, await visit(harness, ref))).toBe('connected');
      await eventually(
        'its adoption',
        () => row(ref),
        (is) => is?.state === 'active',
      );
      return ref;
    }

    it('leaves that client and what else was granted through it alone', async () => {
      const { of, client } = await made();
      const through = () => saved(harness, throughClient(provider, of, client));
      const [ref, sibling] = [await connected(await through()), await connected(await through())];
      const secret = await secretOf(ref);
      await markDeleting(ref);
      expect(await retire(ref)).toBe(true);
      expect(done.filter((what) => what.endsWith('as pizza'))).toHaveLength(2);
      expect([await fate(secret), await fate(await grantOf(ref))]).toEqual(['there', 'VAULT_GONE']);
      expect((await row(sibling))?.state).toBe('active');
      expect(provider.fateOf((await read(harness, sibling)).accessToken.reveal())).toBe('alive');
    }, 300_000);

    it('is not connected again by a consent that was given before and is confirmed afterwards', async () => {
      const { of, client } = await made();
      const ref = await saved(harness, throughClient(provider, of, client));
      const visitor = await visit(harness, ref);
      await harness.parts.consents.callback(visitor.callbackUrl, visitor.cookie);
      const seen = await view(harness, visitor);
      expect(seen?.stage).toBe('waiting_for_confirmation');
      await markDeleting(ref);
      expect(await retire(ref)).toBe(true);
      await harness.parts.consents.confirm(visitor.attempt, visitor.cookie, seen?.csrf ?? '');
      await eventually(
        'its grant is revoked and destroyed',
        async () => done.filter((what) => what.startsWith(`destroyed grant/${formatRef(ref)}/`)),
        (destroyed) => destroyed.length > 0,
      );
      expect(done.filter((what) => what.endsWith('as pizza'))).toHaveLength(2);
      expect(await row(ref)).toMatchObject({ state: 'disconnected', grantId: null, reason: 'INTEGRATION_DELETED' });
    }, 300_000);
  });
});
