/** Saving on real parts: what is stored, what is not, and what a crash leaves. */
import { clientSecretRef, connectionWorkflowId, grantRef } from '../../src/connection/ids';
import type { Ports } from '../../src/compose';
import { DurableOAuthError } from '../../src/errors';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { eventually, Harness } from '../support/harness';
import { caller, read, save, saved } from '../support/scenes';

type Point = 'request' | 'first_put' | 'second_put' | 'after_puts' | 'register';

describe('saving', () => {
  let provider: ScriptedProvider;
  let other: ScriptedProvider;
  let harness: Harness;
  const puts: string[] = [];
  /** Where the next save's worker dies: the call is made (or not) and nothing answers any more. */
  let dies: Point | undefined;
  /** Lets the hanging calls end with the test, so that the worker can shut down. */
  let bury: (error: Error) => void = () => undefined;
  const never = new Promise<never>((_resolve, reject) => (bury = reject));
  never.catch(() => undefined);

  const decorate = (ports: Ports): Ports => {
    const { vault, authorizationServer, registry } = ports;
    let putsOfSave = 0;
    const at = (point: Point): boolean => {
      const hit = dies === point;
      if (hit) dies = undefined;
      return hit;
    };
    return {
      ...ports,
      authorizationServer: {
        ...authorizationServer,
        clientCredentials: (target, scope) =>
          at('request') ? never : authorizationServer.clientCredentials(target, scope),
      },
      vault: {
        capabilities: vault.capabilities,
        latest: vault.latest.bind(vault),
        destroy: vault.destroy.bind(vault),
        checkWritable: vault.checkWritable.bind(vault),
        list: vault.list.bind(vault),
        async put(ref, generation, secret) {
          puts.push(ref);
          if (secret.kind === 'client_secret') putsOfSave = 0;
          putsOfSave++;
          if (putsOfSave === 1 && at('first_put')) return never;
          if (putsOfSave === 2 && at('second_put')) return never;
          const outcome = await vault.put(ref, generation, secret);
          return putsOfSave === 2 && at('after_puts') ? never : outcome;
        },
      },
      registry: {
        ...registry,
        integrations: {
          ...registry.integrations,
          register: (registration) => (at('register') ? never : registry.integrations.register(registration)),
        },
      },
    };
  };

  beforeAll(async () => {
    const clients = { robot: { secret: 'robot-secret-canary' }, app: { secret: 'app-secret-canary' } };
    provider = await startScriptedProvider({ clients });
    other = await startScriptedProvider({
      clients: { 'other client': { secret: 'other:secret%canary' } },
      tokenLifetime: 7200,
    });
    other.expiresIn('7200ms');
    harness = await Harness.start({
      tuning: { jitter: 0 },
      decorate,
      secrets: () => [...provider.issuedSecrets(), ...other.issuedSecrets()],
    });
  }, 120_000);
  afterEach(async () => {
    provider.outage(null);
    provider.assertLedger();
    await harness.judge();
  });
  afterAll(async () => {
    bury(new DurableOAuthError('VAULT_UNAVAILABLE'));
    await harness?.stop();
    await provider?.stop();
    await other?.stop();
  });

  const robot = (change = {}, clientSecret = 'robot-secret-canary') => ({
    at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
    clientSecret,
    change: { client_id: 'robot', endpoints: provider.endpoints, ...change },
  });

  it('000-17 a refused client secret stores nothing at all, and says why', async () => {
    const integration = 'in_refused';
    const before = puts.length;
    const outcome = await save(harness, { ...robot({}, 'wrong-secret-canary'), integration });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'CLIENT_REJECTED', oauthError: 'invalid_client' });
    expect(puts.length).toBe(before);
    expect(await harness.parts.registry.integrations.get(harness.tenant, integration)).toBeUndefined();
    expect(await harness.parts.registry.connections.list(harness.tenant, { size: 50 })).toEqual([]);
  });

  it('000-21, 000-19, 000-18 the registry keeps token URL, client id and a pointer that resolves; secrets are in the vault alone', async () => {
    const ref = await saved(harness, robot());
    const context = await harness.parts.registry.connections.context(ref);
    expect(context?.integration.settings).toMatchObject({
      client_id: 'robot',
      endpoints: { token: provider.endpoints.token },
    });
    const { client, connection } = context!;
    const secret = await harness.parts.vault.latest(clientSecretRef(ref.tenant, client.id, client.secretId ?? ''));
    expect(secret.secret.kind === 'client_secret' && secret.secret.clientSecret.reveal()).toBe('robot-secret-canary');
    const grant = await harness.parts.vault.latest(grantRef(ref, connection.grantId ?? ''));
    expect(grant.secret.kind).toBe('token_set');
  });

  it('000-01, 001-12 providers that differ in URLs and quirks are a matter of data', async () => {
    const one = await saved(harness, robot());
    const two = await saved(harness, {
      at: { issuer: other.issuer, apiUrl: other.apiBaseUrl },
      clientSecret: 'other:secret%canary',
      change: { client_id: 'other client', client_auth: 'client_secret_post', endpoints: other.endpoints },
    });
    for (const ref of [one, two]) expect((await harness.parts.registry.connections.get(ref))?.state).toBe('active');
    expect((await harness.parts.registry.connections.get(two))?.lifetimeSeconds).toBe(7200);
    expect((await read(harness, two)).apiBaseUrl).toBe(other.apiBaseUrl);
  });

  it('000-30 what the vault folder holds is not the secret in any encoding, and M-04 a life is told by named activities', async () => {
    const ref = await saved(harness, robot());
    await harness.parts.connections.revoke(ref, 'over', caller);
    const handle = harness.parts.temporal.workflow.getHandle(connectionWorkflowId(ref));
    const { events } = await handle.fetchHistory();
    const named = (events ?? []).flatMap((event) => {
      const scheduled = event.activityTaskScheduledEventAttributes;
      return scheduled ? [{ name: scheduled.activityType?.name, summary: event.userMetadata?.summary?.data }] : [];
    });
    expect(named.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['loadConnection', 'revokeGrant', 'destroySecrets']),
    );
    for (const { summary } of named) expect(Buffer.from(summary ?? []).toString()).toMatch(/^"[A-Z].{8,}"$/);
  });

  it('M-05 the refresh timer is visible, named, and due at expiry − buffer − jitter', async () => {
    const ref = await saved(harness, robot());
    const row = await harness.parts.registry.connections.get(ref);
    const handle = harness.parts.temporal.workflow.getHandle(connectionWorkflowId(ref));
    const timer = await eventually(
      'a timer',
      async () => (await handle.fetchHistory()).events?.find((event) => event.timerStartedEventAttributes),
      (event) => event !== undefined,
    );
    expect(Buffer.from(timer?.userMetadata?.summary?.data ?? []).toString()).toContain('refresh due');
    const started = Number(timer?.eventTime?.seconds ?? 0) * 1000;
    const seconds = Number(timer?.timerStartedEventAttributes?.startToFireTimeout?.seconds ?? 0);
    // An hour to live: 300 s before the expiry; no jitter by tuning.
    expect(Math.abs(started + seconds * 1000 - (Date.parse(row?.expiresAt ?? '') - 300_000))).toBeLessThan(3_000);
  });

  it('000-22 a worker that dies at any step leaves no orphan in the vault and no row without entry', async () => {
    const points: readonly Point[] = ['request', 'first_put', 'second_put', 'after_puts', 'register'];
    const running = [];
    for (const point of points) {
      const integration = `in_dies_${point}`;
      const before = puts.length;
      const calls = provider.tokenRequests();
      dies = point;
      const outcome = save(harness, { ...robot(), integration });
      await eventually(
        `the worker died at ${point}`,
        () => Promise.resolve(dies),
        (left) => left === undefined,
      );
      running.push({ point, integration, outcome, before, calls });
    }
    for (const { point, integration, outcome } of running) {
      await outcome;
      const status = await eventually(
        `the save that died at ${point} ended`,
        () => harness.parts.connections.saveStatus(harness.tenant, integration),
        (seen) => seen?.kind !== 'running',
        120_000,
      );
      const row = await harness.parts.registry.integrations.get(harness.tenant, integration);
      expect([point, status?.kind ?? 'saved', row !== undefined]).toEqual(
        point === 'request' ? [point, 'failed', false] : [point, 'saved', true],
      );
    }
    const connections = await harness.parts.registry.connections.list(harness.tenant, { size: 100 });
    const owned = new Set<string>();
    for (const { id } of connections) {
      const context = await harness.parts.registry.connections.context({ tenant: harness.tenant, connection: id });
      const { client, connection } = context!;
      owned.add(clientSecretRef(harness.tenant, client.id, client.secretId ?? ''));
      owned.add(grantRef({ tenant: harness.tenant, connection: id }, connection.grantId ?? ''));
    }
    const stored = new Set<string>();
    for (const prefix of [`client/${harness.tenant}/`, `grant/${harness.tenant}/`]) {
      for await (const ref of harness.parts.vault.list(prefix)) stored.add(ref);
    }
    const gone = new Set<string>();
    for (const ref of stored) await harness.parts.vault.latest(ref).catch(() => gone.add(ref));
    expect([...stored].filter((ref) => !gone.has(ref) && !owned.has(ref))).toEqual([]);
    expect([...owned].filter((ref) => !stored.has(ref))).toEqual(
      connections
        .filter(({ frozenAt }) => frozenAt !== null)
        .map(({ id, grantId }) => grantRef({ tenant: harness.tenant, connection: id }, grantId ?? '')),
    );
  }, 200_000);
});
