import type { Registry } from '../../../../src/registry/contract';
import { openRegistry } from '../../../../src/registry/open';
import { testDatabase, type TestDatabase } from '../../../support/database';
import { tenantGuard } from '../../../support/tenant-guard';
import { at, connected, event, HOUR, newTenant, projection, settings, token } from '../builders';

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

const eventTypes = async (connection: string): Promise<string[]> =>
  (await registry.events.list(tenant, connection, { size: 100 })).map(({ type }) => type);

describe('a connection', () => {
  it('is read with its integration and its client', async () => {
    const { ref, saved } = await connected(registry, tenant);
    const context = await registry.connections.context(ref);
    expect(context).toEqual({
      connection: expect.objectContaining({
        id: saved.connection,
        grantId: saved.grant,
        generation: 1,
        expiresAt: at(2 * HOUR),
        lifetimeSeconds: 3600,
        stateVersion: 0,
        evidence: null,
        usable: true,
        accountLabel: 'ann@example.com',
      }),
      integration: expect.objectContaining({ id: saved.integration, settings: saved.settings }),
      client: expect.objectContaining({ id: saved.client.id, clientId: 'app', secretId: 'sec_1', pausedUntil: null }),
    });
    expect(await registry.connections.get(ref)).toEqual(context?.connection);
  });

  it('is unknown to another tenant', async () => {
    const { ref, saved, grant } = await connected(registry, tenant);
    const foreign = { tenant: await newTenant(registry), connection: ref.connection };
    expect(await registry.connections.get(foreign)).toBeUndefined();
    expect(await registry.connections.context(foreign)).toBeUndefined();
    expect(await registry.connections.list(foreign.tenant, { size: 10 })).toEqual([]);
    expect(await registry.integrations.get(foreign.tenant, saved.integration)).toBeUndefined();
    expect(await registry.events.list(foreign.tenant, ref.connection, { size: 10 })).toEqual([]);
    await registry.connections.recordToken(foreign, token(grant, 9), at(0), null);
    await expect(registry.connections.recordTransition(foreign, projection(5))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(registry.connections.freeze(foreign, event('x.y'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await registry.connections.get(ref)).toMatchObject({ generation: 1, stateVersion: 0, frozenAt: null });
  });

  it('is listed page by page, by integration, by state and by customer reference', async () => {
    const one = await connected(registry, tenant, { settings: settings({ customer_reference: 'kd-1' }) });
    const two = await connected(registry, tenant, { state: 'pending_consent', grant: null, token: undefined });
    const ids = [one.ref.connection, two.ref.connection].sort();
    const first = await registry.connections.list(tenant, { size: 1 });
    const second = await registry.connections.list(tenant, { size: 1, after: first[0]?.id });
    expect([...first, ...second].map(({ id }) => id)).toEqual(ids);
    const only = async (filter: Parameters<Registry['connections']['list']>[2]): Promise<string[]> =>
      (await registry.connections.list(tenant, { size: 10 }, filter)).map(({ id }) => id);
    expect(await only({ integration: two.saved.integration })).toEqual([two.ref.connection]);
    expect(await only({ state: 'pending_consent' })).toEqual([two.ref.connection]);
    expect(await only({ customerReference: 'kd-1' })).toEqual([one.ref.connection]);
  });
});

describe('a transition', () => {
  it('is written with its event and told as applied', async () => {
    const { ref } = await connected(registry, tenant);
    const evidence = {
      id: 'at_1',
      at: at(0),
      class: 'REAUTH',
      httpStatus: 400,
      oauthError: 'invalid_grant',
      attempt: 1,
    } as const;
    const result = await registry.connections.recordTransition(
      ref,
      projection(3, {
        state: 'reauth_required',
        reason: 'GRANT_REFUSED',
        evidence,
        usable: false,
        event: event('grant.lost'),
      }),
    );
    expect(result).toEqual({ stateVersion: 3, applied: true, frozen: false });
    expect(await registry.connections.get(ref)).toMatchObject({
      state: 'reauth_required',
      reason: 'GRANT_REFUSED',
      recovery: null,
      evidence,
      usable: false,
      stateVersion: 3,
    });
    expect(await eventTypes(ref.connection)).toEqual(['connection.activated', 'grant.lost']);
  });

  it.each([3, 2])('of version %i changes nothing in a row of version 3, and answers 3', async (version) => {
    const { ref } = await connected(registry, tenant);
    await registry.connections.recordTransition(ref, projection(3, { state: 'degraded' }));
    const late = await registry.connections.recordTransition(
      ref,
      projection(version, { state: 'disconnected', event: event('late.written') }),
    );
    expect(late).toEqual({ stateVersion: 3, applied: false, frozen: false });
    expect(await registry.connections.get(ref)).toMatchObject({ state: 'degraded', stateVersion: 3 });
    expect(await eventTypes(ref.connection)).not.toContain('late.written');
  });

  it('of one version is applied once by twenty that race through two pools', async () => {
    const { ref } = await connected(registry, tenant);
    const second = await openRegistry({ url: database.url, plugins: [tenantGuard()] });
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? registry : second).connections.recordTransition(
          ref,
          projection(1, { event: event('raced.written') }),
        ),
      ),
    );
    await second.close();
    expect(results.filter(({ applied }) => applied)).toHaveLength(1);
    expect((await eventTypes(ref.connection)).filter((type) => type === 'raced.written')).toHaveLength(1);
  });

  it('leaves no state behind when its event cannot be written', async () => {
    const { ref } = await connected(registry, tenant);
    const broken = { ...event('broken.written'), traceId: 'a\u0000b' };
    await expect(
      registry.connections.recordTransition(ref, projection(1, { state: 'degraded', event: broken })),
    ).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await registry.connections.get(ref)).toMatchObject({ state: 'active', stateVersion: 0 });
  });
});

describe('token facts', () => {
  it('go forward by generation only', async () => {
    const { ref, grant } = await connected(registry, tenant);
    await registry.connections.recordToken(ref, token(grant, 3), at(HOUR), at(2 * HOUR));
    await registry.connections.recordToken(ref, token(grant, 2), at(5 * HOUR), null);
    expect(await registry.connections.get(ref)).toMatchObject({
      generation: 3,
      expiresAt: at(4 * HOUR),
      refreshedAt: at(HOUR),
      nextAttemptAt: at(2 * HOUR),
    });
  });

  it('of a grant that is not of record are ignored', async () => {
    const { ref, grant } = await connected(registry, tenant);
    await registry.connections.recordToken(ref, token('gr_other', 9), at(0), null);
    expect(await registry.connections.get(ref)).toMatchObject({ grantId: grant, generation: 1 });
  });

  it('keep a lifetime that no integer holds', async () => {
    const { ref, grant } = await connected(registry, tenant);
    await registry.connections.recordToken(
      ref,
      { ...token(grant, 2), lifetimeSeconds: 1e12, expiresAt: null },
      at(0),
      null,
    );
    expect(await registry.connections.get(ref)).toMatchObject({ lifetimeSeconds: 1e12, expiresAt: null });
  });
});

describe('a grant', () => {
  const adoption = (grant: string) => ({
    token: token(grant, 1),
    grantedAt: at(HOUR),
    thaw: false,
    event: event('consent.granted'),
  });

  it('is adopted in place of the former one, and adopting it again answers the same and changes nothing', async () => {
    const { ref, grant } = await connected(registry, tenant, { consentDeadline: at(HOUR) });
    const first = await registry.connections.adoptGrant(ref, adoption('gr_new'));
    await registry.connections.recordToken(ref, token('gr_new', 4), at(0), null);
    const again = await registry.connections.adoptGrant(ref, adoption('gr_new'));
    expect([first, again]).toEqual([{ previousGrant: grant }, { previousGrant: grant }]);
    expect(await registry.connections.get(ref)).toMatchObject({
      grantId: 'gr_new',
      generation: 4,
      consentDeadline: null,
      accountId: 'acct-1',
    });
    expect((await eventTypes(ref.connection)).filter((type) => type === 'consent.granted')).toHaveLength(1);
  });

  it('that is the first has no former one', async () => {
    const { ref } = await connected(registry, tenant, {
      grant: null,
      token: undefined,
      account: undefined,
      state: 'pending_consent',
    });
    const account = { id: 'acct-2', label: 'bob@example.com' };
    expect(await registry.connections.adoptGrant(ref, { ...adoption('gr_1st'), account })).toEqual({
      previousGrant: null,
    });
    expect(await registry.connections.get(ref)).toMatchObject({
      usable: true,
      accountId: 'acct-2',
      grantedAt: at(HOUR),
    });
  });

  it('of another account than was connected meanwhile is refused', async () => {
    const { ref, grant } = await connected(registry, tenant);
    const account = { id: 'acct-2', label: 'bob@example.com' };
    await expect(registry.connections.adoptGrant(ref, { ...adoption('gr_bob'), account })).rejects.toMatchObject({
      code: 'WRONG_ACCOUNT',
    });
    expect(await registry.connections.get(ref)).toMatchObject({ grantId: grant, accountId: 'acct-1' });
  });

  it('makes the connection active and due at once: its run may be lost before it says so', async () => {
    const { ref } = await connected(registry, tenant);
    await registry.connections.recordTransition(ref, projection(4, { state: 'reauth_required', usable: false }));
    await registry.connections.adoptGrant(ref, adoption('gr_new'));
    const row = await registry.connections.get(ref);
    expect(row).toMatchObject({ state: 'active', reason: null, stateVersion: 5, usable: true });
    expect(Date.parse(row?.nextAttemptAt ?? '')).toBeLessThanOrEqual(Date.now() + 5_000);
  });

  it('whose revocation is finished freezes the row again that an overtaking adoption thawed, and no other', async () => {
    const { ref } = await connected(registry, tenant);
    await registry.connections.freeze(ref, event('connection.frozen'));
    await registry.connections.adoptGrant(ref, { ...adoption('gr_overtaking'), thaw: true });
    await registry.connections.recordRevoked(ref, event('grant.destroyed'), 'gr_of_before');
    expect(await registry.connections.get(ref)).toMatchObject({ frozenAt: null, usable: true, state: 'active' });
    await registry.connections.recordRevoked(ref, event('grant.destroyed'), 'gr_overtaking');
    const row = await registry.connections.get(ref);
    expect(row).toMatchObject({ usable: false, state: 'disconnected', recovery: 'reconnect', reason: 'REVOKED_HERE' });
    expect(row?.frozenAt).not.toBeNull();
    expect(row?.nextAttemptAt).toBeNull();
  });

  it('that a freeze has overtaken is refused: what was consented to before goes with the revocation', async () => {
    const { ref, grant } = await connected(registry, tenant);
    const frozenAt = await registry.connections.freeze(ref, event('connection.frozen'));
    await expect(registry.connections.adoptGrant(ref, adoption('gr_late'))).rejects.toMatchObject({
      code: 'REVOKED_HERE',
    });
    expect(await registry.connections.get(ref)).toMatchObject({ grantId: grant, frozenAt, usable: false });
  });

  it('whose revocation is finished leaves another one alone that is not', async () => {
    const { ref, grant } = await connected(registry, tenant);
    await registry.connections.freeze(ref, event('connection.frozen'));
    await registry.connections.adoptGrant(ref, { ...adoption('gr_second'), thaw: true });
    await registry.connections.freeze(ref, event('connection.frozen'));
    await registry.connections.recordRevoked(ref, event('grant.destroyed'), grant);
    expect((await registry.connections.get(ref))?.revokingSince).not.toBeNull();
    await registry.connections.recordRevoked(ref, event('grant.destroyed'), 'gr_second');
    expect((await registry.connections.get(ref))?.revokingSince).toBeNull();
  });

  it('that was replaced never becomes the grant of record again', async () => {
    const { ref, grant } = await connected(registry, tenant);
    await registry.connections.adoptGrant(ref, adoption('gr_newer'));
    expect(await registry.connections.adoptGrant(ref, adoption(grant))).toEqual({ previousGrant: null });
    expect(await registry.connections.get(ref)).toMatchObject({ grantId: 'gr_newer' });
  });

  it('of an unknown connection is refused', async () => {
    await expect(
      registry.connections.adoptGrant({ tenant, connection: 'cn_no' }, adoption('gr_x')),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('freezing', () => {
  it('keeps the first date and tells it once', async () => {
    const { ref } = await connected(registry, tenant);
    const dates = await Promise.all([1, 2, 3].map(() => registry.connections.freeze(ref, event('connection.frozen'))));
    const later = await registry.connections.freeze(ref, event('connection.frozen'));
    expect(new Set([...dates, later]).size).toBe(1);
    expect(await registry.connections.get(ref)).toMatchObject({ frozenAt: later, usable: false });
    expect((await eventTypes(ref.connection)).filter((type) => type === 'connection.frozen')).toHaveLength(1);
  });

  it('stays when a later state says usable, or the adopted grant is adopted again', async () => {
    const { ref } = await connected(registry, tenant);
    await registry.connections.adoptGrant(ref, {
      token: token('gr_2', 1),
      grantedAt: at(0),
      thaw: false,
      event: event('consent.granted'),
    });
    await registry.connections.freeze(ref, event('connection.frozen'));
    await registry.connections.recordTransition(ref, projection(7, { usable: true }));
    await registry.connections.adoptGrant(ref, {
      token: token('gr_2', 1),
      grantedAt: at(0),
      thaw: false,
      event: event('consent.granted'),
    });
    expect(await registry.connections.get(ref)).toMatchObject({
      usable: false,
      frozenAt: expect.any(String),
      stateVersion: 7,
    });
  });

  it('ends with a new grant', async () => {
    const { ref } = await connected(registry, tenant);
    await registry.connections.freeze(ref, event('connection.frozen'));
    await registry.connections.adoptGrant(ref, {
      token: token('gr_3', 1),
      grantedAt: at(0),
      thaw: true,
      event: event('consent.granted'),
    });
    expect(await registry.connections.get(ref)).toMatchObject({ usable: true, frozenAt: null });
  });
});

describe('overdue', () => {
  const refOf = ({ tenant: at, connection }: { tenant: string; connection: string }) => ({ tenant: at, connection });

  it('names what is due and not frozen, oldest expiry first, deadlines of first consents too', async () => {
    const young = await connected(registry, tenant, { token: token('gr_y', 5), grant: 'gr_y', nextAttemptAt: at(0) });
    const old = await connected(registry, tenant, { token: token('gr_o', 2), grant: 'gr_o', nextAttemptAt: at(0) });
    const waiting = await connected(registry, tenant, {
      grant: null,
      token: undefined,
      state: 'pending_consent',
      nextAttemptAt: null,
      consentDeadline: at(0),
    });
    await connected(registry, tenant, { nextAttemptAt: at(2 * HOUR) });
    await connected(registry, tenant, { nextAttemptAt: null });
    const revoked = await connected(registry, tenant, { nextAttemptAt: at(0) });
    await registry.connections.freeze(revoked.ref, event('connection.frozen'));
    await registry.connections.recordRevoked(revoked.ref, event('grant.destroyed'), revoked.grant);
    const due = await registry.connections.overdue(at(HOUR), 10, [tenant]);
    expect(due.map(refOf)).toEqual([old.ref, young.ref, waiting.ref]);
    const pages = [];
    for (let last = undefined as (typeof due)[number] | undefined; ; last = pages.at(-1)) {
      const page = await registry.connections.overdue(at(HOUR), 1, [tenant], last);
      if (page.length === 0) break;
      pages.push(...page);
    }
    expect(pages).toEqual(due);
    expect(await registry.connections.overdue(at(HOUR), 10, ['nobody'])).toEqual([]);
    expect(await registry.connections.overdue(at(HOUR), 100)).toEqual(expect.arrayContaining(due));
  });

  it('names a revocation that was begun and not finished', async () => {
    const { ref, grant } = await connected(registry, tenant, { nextAttemptAt: at(0) });
    await registry.connections.freeze(ref, event('connection.frozen'));
    const later = new Date(Date.now() + HOUR).toISOString();
    expect(await registry.connections.overdue(new Date(Date.now() - HOUR).toISOString(), 10, [tenant])).toEqual([]);
    expect((await registry.connections.overdue(later, 10, [tenant])).map(refOf)).toEqual([ref]);
    await registry.connections.recordRevoked(ref, event('grant.destroyed'), grant);
    await registry.connections.recordRevoked(ref, event('grant.destroyed'), grant);
    expect(await registry.connections.overdue(later, 10, [tenant])).toEqual([]);
    expect((await eventTypes(ref.connection)).filter((type) => type === 'grant.destroyed')).toHaveLength(1);
  });

  it('records no revocation of a connection that was thawed meanwhile, and forgets the one before', async () => {
    const { ref, grant } = await connected(registry, tenant);
    await registry.connections.freeze(ref, event('connection.frozen'));
    await registry.connections.recordRevoked(ref, event('grant.destroyed'), grant);
    await registry.connections.adoptGrant(ref, {
      token: token('gr_5', 1),
      grantedAt: at(0),
      thaw: true,
      event: event('x.y'),
    });
    await registry.connections.recordRevoked(ref, event('grant.destroyed'), grant);
    expect(await registry.connections.get(ref)).toMatchObject({ frozenAt: null, revokingSince: null });
  });
});
