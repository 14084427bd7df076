/** What an embedded database with its one session cannot show: transactions that meet, on a real PostgreSQL. */
import { Client } from 'pg';
import { clientSecretRef, grantRef } from '../../src/connection/ids';
import { isDurableOAuthError } from '../../src/errors';
import type { Registry } from '../../src/registry/contract';
import { openRegistry } from '../../src/registry/open';
import { startScriptedProvider } from '../../src/testing/scripted-provider';
import { codes, count, MANY, times } from '../support/at-once';
import { testDatabase, type TestDatabase } from '../support/database';
import { eventually, Harness } from '../support/harness';
import { save } from '../support/scenes';
import { at, connected, event, fresh, newTenant, projection, registration, token } from '../unit/registry/builders';

const ROUNDS = 25;

describe('the registry', () => {
  let database: TestDatabase;
  let registry: Registry;
  let tenant: string;

  beforeAll(async () => {
    database = await testDatabase();
    registry = await openRegistry({ url: database.url });
  });
  afterAll(async () => {
    await registry?.close();
    await database?.stop();
  });
  beforeEach(async () => {
    tenant = await newTenant(registry);
  });

  it('of 20 saves under one id one is registered, and 19 are told that it is taken', async () => {
    const [integration, connection] = [fresh('in'), fresh('cn')];
    const outcomes = codes(
      await times(MANY, () => registry.integrations.register(registration(tenant, { integration, connection }))),
    );
    expect([count(outcomes, 'ok'), count(outcomes, 'ALREADY_EXISTS')]).toEqual([1, MANY - 1]);
    expect(await registry.connections.list(tenant, { size: 50 })).toHaveLength(1);
    expect(await registry.events.list(tenant, connection, { size: 50 })).toHaveLength(1);
  });

  it('one save that 20 workers repeat is registered once and told once', async () => {
    const saved = registration(tenant);
    expect(count(codes(await times(MANY, () => registry.integrations.register(saved))), 'ok')).toBe(MANY);
    expect(await registry.events.list(tenant, saved.connection, { size: 50 })).toHaveLength(1);
  });

  it('a pasted refresh token is reserved by one of 20', async () => {
    const outcomes = codes(
      await times(MANY, (index) => registry.fingerprints.reserve(tenant, 'fingerprint', `cn_${index}`)),
    );
    expect(count(outcomes, 'ok')).toBe(1);
  });

  it('an idempotency key is had by one of 20 requests', async () => {
    const request = { tenant, principal: 'dev@test', path: '/x', key: fresh('key'), bodyHash: 'hash' };
    const outcomes = await Promise.all(Array.from({ length: MANY }, () => registry.idempotency.claim(request)));
    expect(outcomes.filter((one) => one === undefined)).toHaveLength(1);
    expect(outcomes.filter(Boolean)).toEqual(
      Array.from({ length: MANY - 1 }, () => expect.objectContaining({ bodyHash: 'hash', status: null })),
    );
  });

  it('removing an integration against using its client: never both', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { saved } = await connected(registry, tenant);
      const second = registration(tenant, { client: saved.client });
      const [, used] = codes(
        await Promise.allSettled([
          registry.integrations.remove(tenant, saved.integration, event('integration.removed')),
          registry.integrations.register(second),
        ]),
      );
      const client = await registry.oauthClients.get(tenant, saved.client.id);
      const inUse = (await registry.integrations.get(tenant, second.integration)) !== undefined;
      expect({ round, inUse, client: inUse ? client !== undefined : true }).toEqual({ round, inUse, client: true });
      expect(inUse).toBe(used === 'ok');
    }
  });

  it.each([false, true])('freezing against adopting (thaw: %s): never by halves', async (thaw) => {
    for (let round = 0; round < ROUNDS; round++) {
      const { ref, grant: former } = await connected(registry, tenant);
      const grant = fresh('gr');
      const adoption = { token: token(grant, 1), grantedAt: at(0), thaw, event: event('grant.adopted') };
      const [adopted] = codes(
        await Promise.allSettled([
          registry.connections.adoptGrant(ref, adoption),
          registry.connections.freeze(ref, event('connection.frozen')),
          registry.connections.recordTransition(ref, projection(1)),
        ]),
      );
      const row = await registry.connections.get(ref);
      // Consented to before the freeze: whoever came first, the connection stays frozen.
      if (!thaw)
        expect([row?.frozenAt === null, ['ok', 'REVOKED_HERE']]).toEqual([false, expect.arrayContaining([adopted])]);
      expect(row?.grantId).toBe(adopted === 'ok' ? grant : former);
      expect(row?.usable).toBe(row?.frozenAt === null);
      expect(row?.revokingSince === null).toBe(row?.frozenAt === null);
    }
  });

  it('token facts and states end at the newest, in whatever order they come', async () => {
    const { ref, grant } = await connected(registry, tenant);
    await times(MANY, async (index) => {
      await registry.connections.recordToken(ref, token(grant, index + 2), at(0), null);
      await registry.connections.recordTransition(ref, projection(index + 1));
    });
    expect(await registry.connections.get(ref)).toMatchObject({ generation: MANY + 1, stateVersion: MANY });
  });

  it('a consent link grants ten attempts to 20 browsers', async () => {
    const { ref } = await connected(registry, tenant);
    const id = fresh('cl');
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    await registry.consentLinks.create({
      ...ref,
      id,
      tokenHash: id,
      createdBy: 'dev@test',
      expiresAt,
    });
    const granted = await Promise.all(
      Array.from({ length: MANY }, () => registry.consentLinks.startAttempt(tenant, id)),
    );
    expect(granted.filter(Boolean)).toHaveLength(10);
  });

  it('of two administrators who remove each other’s role at once one stays', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const where = await newTenant(registry);
      const grants = await Promise.all(['ann', 'bob'].map((name) => administrator(where, name)));
      const outcomes = codes(
        await Promise.allSettled(
          grants.map((id) => registry.roleGrants.remove(where, id, event('role_grant.removed'))),
        ),
      );
      expect(outcomes.sort()).toEqual(['IN_USE', 'ok']);
      expect(await registry.roleGrants.list(where, { size: 50 })).toHaveLength(1);
    }
  });

  it('a follower of events waits for a transaction that holds an earlier place, and then gets both in their order', async () => {
    const follow = async (after?: string): Promise<string[]> =>
      (await registry.events.settledAfter(tenant, after, 50)).map(({ type }) => type);
    await registry.events.append(tenant, null, event('first'));
    const first = await eventually(
      'the first event',
      () => registry.events.newestSettled(tenant),
      (id) => id !== undefined,
    );
    const slow = new Client({ connectionString: database.url });
    await slow.connect();
    try {
      await slow.query('BEGIN');
      await slow.query(
        `INSERT INTO connection_events (tenant, id, type, by, trace_id) VALUES ($1, $2, 'slow', 'system', 'tr_1')`,
        [tenant, fresh('ev')],
      );
      await registry.events.append(tenant, null, event('quick'));
      const shown = await registry.events.list(tenant, undefined, { size: 50 });
      expect(shown.map(({ type }) => type)).toEqual(['first', 'quick']);
      expect([await follow(first), await registry.events.newestSettled(tenant)]).toEqual([[], first]);
      await slow.query('COMMIT');
    } finally {
      await slow.end();
    }
    await eventually(
      'both',
      () => follow(first),
      (types) => types.length === 2,
    );
    expect(await follow(first)).toEqual(['slow', 'quick']);
  });

  async function administrator(where: string, name: string): Promise<string> {
    const { id: principal } = await registry.principals.ensure(where, `${name}@example.com`);
    const rights = { principalTenant: where, principal, role: 'tenant_admin', permission: null, grantedBy: 'system' };
    const { id } = await registry.roleGrants.create(
      { id: fresh('rg'), tenant: where, ...rights },
      event('role_grant.created'),
    );
    return id;
  }
});

it('000-22 20 equal saves through the whole product: one connection, and no secret in the vault that no row names', async () => {
  const provider = await startScriptedProvider({ clients: { robot: { secret: 'robot-secret-canary' } } });
  const harness = await Harness.start({ tuning: { jitter: 0 }, secrets: () => provider.issuedSecrets() });
  try {
    const scene = {
      at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
      clientSecret: 'robot-secret-canary',
      change: { client_id: 'robot', endpoints: provider.endpoints },
      integration: 'in_same',
    };
    const settled = await times(MANY, () => save(harness, scene));
    const outcomes = settled.map((one) =>
      one.status === 'fulfilled' ? one.value.kind : isDurableOAuthError(one.reason) ? one.reason.code : 'foreign',
    );
    expect(count(outcomes, 'saved')).toBe(1);
    expect(count(outcomes, 'saved') + count(outcomes, 'failed') + count(outcomes, 'SAVE_IN_PROGRESS')).toBe(MANY);
    const rows = await harness.parts.registry.connections.list(harness.tenant, { size: 50 });
    expect(rows).toHaveLength(1);
    const { connection, client } = (await harness.parts.registry.connections.context({
      tenant: harness.tenant,
      connection: rows[0]!.id,
    }))!;
    const held: string[] = [];
    for await (const ref of harness.parts.vault.list('grant/')) held.push(ref);
    for await (const ref of harness.parts.vault.list('client/')) held.push(ref);
    const of = { tenant: harness.tenant, connection: connection.id };
    expect(held.sort()).toEqual([
      clientSecretRef(harness.tenant, client.id, client.secretId ?? ''),
      grantRef(of, connection.grantId ?? ''),
    ]);
    await harness.judge();
  } finally {
    await harness.stop();
    await provider.stop();
  }
}, 180_000);
