/** The vault came back from a backup: what may be spent is not sent, until somebody decides. */
import type { Ports } from '../../src/compose';
import { afterRestore, type Restored } from '../../src/cli/doctor/after-restore';
import { clientSecretRef, grantRef } from '../../src/connection/ids';
import type { ConnectionRef } from '../../src/connection/types';
import { DurableOAuthError } from '../../src/errors';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import type { VaultEntry } from '../../src/vault/port';
import { eventually, Harness } from '../support/harness';
import { vaultWith } from '../support/vault-with';
import { caller, CALLBACK, complete, read, saved, visit } from '../support/scenes';

describe('after a restore', () => {
  let provider: ScriptedProvider;
  let harness: Harness;
  /** Refs whose newest generation the backup does not hold. */
  const backup = new Map<string, VaultEntry>();
  let restored = false;

  const decorate = (ports: Ports): Ports => {
    const { vault } = ports;
    return {
      ...ports,
      vault: vaultWith(vault, {
        async latest(ref) {
          const entry = await vault.latest(ref);
          if (entry.generation === 1) backup.set(ref, entry);
          return (restored && backup.get(ref)) || entry;
        },
      }),
    };
  };

  beforeAll(async () => {
    provider = await startScriptedProvider({
      clients: {
        app: { secret: 'app-secret-canary', rotation: { mode: 'strict' } },
        plain: { secret: 'plain-secret-canary' },
      },
      tokenLifetime: 3600,
    });
    harness = await Harness.start({
      tuning: { jitter: 0, retryBaseMs: 300 },
      decorate,
      secrets: () => provider.issuedSecrets(),
    });
  }, 120_000);
  afterEach(async () => {
    restored = false;
    provider.tokenLifetime(3600);
    harness.tripwire.watch(provider.issuedSecrets());
    provider.assertLedger();
    await harness.judge();
  });
  afterAll(async () => {
    await harness?.stop();
    await provider?.stop();
  });

  const scene = (client: string, change = {}) => ({
    at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
    clientSecret: `${client}-secret-canary`,
    change: { client_id: client, endpoints: provider.endpoints, ...change },
  });
  const pasted = (client: string, rotation: 'strict' | 'none') =>
    saved(harness, {
      ...scene(client, { grant_type: 'refresh_token', rotation }),
      refreshToken: provider.issueRefreshToken(client),
    });
  const row = (ref: ConnectionRef) => harness.parts.registry.connections.get(ref);
  const look = async (): Promise<Restored[]> => {
    const seen: Restored[] = [];
    for await (const one of afterRestore({ ...harness.parts, by: 'test' })) seen.push(one);
    return seen;
  };
  const of = (seen: readonly Restored[], ref: ConnectionRef): Restored | undefined =>
    seen.find((one) => one.ref === `${ref.tenant}/${ref.connection}`);

  it('nothing is sent until it is released, and then it goes on; its living token is served meanwhile', async () => {
    provider.tokenLifetime(8);
    const ref = await pasted('app', 'strict');
    const sent = provider.tokenRequests('refresh_token');
    expect(of(await look(), ref)).toMatchObject({
      verdict: 'uncertain',
      quarantined: true,
      held: 1,
      known: 1,
      accessToken: 'accepted',
    });
    expect((await read(harness, ref)).generation).toBe(1);
    const held = await eventually(
      'its refresh is refused',
      () => row(ref),
      (r) => r?.reason === 'RESTORED_FROM_BACKUP',
    );
    expect(held?.quarantinedAt).not.toBeNull();
    expect(provider.tokenRequests('refresh_token')).toBe(sent);
    const { text, who } = await harness.parts.connections.describe(ref);
    expect({ text, who }).toMatchObject({ text: expect.stringContaining('backup') as unknown, who: 'operator' });
    provider.tokenLifetime(3600);
    expect(await harness.parts.registry.connections.release(ref, { type: 'connection.released', ...caller })).toBe(
      true,
    );
    await harness.parts.connections.nudge(ref, 'connection_released', caller);
    await eventually(
      'it goes on',
      () => row(ref),
      (r) => r?.state === 'active' && r.generation === 2,
    );
  }, 90_000);

  it('a generation that was spent since is said to be, is never sent, and a new consent ends it', async () => {
    const ref = await saved(
      harness,
      scene('app', { grant_type: 'authorization_code', rotation: 'strict', redirect_uri: CALLBACK, scope: 'read' }),
    );
    provider.tokenLifetime(6);
    await complete(harness, await visit(harness, ref));
    provider.tokenLifetime(3600);
    await eventually(
      'a second generation',
      () => row(ref),
      (r) => r?.generation === 2,
    );
    restored = true;
    const sent = provider.tokenRequests('refresh_token');
    expect(of(await look(), ref)).toMatchObject({ verdict: 'spent', held: 1, known: 2, quarantined: true });
    expect(of(await look(), ref)).toMatchObject({ verdict: 'spent' });
    await harness.parts.connections.ensureFresh(ref, { generation: 2, why: 'expiring' }, caller);
    await harness.parts.registry.connections.release(ref, { type: 'connection.released', ...caller });
    await harness.parts.connections.nudge(ref, 'connection_released', caller);
    expect(provider.tokenRequests('refresh_token')).toBe(sent);
    await look();
    expect(await complete(harness, await visit(harness, ref))).toBe('connected');
    await eventually(
      'the quarantine ends',
      () => row(ref),
      (r) => r?.state === 'active' && r.quarantinedAt === null,
    );
  }, 90_000);

  it('what spends nothing is left alone, and refreshes although the backup holds an older generation', async () => {
    provider.tokenLifetime(6);
    const plain = await pasted('plain', 'none');
    const robot = await saved(harness, scene('plain', { grant_type: 'client_credentials', rotation: 'unknown' }));
    await eventually(
      'a second generation',
      () => row(plain),
      (r) => r?.generation === 2,
    );
    restored = true;
    const seen = await look();
    expect(of(seen, plain)).toMatchObject({ verdict: 'safe', quarantined: false, held: 1 });
    expect(of(seen, robot)).toMatchObject({ verdict: 'safe', quarantined: false });
    const generation = (await row(plain))?.generation ?? 0;
    await eventually(
      'it goes on',
      () => row(plain),
      (r) => (r?.generation ?? 0) > generation,
    );
  }, 60_000);

  it('a client secret that the backup lacks, or a damaged entry, keeps nobody else from being looked at', async () => {
    const [first, second] = [await pasted('app', 'strict'), await pasted('app', 'strict')];
    const context = (await harness.parts.registry.connections.context(first))!;
    const lost = [clientSecretRef(first.tenant, context.client.id, context.client.secretId ?? '')];
    const damaged = [grantRef(second, (await row(second))?.grantId ?? '')];
    const { vault } = harness.parts;
    const seen: Restored[] = [];
    const broken = vaultWith(vault, {
      async latest(ref) {
        if (lost.includes(ref)) throw new DurableOAuthError('VAULT_MISSING');
        if (damaged.includes(ref)) throw new DurableOAuthError('VAULT_CORRUPT');
        return vault.latest(ref);
      },
    });
    for await (const one of afterRestore({ ...harness.parts, vault: broken, by: 'test' })) seen.push(one);
    expect(of(seen, first)).toMatchObject({ verdict: 'uncertain', quarantined: true });
    expect(of(seen, second)).toMatchObject({ verdict: 'missing', quarantined: true });
  });

  it('what was revoked since the backup is destroyed again', async () => {
    const ref = await pasted('plain', 'none');
    await harness.parts.connections.revoke(ref, 'done', caller);
    await eventually(
      'it is finished',
      () => row(ref),
      (r) => r?.revokingSince === null,
    );
    const destroyed: string[] = [];
    const { vault } = harness.parts;
    const watched = vaultWith(vault, { destroy: (path) => (destroyed.push(path), vault.destroy(path)) });
    for await (const one of afterRestore({ ...harness.parts, vault: watched, by: 'test' })) void one;
    expect(destroyed).toContain(grantRef(ref, (await row(ref))?.grantId ?? ''));
    expect(of(await look(), ref)).toMatchObject({ verdict: 'gone' });
  });
});
