/** What a crash leaves of saving an OAuth client: it is published with its secret in the vault, or nothing is there. */
import type { Ports } from '../../src/compose';
import { clientSecretRef, oauthClientWorkflowId } from '../../src/connection/ids';
import type { OAuthClientBase } from '../../src/connection/messages';
import type { ConnectionRef } from '../../src/connection/types';
import { DurableOAuthError } from '../../src/errors';
import { destroyRetiredSecrets, giveBackAbandoned } from '../../src/housekeeping';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { pizzaVan, saveClient, throughClient, versionAt } from '../support/component-clients';
import { eventually, Harness, RUNS } from '../support/harness';
import { caller, complete, read, saved, visit } from '../support/scenes';
import { cutOff, failing, heldUp, meeting, type Trouble } from '../support/trouble';

const SECRET = 'pizza-secret-canary-1';
const MINUTE = 60_000;

type Step = 'reserve' | 'store' | 'publish';
const LOST = { reserve: 'REGISTRY_UNAVAILABLE', store: 'VAULT_UNAVAILABLE', publish: 'REGISTRY_UNAVAILABLE' } as const;
const STEPS = [
  ['reserve', false],
  ['reserve', true],
  ['store', false],
  ['store', true],
  ['publish', false],
  ['publish', true],
] as const;

describe.each(RUNS)('an OAuth client that is being saved ($run)', ({ tuning, maxCachedWorkflows }) => {
  let provider: ScriptedProvider;
  let moved: ScriptedProvider;
  let harness: Harness;
  let trouble: Trouble<Step> | undefined;
  let counter = 0;

  const meet = meeting(() => trouble);
  const decorate = (ports: Ports): Ports => {
    const { vault, registry } = ports;
    const { oauthClients } = registry;
    return {
      ...ports,
      vault: {
        capabilities: vault.capabilities,
        put: (ref, ...rest) =>
          ref.startsWith('client/') ? meet('store', () => vault.put(ref, ...rest)) : vault.put(ref, ...rest),
        latest: (ref) => vault.latest(ref),
        destroy: (ref) => vault.destroy(ref),
        checkWritable: () => vault.checkWritable(),
        list: (prefix) => vault.list(prefix),
      },
      registry: {
        ...registry,
        oauthClients: {
          ...oauthClients,
          reserve: (client) => meet('reserve', () => oauthClients.reserve(client)),
          publish: (client) => meet('publish', () => oauthClients.publish(client)),
        },
      },
    };
  };

  beforeAll(async () => {
    provider = await startScriptedProvider({ clients: { pizza: { secret: SECRET } }, tokenLifetime: 3600 });
    moved = await startScriptedProvider({ clients: { pizza: { secret: SECRET } }, tokenLifetime: 3600 });
    harness = await Harness.start({
      tuning: { ...tuning, retryBaseMs: 500 },
      maxCachedWorkflows,
      decorate,
      secrets: () => [...provider.issuedSecrets(), ...moved.issuedSecrets()],
    });
  }, 120_000);
  afterEach(async () => {
    trouble = undefined;
    provider.changeClientSecret('pizza', SECRET);
    for (const one of [provider, moved]) one.assertLedger();
    await harness.judge();
  });
  afterAll(async () => {
    await harness?.stop();
    await provider?.stop();
    await moved?.stop();
  });

  const component = (): Promise<string> => pizzaVan(harness, `cp_${++counter}`, provider);
  const save = (of: string, client: string, secret = SECRET, update = false, base?: OAuthClientBase) =>
    saveClient(harness, { component: of, client, secret, update, base, audience: [provider.issuer] });
  const move = (of: string) =>
    harness.parts.registry.components.addVersion({
      tenant: harness.tenant,
      id: of,
      ...versionAt(moved),
      event: { type: 'component.version_added', ...caller },
    });
  const made = async (of: string): Promise<string> => {
    const client = `oc_${++counter}`;
    expect(await save(of, client)).toBe('saved');
    return client;
  };
  const inVault = async (client: string): Promise<string[]> => {
    const refs: string[] = [];
    for await (const ref of harness.parts.vault.list(`client/${harness.tenant}/${client}/`)) refs.push(ref);
    return refs.sort();
  };
  const clients = () => harness.parts.registry.oauthClients;
  const shown = (client: string) => clients().getForComponent(harness.tenant, client);

  async function expectPublished(client: string): Promise<string> {
    const row = await shown(client);
    const secret = row?.secretId ?? '';
    expect(await inVault(client)).toEqual([clientSecretRef(harness.tenant, client, secret)]);
    expect(await clients().secretIds(harness.tenant, client)).toEqual([secret]);
    return secret;
  }
  async function expectNothing(client: string): Promise<void> {
    expect([await clients().get(harness.tenant, client), await inVault(client)]).toEqual([undefined, []]);
  }
  async function expectUnseen(of: string, client: string): Promise<void> {
    expect(await shown(client)).toBeUndefined();
    expect(await clients().listForComponents(harness.tenant, { component: of })).toEqual([]);
    const flow = { tenant: harness.tenant, id: `fl_${++counter}`, name: 'Orders', status: 'draft' } as const;
    const event = { type: 'flow.created', ...caller };
    await expect(
      harness.parts.registry.flows.create({ ...flow, components: [of], connections: [], event }),
    ).rejects.toMatchObject({ code: 'OAUTH_CLIENT_MISSING' });
  }

  it.each(STEPS)('is published once when an answer is lost (%s, after it was done: %s)', async (step, after) => {
    const [of, client] = [await component(), `oc_${++counter}`];
    trouble = { step, after, times: 1, fail: failing(LOST[step]) };
    expect(await save(of, client)).toBe('saved');
    expect(trouble.times).toBe(0);
    await expectPublished(client);
  });

  it.each([
    ['reserve', false, 'ALREADY_EXISTS'],
    ['store', false, 'VAULT_CORRUPT'],
    ['store', true, 'VAULT_CORRUPT'],
    ['publish', false, 'NOT_FOUND'],
  ] as const)(
    'leaves neither row nor secret when it is refused (%s, after it was done: %s)',
    async (step, after, code) => {
      const [of, client] = [await component(), `oc_${++counter}`];
      trouble = { step, after, times: 1, fail: failing(code) };
      expect(await save(of, client)).toEqual({ failed: code });
      await expectNothing(client);
      // Its place is free.
      await expectPublished(await made(of));
    },
  );

  it('gives its place back when the registry takes it and never says so', async () => {
    const [of, client] = [await component(), `oc_${++counter}`];
    trouble = { step: 'reserve', after: true, times: Infinity, fail: failing('REGISTRY_UNAVAILABLE') };
    const outcome = await save(of, client);
    trouble = undefined;
    expect(['running', { failed: 'REGISTRY_UNAVAILABLE' }]).toContainEqual(outcome);
    await eventually(
      'its end',
      () => clients().get(harness.tenant, client),
      (row) => row === undefined,
    );
    await expectPublished(await made(of));
  }, 120_000);

  it.each([
    ['reserve', true],
    ['store', true],
    ['publish', false],
  ] as const)(
    'is unseen while its worker is gone, and published when one is there again (%s, after it was done: %s)',
    async (step, after) => {
      const [of, client] = [await component(), `oc_${++counter}`];
      const { fail, reached } = cutOff(LOST[step]);
      trouble = { step, after, times: 1, fail };
      const saving = save(of, client);
      await reached;
      await expectUnseen(of, client);
      await harness.stopWorkers();
      await expectUnseen(of, client);
      await harness.startWorkers();
      expect(['saved', 'running']).toContain(await saving);
      await eventually(
        'its publication',
        () => shown(client),
        (row) => row !== undefined,
      );
      await expectPublished(client);
    },
    120_000,
  );

  it('keeps the secret it has when a change of it is refused', async () => {
    const of = await component();
    const client = await made(of);
    const before = await shown(client);
    trouble = { step: 'publish', after: false, times: 1, fail: failing('IN_USE') };
    expect(await save(of, client, 'pizza-secret-canary-refused', true)).toEqual({ failed: 'IN_USE' });
    await expectPublished(client);
    expect(await shown(client)).toEqual(before);
  });

  it('is not overwritten by a change that was judged on another state of it, and nothing of that change is kept', async () => {
    const of = await component();
    const client = await made(of);
    const secretId = await expectPublished(client);
    const stale = { secretId: 'sec_of_another_state', suspendedAt: null };
    const refused = { failed: 'PRECONDITION_FAILED' };
    expect(await save(of, client, 'pizza-secret-canary-stale', true, stale)).toEqual(refused);
    expect(await expectPublished(client)).toBe(secretId);
    // The state it was judged on ends after the secret is stored.
    const fail = async (): Promise<never> => {
      expect(await inVault(client)).toHaveLength(2);
      await move(of);
      throw new DurableOAuthError('REGISTRY_UNAVAILABLE');
    };
    trouble = { step: 'publish', after: false, times: 1, fail };
    const current = { secretId, suspendedAt: null };
    expect(await save(of, client, 'pizza-secret-canary-late', true, current)).toEqual(refused);
    expect(await expectPublished(client)).toBe(secretId);
    expect((await shown(client))?.suspendedAt).not.toBeNull();
  });

  it.each([
    ['reserve', false],
    ['store', false],
    ['store', true],
  ] as const)(
    'whose workflow is terminated by hand leaves nothing behind that housekeeping does not give back (after %s, a change: %s)',
    async (step, update) => {
      const of = await component();
      const client = update ? await made(of) : `oc_${++counter}`;
      const before = await shown(client);
      const { fail, reached, letGo } = heldUp(LOST[step]);
      trouble = { step, after: true, times: 1, fail };
      const saving = save(of, client, 'pizza-secret-canary-left', update);
      await reached;
      const later = (minutes: number) => giveBackAbandoned(harness.parts, new Date(Date.now() + minutes * MINUTE));
      const stored = await inVault(client);
      expect(stored).toHaveLength(step === 'reserve' ? 0 : update ? 2 : 1);
      // Whoever is at work on it is left alone, however long that takes.
      expect(await later(120)).toBe(0);
      const workflow = oauthClientWorkflowId(harness.tenant, client);
      await harness.parts.temporal.workflow.getHandle(workflow).terminate('by hand');
      expect(await saving).toEqual({ failed: 'INTERNAL' });
      letGo();
      expect(await later(59)).toBe(0);
      expect(await inVault(client)).toEqual(stored);
      if (!update) expect(await save(of, `oc_${++counter}`)).toEqual({ failed: 'ALREADY_EXISTS' });

      expect(await later(61)).toBe(1);
      expect(await later(61)).toBe(0);
      if (!update) {
        await expectNothing(client);
        await expectPublished(await made(of));
      } else {
        expect(await shown(client)).toEqual(before);
        await expectPublished(client);
      }
    },
  );

  it('has its replaced secrets destroyed once nobody can be using them any more', async () => {
    const of = await component();
    const client = await made(of);
    const first = await expectPublished(client);
    expect(await save(of, client, 'pizza-secret-canary-2', true)).toBe('saved');
    const refs = (await clients().secretIds(harness.tenant, client)).map((id) =>
      clientSecretRef(harness.tenant, client, id),
    );
    await destroyRetiredSecrets(harness.parts, new Date(Date.now() + 9 * MINUTE));
    expect(await inVault(client)).toEqual([...refs].sort());
    expect(await destroyRetiredSecrets(harness.parts, new Date(Date.now() + 11 * MINUTE))).toBeGreaterThan(0);
    expect(await expectPublished(client)).not.toBe(first);
    await expect(harness.parts.vault.latest(refs[0] ?? '')).rejects.toMatchObject({ code: 'VAULT_GONE' });
    expect(await destroyRetiredSecrets(harness.parts, new Date(Date.now() + 11 * MINUTE))).toBe(0);
  });

  describe('with connections', () => {
    const state = (ref: ConnectionRef) => harness.parts.registry.connections.get(ref);
    const reaches = (ref: ConnectionRef, wanted: string) =>
      eventually(
        wanted,
        () => state(ref),
        (row) => row?.state === wanted,
      );
    async function consent(ref: ConnectionRef): Promise<void> {
      expect(await complete(harness, await visit(harness, ref))).toBe('connected');
      await reaches(ref, 'active');
    }
    async function connected(of: string, client: string): Promise<ConnectionRef> {
      const ref = await saved(harness, throughClient(provider, of, client));
      await consent(ref);
      return ref;
    }

    it('has what it kept from working tried again by a worker, when the server died after the change', async () => {
      provider.tokenLifetime(8);
      const of = await component();
      const client = await made(of);
      const ref = await connected(of, client);
      provider.changeClientSecret('pizza', 'pizza-secret-canary-3');
      await eventually(
        'the refusal',
        () => state(ref),
        (row) => row?.reason === 'CLIENT_REJECTED',
      );
      const nudge = jest.spyOn(harness.parts.connections, 'nudge');
      // Nobody drains what this change owes. A wrong secret again: nothing but the effect touches the connection.
      expect(await save(of, client, 'pizza-secret-canary-4', true)).toBe('saved');
      await eventually(
        'the effect',
        async () => nudge.mock.calls.some(([{ connection }]) => connection === ref.connection),
        (nudged) => nudged,
      );
      nudge.mockRestore();
    }, 120_000);

    it('is suspended when its component moves to another origin until the secret is sent again; grants of the old origin stay there', async () => {
      provider.tokenLifetime(8);
      const of = await component();
      const client = await made(of);
      const ref = await connected(of, client);
      expect(await move(of)).toEqual({ version: 2, originChanged: true });
      expect((await shown(client))?.suspendedAt).not.toBeNull();
      const blocked = await eventually(
        'the refusal',
        () => state(ref),
        (row) => row?.reason === 'ENDPOINT_BLOCKED',
      );
      expect(['degraded', 'disconnected']).toContain(blocked?.state);
      await expect(visit(harness, ref)).rejects.toMatchObject({ code: 'NOT_FOUND' });

      const audience = [moved.issuer];
      expect(await saveClient(harness, { component: of, client, secret: SECRET, update: true, audience })).toBe(
        'saved',
      );
      expect((await shown(client))?.suspendedAt).toBeNull();
      await harness.parts.effects.drain();
      // It was never refused: with the component where it was, it would go on.
      await eventually(
        'what a confirmed origin asks for',
        () => state(ref),
        (row) => row?.state === 'reauth_required' && row.reason === 'CONSENT_OUTDATED',
      );
      expect(moved.tokenRequests()).toBe(0);

      await consent(ref);
      expect(moved.ledger().map(({ grantType, status }) => [grantType, status])).toEqual([['authorization_code', 200]]);
      await read(harness, ref);
    }, 120_000);
  });
});
