/**
 * What may be down (design 13): each cell of store × operation. Refreshes during a Temporal outage wait, and a lost
 * Temporal database is healed from registry and vault: that is shown by the demo, which deletes it, and by chaos.
 */
import { Client, Connection } from '@temporalio/client';
import { createConnections } from '../../src/client/connections';
import { createConsents } from '../../src/client/consents';
import { createTokenReader } from '../../src/client/token-reader';
import type { Ports } from '../../src/compose';
import { connectionWorkflowId } from '../../src/connection/ids';
import type { ConnectionRef } from '../../src/connection/types';
import { DurableOAuthError, isDurableOAuthError } from '../../src/errors';
import { openRegistry } from '../../src/registry/open';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { eventually, Harness } from '../support/harness';
import { startProxy, type Proxy } from '../support/proxy';
import { caller, CALLBACK, complete, link, read, save, saved, view, visit } from '../support/scenes';

let provider: ScriptedProvider;
let harness: Harness;
let database: Proxy;
let databaseUrl = '';
let vaultDown = false;

const decorate = (ports: Ports): Ports => {
  const { vault } = ports;
  const up = async <T>(work: () => Promise<T>): Promise<T> => {
    if (vaultDown) throw new DurableOAuthError('VAULT_UNAVAILABLE', 'The test took the vault away');
    return work();
  };
  return {
    ...ports,
    vault: {
      capabilities: vault.capabilities,
      put: (...of) => up(() => vault.put(...of)),
      latest: (ref) => up(() => vault.latest(ref)),
      destroy: (ref) => up(() => vault.destroy(ref)),
      checkWritable: () => up(() => vault.checkWritable()),
      list: (prefix) => vault.list(prefix),
    },
  };
};

beforeAll(async () => {
  provider = await startScriptedProvider({
    clients: { robot: { secret: 'robot-secret-canary' }, app: { secret: 'app-secret-canary' } },
    tokenLifetime: 3600,
  });
  harness = await Harness.start({
    tuning: { jitter: 0, retryBaseMs: 500 },
    decorate,
    databaseVia: async (url) => {
      const there = new URL(url);
      database = await startProxy({ host: there.hostname, port: Number(there.port) });
      there.port = String(database.port);
      there.hostname = '127.0.0.1';
      databaseUrl = there.href;
      return databaseUrl;
    },
    secrets: () => provider.issuedSecrets(),
  });
}, 120_000);
afterEach(async () => {
  vaultDown = false;
  database.mend();
  provider.outage(null);
  provider.tokenLifetime(3600);
  await eventually('the database is back', () => harness.parts.registry.ping().catch(() => ''), Boolean);
  harness.tripwire.watch(provider.issuedSecrets());
  provider.assertLedger();
  await harness.judge();
});
afterAll(async () => {
  await harness?.stop();
  database?.close();
  await provider?.stop();
});

const scene = (client: string, change = {}) => ({
  at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
  clientSecret: `${client}-secret-canary`,
  change: { client_id: client, endpoints: provider.endpoints, ...change },
});
const robot = () => saved(harness, scene('robot'));
const codeGrant = () =>
  saved(harness, scene('app', { grant_type: 'authorization_code', redirect_uri: CALLBACK, scope: 'read' }));
const row = (ref: ConnectionRef) => harness.parts.registry.connections.get(ref);
const reaches = (ref: ConnectionRef, state: string, reason?: string) =>
  eventually(
    `${state}/${String(reason)}`,
    () => row(ref),
    (r) => r?.state === state && (reason === undefined || r.reason === reason),
  );
const heldRefs = async (): Promise<string[]> => {
  const refs: string[] = [];
  for await (const ref of harness.parts.vault.list('')) refs.push(ref);
  return refs.sort();
};
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    (value) => JSON.stringify(value),
    (error: unknown) => (isDurableOAuthError(error) ? error.code : `foreign: ${String(error)}`),
  );

describe('the provider is down', () => {
  it('live tokens are served; a refresh degrades, then disconnects, and heals by itself', async () => {
    provider.tokenLifetime(8);
    const ref = await robot();
    provider.outage(503);
    expect((await read(harness, ref)).generation).toBe(1);
    await reaches(ref, 'degraded', 'PROVIDER_UNREACHABLE');
    const dead = await reaches(ref, 'disconnected', 'PROVIDER_UNREACHABLE');
    expect(dead?.recovery).toBe('automatic');
    provider.outage(null);
    provider.tokenLifetime(3600);
    await reaches(ref, 'active');
  });

  it('a consent says so and leaves nothing; a save is 503 and stores nothing; a revocation freezes and goes on trying', async () => {
    const [connected, waiting] = [await robot(), await codeGrant()];
    const visitor = await visit(harness, waiting);
    const before = await heldRefs();
    provider.outage(503);
    await harness.parts.consents.callback(visitor.callbackUrl, visitor.cookie);
    expect(await view(harness, visitor)).toMatchObject({
      stage: 'failed',
      reading: { code: 'PROVIDER_UNREACHABLE' },
    });
    expect(await row(waiting)).toMatchObject({ state: 'pending_consent', grantId: null });
    expect(await save(harness, scene('robot'))).toMatchObject({ kind: 'failed', code: 'PROVIDER_UNREACHABLE' });
    expect(await heldRefs()).toEqual(before);
    expect(await harness.parts.connections.revoke(connected, 'over', caller)).toMatchObject({ provider: 'pending' });
    expect(await row(connected)).toMatchObject({ usable: false, state: 'disconnected' });
    provider.outage(null);
    await eventually(
      'the revocation is finished',
      () => row(connected),
      (r) => r?.revokingSince === null,
    );
  }, 90_000);
});

describe('the vault is down', () => {
  it('tokens in memory are served; no refresh starts, and the connection says whose fault it is; it heals', async () => {
    provider.tokenLifetime(8);
    const ref = await robot();
    expect((await read(harness, ref)).generation).toBe(1);
    // Its run has read the vault, and waits for the refresh.
    await eventually(
      'its timer',
      () => harness.history(connectionWorkflowId(ref)),
      (events) => events.some(({ json }) => json.includes('timerStartedEventAttributes')),
    );
    vaultDown = true;
    const sent = provider.tokenRequests();
    expect((await read(harness, ref)).generation).toBe(1);
    await reaches(ref, 'degraded', 'STORAGE_UNREACHABLE');
    expect(provider.tokenRequests()).toBe(sent);
    provider.tokenLifetime(3600);
    vaultDown = false;
    await reaches(ref, 'active');
  });

  it('no code is spent, no save sends anything, and a revocation freezes at once and destroys later', async () => {
    const [connected, waiting] = [await robot(), await codeGrant()];
    const visitor = await visit(harness, waiting);
    vaultDown = true;
    const sent = provider.tokenRequests();
    await harness.parts.consents.callback(visitor.callbackUrl, visitor.cookie);
    expect(await view(harness, visitor)).toMatchObject({
      stage: 'failed',
      reading: { code: 'STORAGE_UNREACHABLE' },
    });
    expect(await save(harness, scene('robot'))).toMatchObject({ kind: 'failed', code: 'STORAGE_UNREACHABLE' });
    expect(provider.tokenRequests()).toBe(sent);
    const stone = await harness.parts.connections.revoke(connected, 'over', caller);
    expect(stone.destroyedAt).toBeUndefined();
    expect(await row(connected)).toMatchObject({ usable: false });
    vaultDown = false;
    await eventually(
      'it is destroyed',
      () => row(connected),
      (r) => r?.revokingSince === null,
    );
  }, 90_000);
});

describe('the registry is down', () => {
  it('known callers are served, new ones refused; refreshes go on with the last configuration', async () => {
    provider.tokenLifetime(8);
    const ref = await robot();
    const path = await codeGrant();
    expect((await read(harness, ref)).generation).toBe(1);
    const other = await openRegistry({ url: databaseUrl });
    const stranger = createTokenReader({ ...harness.parts, registry: other, countCheck: () => undefined });
    const sent = provider.tokenRequests();
    database.cut();
    expect((await read(harness, ref)).generation).toBeGreaterThanOrEqual(1);
    expect(await codeOf(stranger.read(ref, { deadlineMs: 3_000 }))).toBe('REGISTRY_UNAVAILABLE');
    await eventually(
      'two refreshes without a registry',
      () => Promise.resolve(provider.tokenRequests()),
      (now) => now >= sent + 2,
    );
    expect(await codeOf(harness.parts.consents.begin('any-link', 'en'))).toBe('REGISTRY_UNAVAILABLE');
    expect(await codeOf(harness.parts.connections.revoke(path, 'over', caller))).toMatch(
      /^(REGISTRY|TEMPORAL)_UNAVAILABLE$/,
    );
    provider.tokenLifetime(3600);
    database.mend();
    await eventually(
      'the row follows',
      () => row(ref).catch(() => undefined),
      (r) => (r?.generation ?? 0) >= 3,
    );
    await other.close();
  }, 120_000);

  it('what it said last is believed for five minutes and no longer: a revocation reaches every reader', async () => {
    const ref = await robot();
    await read(harness, ref);
    const readAfter = async (seconds: number): Promise<string> => {
      const { now } = Date;
      const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + seconds * 1_000);
      try {
        return await codeOf(harness.parts.tokens.read(ref).then(({ generation }) => generation));
      } finally {
        clock.mockRestore();
      }
    };
    database.cut();
    // Having asked in vain does not make the answer younger.
    expect([await readAfter(31), await readAfter(200), await readAfter(290)]).toEqual(['1', '1', '1']);
    expect(await readAfter(301)).toBe('REGISTRY_UNAVAILABLE');
  }, 90_000);

  it('a consent and a save that are under way are finished once it is back', async () => {
    const waiting = await codeGrant();
    const visitor = await visit(harness, waiting);
    database.cut();
    await harness.parts.consents.callback(visitor.callbackUrl, visitor.cookie);
    const sent = provider.tokenRequests();
    const saving = save(harness, scene('robot'));
    await eventually(
      'the save has asked for its token',
      () => Promise.resolve(provider.tokenRequests()),
      (now) => now > sent,
    );
    database.mend();
    expect(await saving).toMatchObject({ kind: 'saved' });
    expect(await complete(harness, visitor)).toBe('connected');
    await reaches(waiting, 'active');
  }, 150_000);
});

describe('Temporal is down', () => {
  it('live tokens are served; consent, save and revocation are 503', async () => {
    const ref = await robot();
    const { address } = harness.env;
    const [host = '', port = ''] = address.split(':');
    const proxy = await startProxy({ host, port: Number(port) });
    const connection = await Connection.connect({ address: `127.0.0.1:${proxy.port}` });
    const parts = { ...harness.parts, temporal: new Client({ connection }), tuning: undefined };
    const connections = createConnections(parts);
    const consents = createConsents({ ...parts, publicUrl: 'http://127.0.0.1:3000' });
    const token = await link(harness, await codeGrant());
    proxy.cut();
    const tokens = createTokenReader({ ...parts, connections, countCheck: () => undefined });
    expect((await tokens.read(ref)).generation).toBe(1);
    expect(await codeOf(consents.begin(token, 'en'))).toBe('TEMPORAL_UNAVAILABLE');
    expect(await codeOf(connections.revoke(ref, 'over', caller))).toBe('TEMPORAL_UNAVAILABLE');
    const { settings } = (await harness.parts.registry.connections.context(ref))!.integration;
    const request = { tenant: harness.tenant, integration: 'in_without', settings, lang: 'en' as const };
    expect(await codeOf(connections.save(request, caller))).toBe('TEMPORAL_UNAVAILABLE');
    await connection.close();
    proxy.close();
  }, 120_000);
});
