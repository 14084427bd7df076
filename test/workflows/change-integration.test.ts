/** Another secret, client id or origin for the own OAuth client of an integration that is in use, judged by the ledgers. */
import { callApi } from '../../src/client/call-api';
import type { ChangeOutcome } from '../../src/client/contract';
import type { Ports } from '../../src/compose';
import { changeWorkflowId } from '../../src/connection/ids';
import type { ConnectionRef } from '../../src/connection/types';
import { ERRORS, type DurableOAuthError } from '../../src/errors';
import { destroyRetiredSecrets, giveBackAbandoned } from '../../src/housekeeping';
import type { ConnectionRow } from '../../src/registry/contract';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { eventually, Harness, RUNS } from '../support/harness';
import {
  askForChange,
  heldOf,
  integrationOf,
  toldOf,
  type Change,
  type Judged,
  type Saved,
} from '../support/integration-changes';
import { tenMinutesAgo } from '../support/older-tokens';
import { caller, CALLBACK, complete, read, saved, visit } from '../support/scenes';
import { cutOff, failing, heldUp, meeting, type Trouble } from '../support/trouble';
import { vaultWith } from '../support/vault-with';

const SECRET = 'robot-secret-canary-1';
const APP_SECRET = 'app-secret-canary-1';
const OTHER_SECRET = 'other-app-secret-canary-1';
const MINUTE = 60_000;

type Step = 'store' | 'publish' | 'tell';
const LOST = { store: 'VAULT_UNAVAILABLE', publish: 'REGISTRY_UNAVAILABLE' } as const;

describe.each(RUNS)('an integration with an OAuth client of its own ($run)', ({ tuning, maxCachedWorkflows }) => {
  let provider: ScriptedProvider;
  let moved: ScriptedProvider;
  let harness: Harness;
  let trouble: Trouble<Step> | undefined;
  let counter = 0;
  const puts: string[] = [];

  const meet = meeting(() => trouble);
  const decorate = (ports: Ports): Ports => {
    const { vault, registry } = ports;
    const { events, integrations } = registry;
    return {
      ...ports,
      authorizationServer: tenMinutesAgo(ports.authorizationServer),
      vault: vaultWith(vault, {
        put(ref, ...rest) {
          puts.push(ref);
          return ref.startsWith('client/') ? meet('store', () => vault.put(ref, ...rest)) : vault.put(ref, ...rest);
        },
      }),
      registry: {
        ...registry,
        events: { ...events, append: (...args) => meet('tell', () => events.append(...args)) },
        integrations: { ...integrations, change: (...args) => meet('publish', () => integrations.change(...args)) },
      },
    };
  };

  beforeAll(async () => {
    const clients = { robot: { secret: SECRET }, app: { secret: APP_SECRET }, other: { secret: OTHER_SECRET } };
    provider = await startScriptedProvider({ clients, tokenLifetime: 3600 });
    moved = await startScriptedProvider({ clients, tokenLifetime: 3600 });
    harness = await Harness.start({
      tuning: { ...tuning, retryBaseMs: 500 },
      maxCachedWorkflows,
      decorate,
      secrets: () => [...provider.issuedSecrets(), ...moved.issuedSecrets()],
    });
  }, 120_000);
  afterEach(async () => {
    trouble = undefined;
    provider.changeClientSecret('robot', SECRET);
    provider.changeClientSecret('app', APP_SECRET);
    for (const one of [provider, moved]) one.assertLedger();
    await harness.judge();
  });
  afterAll(async () => {
    await harness?.stop();
    await provider?.stop();
    await moved?.stop();
  });

  const robot = (): Promise<Saved> =>
    saved(harness, {
      at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
      clientSecret: SECRET,
      change: { client_id: 'robot', endpoints: provider.endpoints },
    });
  async function app(): Promise<Saved> {
    const { authorization, token, revocation } = provider.endpoints;
    const ref = await saved(harness, {
      at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
      clientSecret: APP_SECRET,
      change: {
        grant_type: 'authorization_code',
        client_id: 'app',
        endpoints: { authorization, token, revocation },
        scope: 'orders.read',
        redirect_uri: CALLBACK,
        rotation: 'none',
      },
    });
    await consent(ref);
    return ref;
  }
  async function consent(ref: ConnectionRef): Promise<void> {
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    await reaches(ref, ({ state }) => state === 'active');
  }

  const row = (ref: ConnectionRef) => harness.parts.registry.connections.get(ref);
  const reaches = (ref: ConnectionRef, wanted: (row: ConnectionRow) => boolean) =>
    eventually(
      `its state (${wanted.toString()})`,
      () => row(ref),
      (it) => it !== undefined && wanted(it),
    );
  const integration = (ref: Saved) => integrationOf(harness, ref);
  const held = (ref: Saved) => heldOf(harness, ref);
  const told = (ref: Saved) => toldOf(harness, ref);
  const change = (ref: Saved, secret: string, to?: Change, judged?: Judged) =>
    askForChange(harness, ref, { secret, to, judged });
  /** As a server does after the change. */
  async function changed(
    ref: Saved,
    secret: string,
    to?: Change,
  ): Promise<Extract<ChangeOutcome, { kind: 'changed' }>> {
    const outcome = await change(ref, secret, to);
    if (outcome.kind !== 'changed') throw new Error(`Not changed: ${JSON.stringify(outcome)}`);
    await harness.parts.effects.drain();
    return outcome;
  }
  const refresh = async (ref: ConnectionRef) => {
    const { generation } = await read(harness, ref);
    return harness.parts.connections.ensureFresh(ref, { generation, why: 'refused' }, caller);
  };

  const there = (): Change => {
    const { authorization, token, revocation } = moved.endpoints;
    return { endpoints: { authorization, token, revocation } };
  };

  const newSecret = (): string => `robot-secret-canary-${++counter}-new`;

  it('000-16 a secret that was rotated at the provider is proven, and used from the next refresh on', async () => {
    const ref = await robot();
    const next = newSecret();
    provider.changeClientSecret('robot', next);
    const before = provider.ledger().length;
    expect(await changed(ref, next)).toMatchObject({ proven: 'token', outdated: 0 });
    expect((await refresh(ref)).state).toBe('active');
    // The proof and the refresh; the old secret was not tried again.
    const since = provider.ledger().slice(before);
    expect(since.map(({ grantType, status }) => [grantType, status])).toEqual([
      ['client_credentials', 200],
      ['client_credentials', 200],
    ]);
    const { refs } = await held(ref);
    expect(refs).toHaveLength(2);
    expect(await destroyRetiredSecrets(harness.parts, new Date(Date.now() + 11 * MINUTE))).toBeGreaterThan(0);
    expect(await held(ref)).toMatchObject({ refs: [expect.any(String)], current: next });
  });

  it('what the expired secret kept from working recovers by itself', async () => {
    const ref = await app();
    const next = newSecret();
    provider.changeClientSecret('app', next);
    await refresh(ref);
    await reaches(ref, ({ reason }) => reason === 'CLIENT_REJECTED');
    expect(await changed(ref, next)).toMatchObject({ proven: 'not_until_consent', outdated: 0 });
    await reaches(ref, ({ state }) => state === 'active');
  });

  it('000-17 a secret that the provider refuses stores nothing: vault and row are as before, and one event says so', async () => {
    const ref = await robot();
    const [before, stored] = [await held(ref), puts.length];
    trouble = { step: 'tell', after: true, times: 1, fail: failing('REGISTRY_UNAVAILABLE') };
    const outcome = await change(ref, 'wrong-secret-canary', { label: 'Renamed' });
    expect(trouble.times).toBe(0);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'CLIENT_REJECTED', oauthError: 'invalid_client' });
    expect(puts.slice(stored)).toEqual([]);
    expect(await held(ref)).toEqual(before);
    expect(await told(ref)).toEqual([
      {
        type: 'integration.change_refused',
        ...caller,
        facts: {
          integration: ref.integration,
          members: ['client_secret', 'label'],
          code: 'CLIENT_REJECTED',
          reason: 'The client id or client secret was not accepted',
          oauth_error: 'invalid_client',
        },
      },
    ]);
    expect((await refresh(ref)).state).toBe('active');
  });

  it('a change that somebody else overtook is not made, and its secret is destroyed', async () => {
    const ref = await robot();
    const before = await held(ref);
    const stale = { ...before.settings, label: 'What it was called once' };
    expect(await change(ref, SECRET, { label: 'Mine' }, { from: stale })).toMatchObject({
      kind: 'failed',
      code: 'PRECONDITION_FAILED',
    });
    expect(await held(ref)).toEqual(before);
    expect(await told(ref)).toMatchObject([{ type: 'integration.change_failed', ...caller }]);
  });

  it('of two rotations that began with the same secret the first is kept, and the other one told so', async () => {
    const ref = await robot();
    const { secretId } = await integration(ref);
    const [first, second] = [newSecret(), newSecret()];
    provider.changeClientSecret('robot', first);
    await changed(ref, first);
    // As right as the first, and its settings are what they were: only the secret is another one by now.
    provider.changeClientSecret('robot', second);
    const outcome = await change(ref, second, {}, { base: { secretId } });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'PRECONDITION_FAILED' });
    expect((await held(ref)).current).toBe(first);
    expect((await told(ref)).map(({ type }) => type)).toEqual(['integration.changed', 'integration.change_failed']);
  });

  it.each([
    ['store', false],
    ['store', true],
    ['publish', false],
    ['publish', true],
  ] as const)('is changed once when an answer is lost (%s, after it was done: %s)', async (step, after) => {
    const ref = await robot();
    const next = newSecret();
    provider.changeClientSecret('robot', next);
    trouble = { step, after, times: 1, fail: failing(LOST[step]) };
    expect(await changed(ref, next, { label: 'Changed' })).toMatchObject({ proven: 'token' });
    expect(trouble.times).toBe(0);
    expect(await held(ref)).toMatchObject({ settings: { label: 'Changed' }, current: next });
    expect((await told(ref)).map(({ type }) => type)).toEqual(['integration.changed']);
  });

  it.each([
    ['store', false, 'VAULT_CORRUPT'],
    ['store', true, 'VAULT_CORRUPT'],
    ['publish', false, 'NOT_FOUND'],
  ] as const)('keeps what it has when a step fails for good (%s, after it was done: %s)', async (step, after, code) => {
    const ref = await robot();
    const before = await held(ref);
    trouble = { step, after, times: 1, fail: failing(code) };
    expect(await change(ref, SECRET, { label: 'Changed' })).toMatchObject({ kind: 'failed', code });
    expect(await held(ref)).toEqual(before);
    const { oauthClientId } = await integration(ref);
    expect(await harness.parts.registry.oauthClients.secretIds(ref.tenant, oauthClientId)).toEqual([]);
    // Whoever was answered with 202 before hears of it nowhere else.
    const facts = { members: ['client_secret', 'label'], code, reason: ERRORS[code].meaning };
    expect(await told(ref)).toMatchObject([{ type: 'integration.change_failed', facts }]);
    expect((await refresh(ref)).state).toBe('active');
  });

  it('keeps its old secret while the worker is gone between store and publish; is changed when one is there; one change at a time', async () => {
    const ref = await robot();
    const before = await held(ref);
    const { fail, reached } = cutOff(LOST.publish);
    trouble = { step: 'publish', after: false, times: 1, fail };
    const changing = change(ref, SECRET, { label: 'Changed' });
    await reached;
    await expect(change(ref, SECRET, { label: 'Another' })).rejects.toMatchObject({ code: 'SAVE_IN_PROGRESS' });
    await harness.stopWorkers();
    const meanwhile = await held(ref);
    expect([meanwhile.settings, meanwhile.refs.length]).toEqual([before.settings, 2]);
    expect(meanwhile.refs).toEqual(expect.arrayContaining(before.refs));
    await harness.startWorkers();
    expect(['changed', 'running']).toContain((await changing).kind);
    await eventually(
      'its publication',
      () => integration(ref),
      ({ settings }) => settings.label === 'Changed',
    );
    expect((await refresh(ref)).state).toBe('active');
  }, 120_000);

  it('whose workflow is terminated by hand between store and publish leaves nothing that housekeeping does not destroy', async () => {
    const ref = await robot();
    const before = await held(ref);
    const { oauthClientId: client } = await integration(ref);
    const named = () => harness.parts.registry.oauthClients.secretIds(ref.tenant, client);
    const later = (minutes: number) => giveBackAbandoned(harness.parts, new Date(Date.now() + minutes * MINUTE));
    const { fail, reached, letGo } = heldUp(LOST.publish);
    trouble = { step: 'publish', after: false, times: 1, fail };
    const changing = change(ref, SECRET, { label: 'Changed' });
    await reached;
    expect([(await held(ref)).refs.length, (await named()).length]).toEqual([2, 1]);
    // Whoever is at work on it is left alone, however long that takes.
    expect(await later(120)).toBe(0);
    const workflow = harness.parts.temporal.workflow.getHandle(changeWorkflowId(ref.tenant, ref.integration));
    await workflow.terminate('by hand');
    expect(await changing).toMatchObject({ kind: 'failed', code: 'INTERNAL' });
    letGo();
    expect(await later(59)).toBe(0);
    expect((await held(ref)).refs).toHaveLength(2);

    expect(await later(61)).toBe(1);
    expect([await held(ref), await named()]).toEqual([before, []]);
    expect(await later(61)).toBe(0);
    await changed(ref, SECRET);
  });

  it('client credentials go on by themselves at another origin', async () => {
    const ref = await robot();
    const [here, before] = [provider.ledger().length, moved.ledger().length];
    expect(await changed(ref, SECRET, there())).toMatchObject({ proven: 'token', outdated: 0 });
    await reaches(ref, ({ generation, state }) => generation === 2 && state === 'active');
    expect((await refresh(ref)).generation).toBe(3);
    const since = moved.ledger().slice(before);
    expect(since.map(({ grantType, status }) => [grantType, status])).toEqual([
      ['client_credentials', 200],
      ['client_credentials', 200],
      ['client_credentials', 200],
    ]);
    expect(provider.ledger()).toHaveLength(here);
  });

  it('C13 a refresh token that was granted at an origin is sent to no other: a new consent is asked for in words', async () => {
    const ref = await app();
    const [tokens, revocations] = [moved.tokenRequests(), moved.revocations()];
    expect(await changed(ref, APP_SECRET, there())).toMatchObject({ proven: 'not_until_consent', outdated: 1 });
    const asked = await reaches(ref, ({ state }) => state === 'reauth_required');
    expect(asked).toMatchObject({ reason: 'CONSENT_OUTDATED', usable: false });
    const { nextAction, who, text } = await harness.parts.connections.describe(ref);
    expect([who, nextAction]).toEqual(['account_owner', expect.stringMatching(/^Give consent once more/)]);
    expect(text).toContain('sent neither to the new address');
    // What is alive is served, and nobody new has seen any of it.
    const { accessToken } = await read(harness, ref);
    expect(provider.fateOf(accessToken.reveal())).toBe('alive');
    expect([moved.tokenRequests(), moved.revocations()]).toEqual([tokens, revocations]);

    await consent(ref);
    expect((await refresh(ref)).state).toBe('active');
    expect(
      moved
        .ledger()
        .slice(tokens)
        .map(({ grantType, status }) => [grantType, status]),
    ).toEqual([
      ['authorization_code', 200],
      ['refresh_token', 200],
    ]);
    const before = asked?.grantId ?? '';
    await eventually(
      'the end of the old grant',
      () =>
        harness.parts.vault.latest(`grant/${ref.tenant}/${ref.connection}/${before}`).then(
          () => 'there',
          (error: DurableOAuthError) => error.code,
        ),
      (code) => code === 'VAULT_GONE',
    );
    // It is not revoked where it was never granted.
    expect(moved.revocations()).toBe(revocations);
  });

  it('a living token goes to no other address of the API before a refresh has proven the secret', async () => {
    const ref = await app();
    // This reader believes its row for half a minute.
    await read(harness, ref);
    const elsewhere = { api_base_url: moved.apiBaseUrl };
    expect(await changed(ref, 'wrong-secret-canary', elsewhere)).toMatchObject({ proven: 'not_until_consent' });
    const { apiCaller, catalogue, registry, tokens } = harness.parts;
    const ports = { api: apiCaller, catalogue, connections: registry.connections, tokens };
    const limits = { timeoutMs: 10_000, budgetMs: 20_000, maxBytes: 10_000 };
    const call = { method: 'GET', path: '/orders', headers: {}, ...limits } as const;
    await expect(callApi(ports, ref, call)).rejects.toMatchObject({ code: 'TOKEN_NOT_FRESH' });
    await reaches(ref, ({ reason }) => reason === 'CLIENT_REJECTED');
    await expect(read(harness, ref, 1)).rejects.toMatchObject({ code: 'TOKEN_NOT_FRESH' });
    await changed(ref, APP_SECRET);
    await reaches(ref, ({ state }) => state === 'active');
    expect(await read(harness, ref, 1)).toMatchObject({ generation: 2, apiBaseUrl: moved.apiBaseUrl });
  }, 120_000);

  it('a refresh token that was granted to another client id is not sent; the earlier settings bring it back to life', async () => {
    const ref = await app();
    const before = provider.ledger().length;
    expect(await changed(ref, OTHER_SECRET, { client_id: 'other' })).toMatchObject({ outdated: 1 });
    await reaches(ref, ({ reason }) => reason === 'CONSENT_OUTDATED');
    expect(provider.ledger()).toHaveLength(before);
    await changed(ref, APP_SECRET, { client_id: 'app' });
    await reaches(ref, ({ state }) => state === 'active');
    expect(
      provider
        .ledger()
        .slice(before)
        .map(({ clientId, grantType, status }) => [clientId, grantType, status]),
    ).toEqual([['app', 'refresh_token', 200]]);
  });
});
