/** OAuth clients of components on a real PostgreSQL: those who want the same thing at once, and those who want opposites. */
import pino from 'pino';
import type { Ports } from '../../src/compose';
import { issueKey } from '../../src/cli/create-key';
import { buildApp } from '../../src/http/app';
import type { Registry } from '../../src/registry/contract';
import { openRegistry } from '../../src/registry/open';
import { startScriptedProvider } from '../../src/testing/scripted-provider';
import { codes, count, MANY, times } from '../support/at-once';
import { testDatabase, type TestDatabase } from '../support/database';
import { Harness } from '../support/harness';
import { call } from '../http/support';
import { component, event, flow, fresh, manifest, newTenant, oauth2 } from '../unit/registry/builders';

const ROUNDS = 40;

describe('in the registry', () => {
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

  const publish = (id: string, of: string, secret = fresh('sec')) =>
    registry.oauthClients.publish({
      tenant,
      id,
      component: of,
      clientId: 'app',
      secret: { id: secret, fingerprint: 'ab12cd34' },
      event: { ...event('oauth_client.changed'), facts: { secret } },
    });
  async function published(of: string): Promise<string> {
    const id = fresh('oc');
    const secret = fresh('sec');
    await registry.oauthClients.reserve({ tenant, id, component: of, clientId: 'app', secret, legacy: false });
    await publish(id, of, secret);
    return id;
  }
  /** Both at once; which of them is sent first changes from round to round. */
  async function both(round: number, one: () => Promise<unknown>, other: () => Promise<unknown>): Promise<string[]> {
    if (round % 2 === 0) return codes(await Promise.allSettled([one(), other()]));
    return codes(await Promise.allSettled([other(), one()])).reverse();
  }

  it.each(['made', 'changed'])('002-28 deleting a client against a flow that is %s: never both', async (how) => {
    for (let round = 0; round < ROUNDS; round++) {
      const of = await component(registry, tenant);
      const client = await published(of);
      const id = how === 'changed' ? await flow(registry, tenant) : fresh('fl');
      const include = (): Promise<unknown> =>
        how === 'changed'
          ? registry.flows.change(tenant, id, { components: [of] }, event('flow.changed'))
          : flow(registry, tenant, { id, components: [of] });
      const outcomes = await both(
        round,
        () => registry.oauthClients.markDeleting(tenant, client, event('oauth_client.deleting')),
        include,
      );
      const left = (await registry.oauthClients.getForComponent(tenant, client)) !== undefined;
      const includes = (await registry.flows.get(tenant, id))?.components.includes(of) ?? false;
      expect({ round, outcomes, left, includes }).toEqual({
        round,
        outcomes: left ? ['IN_USE', 'ok'] : ['ok', 'OAUTH_CLIENT_MISSING'],
        left,
        includes: left,
      });
    }
  });

  it('removing a component against a flow that is made: the flow came first, or is refused', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const of = await component(registry, tenant);
      await published(of);
      const [removed, made] = await both(
        round,
        () => registry.components.remove(tenant, of, event('component.removed')),
        () => flow(registry, tenant, { components: [of] }),
      );
      expect(removed).toBe('ok');
      expect(['ok', 'NOT_FOUND']).toContain(made);
      const types = (await registry.events.list(tenant, undefined, { size: 1000 })).map(({ type }) => type);
      const [last, before] = types.reverse();
      if (made === 'ok') expect([before, last]).toEqual(['flow.created', 'component.removed']);
    }
  });

  it('of two changes of one client at once the later secret is current, the other retired, and none is lost', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const of = await component(registry, tenant);
      const client = await published(of);
      const [first] = await registry.oauthClients.secretIds(tenant, client);
      const secrets = [fresh('sec'), fresh('sec')];
      expect(codes(await Promise.allSettled(secrets.map((secret) => publish(client, of, secret))))).toEqual([
        'ok',
        'ok',
      ]);
      const current = (await registry.oauthClients.get(tenant, client))?.secretId;
      const events = await registry.events.list(tenant, undefined, { size: 1000 });
      expect(current).toBe(events.at(-1)?.facts?.secret);
      const all = await registry.oauthClients.secretIds(tenant, client);
      expect([...all].sort()).toEqual([first, ...secrets].sort());
      const retired = await registry.oauthClients.retiredSecrets(new Date(Date.now() + 60_000).toISOString(), 1000);
      expect(
        retired
          .filter((one) => one.client === client)
          .map(({ id }) => id)
          .sort(),
      ).toEqual(all.filter((id) => id !== current).sort());
    }
  });

  it('versions that move an endpoint against a client that changes component: nobody waits for ever, the later one holds', async () => {
    const components = [await component(registry, tenant), await component(registry, tenant)];
    const client = await published(components[0] ?? '');
    const move = (id: string, round: number): Promise<unknown> => {
      const moved = manifest({ oauth2: oauth2(`https://moved-${round}.example`) });
      const version = { tenant, id, title: 'Moved', file: '{}', manifest: moved };
      return registry.components.addVersion({ ...version, event: event('component.version_added') });
    };
    for (let round = 0; round < ROUNDS; round++) {
      const next = components[(round + 1) % 2] ?? '';
      const outcomes = await Promise.allSettled([
        ...components.map((id) => move(id, round)),
        publish(client, next),
        ...components.map((id) => move(id, round + ROUNDS)),
      ]);
      expect(codes(outcomes)).toEqual(Array<string>(5).fill('ok'));
      const row = await registry.oauthClients.getForComponent(tenant, client);
      const types = (await registry.events.list(tenant, undefined, { size: 1000 })).map(({ type }) => type);
      const last = types.filter((type) => type.startsWith('oauth_client.')).at(-1);
      expect({ round, component: row?.component, last }).toEqual({
        round,
        component: next,
        last: row?.suspendedAt === null ? 'oauth_client.changed' : 'oauth_client.suspended',
      });
    }
  });

  it('002-38 becoming global against taking credentials of env vars: never both', async () => {
    const legacy = manifest({ useOAuthClient: false, legacyOAuth: true });
    for (let round = 0; round < ROUNDS; round++) {
      const of = await component(registry, tenant, { manifest: legacy });
      const client = { tenant, id: fresh('oc'), component: of, clientId: 'app', secret: fresh('sec'), legacy: true };
      const outcomes = await both(
        round,
        () => registry.oauthClients.reserve(client),
        () => registry.components.setAccess(tenant, of, 'global', null, event('component.access_changed')),
      );
      expect([round, ...outcomes.sort()]).toEqual([round, 'IN_USE', 'ok']);
    }
  });
});

it('002-17 20 concurrent POSTs through the whole product: one 201, nineteen 409, and no write to the vault by those', async () => {
  const provider = await startScriptedProvider({ clients: { pizza: { secret: 'pizza-secret-canary' } } });
  const written: string[] = [];
  const destroyed: string[] = [];
  const decorate = (ports: Ports): Ports => {
    const { vault } = ports;
    const put: typeof vault.put = (ref, ...rest) => {
      if (ref.startsWith('client/')) written.push(ref);
      return vault.put(ref, ...rest);
    };
    const destroy: typeof vault.destroy = (ref) => {
      destroyed.push(ref);
      return vault.destroy(ref);
    };
    const { capabilities } = vault;
    const [latest, list] = [vault.latest.bind(vault), vault.list.bind(vault)];
    return {
      ...ports,
      vault: { capabilities, put, destroy, latest, list, checkWritable: () => vault.checkWritable() },
    };
  };
  const harness = await Harness.start({ tuning: { jitter: 0 }, decorate });
  const { parts, tenant } = harness;
  const app = buildApp({
    ...parts,
    config: { ...parts.config, callbackBase: parts.config.callbackUrl },
    log: pino({ level: 'silent' }),
  });
  try {
    const key = await issueKey(parts.registry, { tenant, email: 'ops@acme.example' });
    harness.tripwire.watch([key, 'pizza-secret-canary']);
    const of = await component(parts.registry, tenant, { manifest: manifest({ oauth2: oauth2(provider.issuer) }) });
    const body = {
      data: {
        type: 'oauth-client',
        attributes: { client_id: 'pizza', client_secret: 'pizza-secret-canary' },
        relationships: { component: { data: { type: 'component', id: of } } },
      },
    };
    const url = `/v2/tenants/${tenant}/oauth-clients`;
    const answers = await times(MANY, () => call({ app }, 'POST', url, { auth: `Bearer ${key}`, body }));
    const statuses = answers.map((one) => (one.status === 'fulfilled' ? String(one.value.statusCode) : 'none'));
    expect([count(statuses, '201'), count(statuses, '409')]).toEqual([1, MANY - 1]);
    const clients = await parts.registry.oauthClients.listForComponents(tenant, { component: of });
    expect(written).toEqual([`client/${tenant}/${clients[0]?.id}/${clients[0]?.secretId}`]);
    expect([clients.length, destroyed]).toEqual([1, []]);
    await harness.judge();
  } finally {
    await app.close();
    await harness.stop();
    await provider.stop();
  }
}, 180_000);
