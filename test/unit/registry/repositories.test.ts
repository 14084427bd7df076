import { randomBytes } from 'node:crypto';
import type { ConnectionRef } from '../../../src/connection/types';
import type { Registry } from '../../../src/registry/contract';
import { openRegistry } from '../../../src/registry/open';
import { testDatabase, type TestDatabase } from '../../support/database';
import { tenantGuard } from '../../support/tenant-guard';
import { at, connected, event, fresh, HOUR, newTenant, registration, settings } from './builders';

let database: TestDatabase;
let registry: Registry;
let tenant: string;

beforeAll(async () => {
  database = await testDatabase();
  registry = await openRegistry({ url: database.url, plugins: [tenantGuard()] });
});
afterAll(async () => {
  await registry?.close();
  await database?.stop();
});
beforeEach(async () => {
  tenant = await newTenant(registry);
});

const soon = (): string => new Date(Date.now() + HOUR).toISOString();

describe('tenants, principals and API keys', () => {
  it('a tenant is made once', async () => {
    expect(await registry.tenants.get(tenant)).toMatchObject({ id: tenant, name: tenant });
    expect(await registry.tenants.get('nobody')).toBeUndefined();
    await expect(registry.tenants.create(tenant, 'again')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  it('a principal is one per tenant and e-mail, whoever asks at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, () => registry.principals.ensure(tenant, 'ann@example.com')),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(made[0]).toEqual({ id: expect.stringMatching(/^pr_[a-z2-7]{26}$/), email: 'ann@example.com' });
    const elsewhere = await registry.principals.ensure(await newTenant(registry), 'ann@example.com');
    expect(elsewhere.id).not.toBe(made[0]?.id);
  });

  it('a principal of an unknown tenant is refused', async () => {
    await expect(registry.principals.ensure('nobody', 'ann@example.com')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('an API key is found by its prefix, with its principal', async () => {
    const { id } = await registry.principals.ensure(tenant, 'ann@example.com');
    const prefix = fresh('prefix');
    const key = { tenant, principal: id, prefix, hash: 'ab'.repeat(32), scopes: ['connections:read', 'a,"b"'] };
    await registry.apiKeys.create(key, event('api_key.created'));
    expect(await registry.apiKeys.find(prefix)).toMatchObject({
      ...key,
      email: 'ann@example.com',
      revokedAt: null,
      removedAt: null,
      expiresAt: null,
      lastUsedAt: null,
    });
    expect(await registry.apiKeys.find('unknown')).toBeUndefined();
    await expect(registry.apiKeys.create(key, event('api_key.created'))).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
  });
});

describe('an OAuth client', () => {
  it('is paused until the later of two dates and resumed at once', async () => {
    const { saved } = await connected(registry, tenant);
    const paused = () => registry.oauthClients.get(tenant, saved.client.id);
    await registry.oauthClients.pause(tenant, saved.client.id, at(2 * HOUR), 'RATE_LIMITED');
    await registry.oauthClients.pause(tenant, saved.client.id, at(HOUR), 'CLIENT_REJECTED');
    expect(await paused()).toMatchObject({ pausedUntil: at(2 * HOUR), pausedCode: 'RATE_LIMITED' });
    await registry.oauthClients.resume(tenant, saved.client.id);
    expect(await paused()).toMatchObject({ pausedUntil: null, pausedCode: null });
    expect(await registry.oauthClients.get('nobody', saved.client.id)).toBeUndefined();
  });
});

describe('an integration', () => {
  it('is listed page by page and by customer reference', async () => {
    const one = await connected(registry, tenant, { settings: settings({ customer_reference: 'kd-7' }) });
    const two = await connected(registry, tenant);
    const first = await registry.integrations.list(tenant, { size: 1 });
    const second = await registry.integrations.list(tenant, { size: 5, after: first[0]?.id });
    expect([...first, ...second].map(({ id }) => id)).toEqual([one.saved.integration, two.saved.integration].sort());
    const found = await registry.integrations.list(tenant, { size: 5 }, { customerReference: 'kd-7' });
    expect(found.map(({ id }) => id)).toEqual([one.saved.integration]);
  });

  it('registered by twenty at once is one integration and one event', async () => {
    const save = registration(tenant, { fingerprint: fresh('fp') });
    await Promise.all(Array.from({ length: 20 }, () => registry.integrations.register(save)));
    expect(await registry.integrations.list(tenant, { size: 10 })).toHaveLength(1);
    expect(await registry.connections.list(tenant, { size: 10 })).toHaveLength(1);
    expect(await registry.events.list(tenant, save.connection, { size: 10 })).toHaveLength(1);
  });

  it.each([
    ['settings', (id: string) => ({ integration: id, settings: settings({ scope: 'orders:write' }) })],
    ['grant', (id: string) => ({ integration: id, grant: 'gr_of_another_save' })],
    ['connection', (id: string) => ({ integration: id, connection: 'cn_of_another_save' })],
    ['secret', (id: string) => ({ integration: id, client: { id: 'x', label: 'x', secretId: 'sec_9' } })],
  ])('with another %s under its id is refused and leaves nothing', async (_what, changes) => {
    const { saved, ref } = await connected(registry, tenant);
    const other = { ...saved, ...changes(saved.integration), event: event('other.saved') };
    await expect(registry.integrations.register(other)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(await registry.connections.get(ref)).toMatchObject({ grantId: saved.grant });
    expect(await registry.connections.list(tenant, { size: 10 })).toHaveLength(1);
    expect((await registry.events.list(tenant, undefined, { size: 10 })).map(({ type }) => type)).not.toContain(
      'other.saved',
    );
  });

  it('whose refresh token another integration has is refused and leaves nothing', async () => {
    const { saved } = await connected(registry, tenant, { fingerprint: 'fp_one' });
    const other = registration(tenant, { fingerprint: 'fp_one' });
    await expect(registry.integrations.register(other)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect((await registry.integrations.list(tenant, { size: 10 })).map(({ id }) => id)).toEqual([saved.integration]);
  });

  it('removed takes connections, links, waiters, fingerprint and client with it, and keeps the events', async () => {
    const { saved, ref } = await connected(registry, tenant, { fingerprint: 'fp_gone' });
    const link = {
      tenant,
      id: fresh('cl'),
      connection: ref.connection,
      tokenHash: fresh('hash'),
      createdBy: 'ann',
      expiresAt: soon(),
    };
    await registry.consentLinks.create(link);
    await registry.waiters.park({ ...ref, workflow: 'w', activity: '1', taskToken: Uint8Array.of(1) });
    await registry.integrations.remove(tenant, saved.integration, event('connection.removed'));
    await registry.integrations.remove(tenant, saved.integration, event('connection.removed'));
    expect(await registry.connections.get(ref)).toBeUndefined();
    expect(await registry.consentLinks.findByHash(link.tokenHash)).toBeUndefined();
    expect(await registry.waiters.list(ref)).toEqual([]);
    expect(await registry.oauthClients.get(tenant, saved.client.id)).toBeUndefined();
    await registry.fingerprints.reserve(tenant, 'fp_gone', 'in_other');
    expect((await registry.events.list(tenant, ref.connection, { size: 10 })).map(({ type }) => type)).toEqual([
      'connection.activated',
      'connection.removed',
    ]);
  });

  it('removed leaves a client that another integration uses', async () => {
    const { saved } = await connected(registry, tenant);
    await connected(registry, tenant, { client: saved.client });
    await registry.integrations.remove(tenant, saved.integration, event('connection.removed'));
    expect(await registry.oauthClients.get(tenant, saved.client.id)).toMatchObject({ id: saved.client.id });
  });
});

describe('a consent link', () => {
  async function linked(expiresAt = soon()) {
    const { ref } = await connected(registry, tenant);
    const link = {
      tenant,
      id: fresh('cl'),
      connection: ref.connection,
      tokenHash: fresh('hash'),
      createdBy: 'ann',
      expiresAt,
    };
    await registry.consentLinks.create({ ...link, returnTo: 'https://app.example/done' });
    return link;
  }

  it('is found by the hash of its token', async () => {
    const link = await linked();
    expect(await registry.consentLinks.findByHash(link.tokenHash)).toEqual({
      tenant,
      id: link.id,
      connection: link.connection,
      createdBy: 'ann',
      createdAt: expect.any(String),
      expiresAt: link.expiresAt,
      attempts: 0,
      completedAt: null,
      returnTo: 'https://app.example/done',
      mode: 'link',
      confirmerHash: null,
    });
  });

  it('that an application confirms names its confirmer, and no other does', async () => {
    const { ref } = await connected(registry, tenant);
    const made = { tenant, connection: ref.connection, createdBy: 'ann', expiresAt: soon() };
    const another = () => ({ ...made, id: fresh('cl'), tokenHash: fresh('hash') });
    const link = { ...another(), mode: 'handback', confirmerHash: 'who' } as const;
    await registry.consentLinks.create(link);
    const { mode, confirmerHash } = link;
    expect(await registry.consentLinks.findByHash(link.tokenHash)).toMatchObject({ mode, confirmerHash });
    await expect(registry.consentLinks.create({ ...another(), mode })).rejects.toThrow();
    await expect(registry.consentLinks.create({ ...another(), confirmerHash })).rejects.toThrow();
  });

  it('allows ten attempts, of twenty that race too', async () => {
    const { id } = await linked();
    const started = await Promise.all(Array.from({ length: 20 }, () => registry.consentLinks.startAttempt(tenant, id)));
    expect(started.filter(Boolean)).toHaveLength(10);
  });

  it('tells when the last attempt at a consent of an integration, or through a client, began', async () => {
    const { ref, saved } = await connected(registry, tenant);
    const elsewhere = await connected(registry, tenant);
    const { consentLinks } = registry;
    const both = () =>
      Promise.all([
        consentLinks.lastAttempt(tenant, { integration: saved.integration }),
        consentLinks.lastAttempt(tenant, { client: saved.client.id }),
      ]);
    const attempt = async ({ connection }: ConnectionRef): Promise<void> => {
      const [id, tokenHash] = [fresh('cl'), fresh('hash')];
      await consentLinks.create({ tenant, id, connection, tokenHash, createdBy: 'ann', expiresAt: soon() });
      expect(await consentLinks.startAttempt(tenant, id)).toBe(true);
    };
    await linked();
    await attempt(elsewhere.ref);
    expect(await both()).toEqual([undefined, undefined]);
    await attempt(ref);
    const [began, same] = await both();
    expect([Math.abs(Date.now() - Date.parse(began ?? '')) < HOUR, same]).toEqual([true, began]);
  });

  it('allows no attempt once completed, expired or of another tenant', async () => {
    const completed = await linked();
    expect(await registry.consentLinks.complete(tenant, completed.id, 'cs_1')).toBe(true);
    const date = (await registry.consentLinks.findByHash(completed.tokenHash))?.completedAt;
    expect(await registry.consentLinks.complete(tenant, completed.id, 'cs_1')).toBe(true);
    expect(await registry.consentLinks.complete(tenant, completed.id, 'cs_2')).toBe(false);
    expect((await registry.consentLinks.findByHash(completed.tokenHash))?.completedAt).toBe(date);
    expect(date).toEqual(expect.any(String));
    expect(await registry.consentLinks.startAttempt(tenant, completed.id)).toBe(false);
    expect(await registry.consentLinks.startAttempt(tenant, (await linked(at(-HOUR * 24 * 365))).id)).toBe(false);
    expect(await registry.consentLinks.startAttempt('nobody', (await linked()).id)).toBe(false);
  });
});

describe('a waiter', () => {
  it('parked again replaces its task token, and the old token no longer removes it', async () => {
    const { ref } = await connected(registry, tenant);
    const waiter = { ...ref, workflow: 'w1', activity: '7' };
    const [old, current] = [randomBytes(40), randomBytes(40)];
    await registry.waiters.park({ ...waiter, taskToken: old });
    await registry.waiters.park({ ...waiter, taskToken: current });
    await registry.waiters.remove({ ...waiter, taskToken: old });
    const parked = await registry.waiters.list(ref);
    expect(parked.map(({ workflow, activity }) => [workflow, activity])).toEqual([['w1', '7']]);
    expect(Buffer.from(parked[0]?.taskToken ?? []).equals(current)).toBe(true);
    await registry.waiters.remove({ ...waiter, taskToken: current });
    expect(await registry.waiters.list(ref)).toEqual([]);
  });

  it('of an unknown connection is refused', async () => {
    const waiter = { tenant, connection: 'cn_no', workflow: 'w', activity: '1', taskToken: Uint8Array.of(1) };
    await expect(registry.waiters.park(waiter)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('events', () => {
  it('are read in their order or against it, page by page, of one connection or of all', async () => {
    for (const [connection, type] of [
      [null, 'a.done'],
      ['cn_a', 'b.done'],
      ['cn_b', 'c.done'],
      ['cn_a', 'd.done'],
    ] as const) {
      await registry.events.append(tenant, connection, { ...event(type), facts: { attempt: 1, list: ['x'] } });
    }
    const first = await registry.events.list(tenant, undefined, { size: 3 });
    const rest = await registry.events.list(tenant, undefined, { size: 3, after: first[2]?.id });
    expect([...first, ...rest].map(({ type }) => type)).toEqual(['a.done', 'b.done', 'c.done', 'd.done']);
    const back = { newestFirst: true };
    const newest = await registry.events.list(tenant, undefined, { size: 3 }, back);
    const oldest = await registry.events.list(tenant, undefined, { size: 3, after: newest[2]?.id }, back);
    expect([...newest, ...oldest].map(({ type }) => type)).toEqual(['d.done', 'c.done', 'b.done', 'a.done']);
    const ofOne = await registry.events.list(tenant, 'cn_a', { size: 3 });
    expect(ofOne.map(({ type }) => type)).toEqual(['b.done', 'd.done']);
    expect(ofOne[0]).toMatchObject({
      connection: 'cn_a',
      by: 'system',
      traceId: 'tr_1',
      facts: { attempt: 1, list: ['x'] },
    });
  });
});

describe('a fingerprint', () => {
  it('belongs to the first of twenty integrations that race for it', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => registry.fingerprints.reserve(tenant, 'fp', `in_${i}`)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'ALREADY_EXISTS' });
    }
  });

  it('is reserved again by its holder, and free for others once released', async () => {
    await registry.fingerprints.reserve(tenant, 'fp', 'in_1');
    await registry.fingerprints.reserve(tenant, 'fp', 'in_1');
    await registry.fingerprints.reserve(await newTenant(registry), 'fp', 'in_2');
    await registry.fingerprints.release(tenant, 'in_1');
    await registry.fingerprints.reserve(tenant, 'fp', 'in_3');
  });
});

describe('envelope keys', () => {
  it('are listed newest first without destroyed ones', async () => {
    await registry.envelopeKeys.insert('k1', { kty: 'EC' });
    await registry.envelopeKeys.insert('k2', { kty: 'EC', crv: 'P-256' });
    await registry.envelopeKeys.insert('k2', { kty: 'other' });
    const keys = await registry.envelopeKeys.list();
    expect(keys.map(({ kid }) => kid)).toEqual(['k2', 'k1']);
    expect(keys[0]?.publicJwk).toEqual({ kty: 'EC', crv: 'P-256' });
    await registry.envelopeKeys.markDestroyed('k2');
    await registry.envelopeKeys.markDestroyed('k2');
    expect((await registry.envelopeKeys.list()).map(({ kid }) => kid)).toEqual(['k1']);
  });
});
