/** What people do with a connection: refresh it, test it, look at what a revocation would stop. */
import { Client } from 'pg';
import type { IntegrationSettings } from '../../src/connection/messages';
import type { FailureClass } from '../../src/errors';
import { DurableOAuthError } from '../../src/errors';
import { OAuthFailure } from '../../src/oauth/failure';
import { settings } from '../support/settings';
import { ACCESS_TOKEN, call, seedConnection, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/connections';
const AT = { issuer: 'https://shop.test', apiUrl: 'https://api.shop.test/v1' };
const IDENTITY = 'https://shop.test/userinfo';

let t: TestApp;
let auth: string;

const seed = (integration: string, change: Partial<IntegrationSettings> = {}, tenant = 'acme') =>
  seedConnection(t.registry, { tenant, integration, settings: settings(AT, change) }, `cn_${integration}`);

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
  await t.bearer('other');
  await seed('plain');
  await seed('known', { endpoints: { token: 'https://shop.test/token', identity: IDENTITY } });
  await seed('consented', { grant_type: 'authorization_code', scope: 'read' });
  await seed('gone');
  await seed('foreign', {}, 'other');
  await t.registry.connections.freeze(
    { tenant: 'acme', connection: 'cn_gone' },
    { type: 'connection.frozen', by: 'ops', traceId: 'test' },
  );
});
afterAll(() => t.stop());
beforeEach(() => {
  t.connections.asked.length = 0;
  t.connections.fresh = {};
  t.tokens.failure = undefined;
  t.identity.asked.length = 0;
  t.identity.failure = undefined;
  t.api.sent.length = 0;
  t.api.answers = [];
});

const post = (id: string, what: string, headers: Record<string, string> = {}, by = auth) =>
  call(t, 'POST', `${PATH}/${id}/${what}`, { auth: by, headers });
const eventsOf = async (id: string) => t.registry.events.list('acme', id, { size: 100 });

describe('a refresh', () => {
  it('is asked of the connection in the name of the caller, and its outcome said in words, without a token', async () => {
    t.connections.fresh = {
      generation: 1,
      expiresAt: '2026-07-01T11:00:00.000Z',
      nextAttemptAt: '2026-07-01T10:55:00.000Z',
    };
    const answer = await post('cn_plain', 'refreshes');
    expect(answer.statusCode).toBe(200);
    expect(answer.json().data).toMatchObject({
      type: 'refresh',
      id: 'cn_plain',
      attributes: {
        outcome: 'refreshed',
        text: 'Shop renewed the access. It is valid until 2026-07-01 11:00 UTC.',
        state: 'active',
        generation: 1,
        expires_at: '2026-07-01T11:00:00.000Z',
        next_attempt_at: '2026-07-01T10:55:00.000Z',
      },
    });
    expect(t.connections.asked).toMatchObject([
      {
        ref: { tenant: 'acme', connection: 'cn_plain' },
        ask: { generation: 0, why: 'asked' },
        caller: { by: 'ops@acme.test' },
      },
    ]);
  });

  it('that is not made says so, and what to do, in the language asked for', async () => {
    t.connections.fresh = { state: 'degraded', nextAttemptAt: '2999-01-01T00:00:00.000Z' };
    const { attributes } = (await post('cn_plain', 'refreshes', { 'accept-language': 'es' })).json().data;
    expect(attributes).toMatchObject({ outcome: 'not_refreshed', text: 'El acceso no se renovó.' });
    expect(attributes.next_action).not.toBe('');
  });

  it('of a revoked connection, a foreign one, or without permission, asks nobody', async () => {
    const reader = await t.bearer('acme', 'tenants.connections.get');
    const answers = [
      await post('cn_gone', 'refreshes'),
      await post('cn_foreign', 'refreshes'),
      await post('cn_plain', 'refreshes', {}, reader),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([409, 404, 403]);
    expect(t.connections.asked).toEqual([]);
  });

  it('is 503 while Temporal is away', async () => {
    t.connections.fresh = new DurableOAuthError('TEMPORAL_UNAVAILABLE');
    expect((await post('cn_plain', 'refreshes')).statusCode).toBe(503);
  });
});

describe('a test of a connection', () => {
  const failure = (kind: FailureClass, httpStatus?: number): OAuthFailure =>
    new OAuthFailure('Asking for the account', { class: kind, code: 'GRANT_REFUSED', sent: true, httpStatus });
  const outcome = async (id: string): Promise<unknown> => (await post(id, 'tests')).json().data.attributes;

  it('asks the identity endpoint with the newest token, where there is one, and stores nothing but an event', async () => {
    const answer = await post('cn_known', 'tests');
    expect(answer.json().data).toMatchObject({
      type: 'test',
      attributes: { outcome: 'works', asked: 'identity_endpoint', http_status: 200, text: 'Shop accepted our access.' },
    });
    expect(t.identity.asked).toMatchObject([
      { token: ACCESS_TOKEN, target: { identityUrl: IDENTITY, audience: ['https://crm.test'] } },
    ]);
    expect(t.identity.asked[0]?.target).not.toHaveProperty('clientSecret', expect.anything());
    expect(t.api.sent).toEqual([]);
    const row = await t.registry.connections.get({ tenant: 'acme', connection: 'cn_known' });
    expect([row?.state, row?.accountId]).toEqual(['active', null]);
    expect((await eventsOf('cn_known')).at(-1)).toMatchObject({
      type: 'connection.tested',
      by: 'ops@acme.test',
      facts: { outcome: 'works', asked: 'identity_endpoint', http_status: 200 },
    });
    expect(answer.body).not.toContain(ACCESS_TOKEN);
  });

  it('else sends HEAD to the base URL of the API that the token is for, once, whatever the answer', async () => {
    t.api.answers = [{ status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' }, body: '' }];
    expect(await outcome('cn_plain')).toMatchObject({ outcome: 'refused', asked: 'api', http_status: 401 });
    expect(t.api.sent).toMatchObject([
      { request: { method: 'HEAD', url: 'https://api.shop.test/v1/' }, token: ACCESS_TOKEN },
    ]);
    expect(t.connections.asked).toEqual([]);
  });

  it.each([
    [200, 'works'],
    [204, 'works'],
    [302, 'works'],
    [401, 'refused'],
    [403, 'not_permitted'],
    [404, 'unproven'],
    [405, 'unproven'],
    [429, 'failing'],
    [500, 'failing'],
  ])('HTTP %i of the API: %s', async (status, expected) => {
    t.api.answers = [{ status, headers: {}, body: '' }];
    expect(await outcome('cn_plain')).toMatchObject({ outcome: expected, http_status: status });
  });

  it.each([
    [failure('REAUTH', 401), { outcome: 'refused', http_status: 401 }],
    [failure('TRANSIENT', 503), { outcome: 'failing', http_status: 503 }],
    [failure('TRANSIENT'), { outcome: 'unreachable', asked: 'identity_endpoint' }],
    [failure('BLOCKED'), { outcome: 'not_sent', asked: 'nothing' }],
  ])('%o of the identity endpoint: %o', async (given, expected) => {
    t.identity.failure = given;
    expect(await outcome('cn_known')).toMatchObject(expected);
  });

  it('without access sends nothing, and says so; in Spanish too', async () => {
    t.tokens.failure = new DurableOAuthError('CONSENT_NEEDED');
    const { attributes } = (await post('cn_plain', 'tests', { 'accept-language': 'es' })).json().data;
    expect(attributes).toMatchObject({ outcome: 'not_sent', asked: 'nothing', code: 'CONSENT_NEEDED' });
    expect(attributes.text).toContain('No se envió nada a Shop');
    expect(t.api.sent).toEqual([]);
  });

  it('001-03 of a provider that the tenant made is as one of a shipped preset', async () => {
    const event = { type: 'provider.created', by: 'ops', traceId: 'test' };
    const endpoints = { token: 'https://shop.test/token' };
    const preset = { name: 'pv_pizza', title: 'Pizzavan', endpoints, lifetime: { absolute_limit_seconds: 3600 } };
    await t.registry.providers.create({ tenant: 'acme', id: preset.name, base: null, preset, event });
    const own = settings(AT, { preset: preset.name, grant_type: 'authorization_code', scope: 'read' });
    const saved = { tenant: 'acme', integration: 'own', settings: own };
    const granted = { grant: 'gr_1', state: 'active', grantedAt: '2026-07-01T10:00:00.000Z' } as const;
    await seedConnection(t.registry, saved, 'cn_own', granted);
    expect(await outcome('cn_own')).toMatchObject({ outcome: 'works', asked: 'api', http_status: 200 });
    const shown = await call(t, 'GET', `${PATH}/cn_own`, { auth });
    expect(shown.json().data.attributes.authorization_ends_at).toBe('2026-07-01T11:00:00.000Z');
  });

  it('is 503 while the vault is away: that is no outcome of the connection', async () => {
    t.tokens.failure = new DurableOAuthError('VAULT_UNAVAILABLE');
    expect((await post('cn_plain', 'tests')).statusCode).toBe(503);
  });
});

describe('the impact of a revocation', () => {
  beforeAll(async () => {
    const client = new Client({ connectionString: t.databaseUrl });
    await client.connect();
    await client.query(`INSERT INTO flows (tenant, id, name, status, schedule, version) VALUES
      ('acme', 'hourly', 'Orders', 'running', '0 * * * *', 1), ('acme', 'daily', 'Stock', 'stopped', NULL, 1)`);
    await client.query(`INSERT INTO flow_versions (tenant, flow, version, created_by) VALUES
      ('acme', 'hourly', 1, 'ann'), ('acme', 'daily', 1, 'ann')`);
    await client.query(`INSERT INTO flow_connections (tenant, flow, version, connection) VALUES
      ('acme', 'hourly', 1, 'cn_consented'), ('acme', 'daily', 1, 'cn_consented')`);
    await client.end();
    const waiter = { tenant: 'acme', connection: 'cn_consented', workflow: 'flow/1', activity: '5' };
    await t.registry.waiters.park({ ...waiter, taskToken: Buffer.from('task') });
  });
  const impact = async (id: string, headers: Record<string, string> = {}) =>
    (await call(t, 'GET', `${PATH}/${id}/impact`, { auth, headers })).json().data.attributes;

  it('004-12 names the flows that stop, with their schedules, and the steps that wait', async () => {
    const found = await impact('cn_consented');
    expect(found.flows).toEqual([
      { id: 'daily', name: 'Stock', status: 'stopped', schedule: null },
      { id: 'hourly', name: 'Orders', status: 'running', schedule: '0 * * * *' },
    ]);
    expect(found).toMatchObject({ waiting: 1, fallback: 'pause' });
    expect(found.stops).toBe(
      'Flows that include this connection: 2. Flows that use it wait and continue at the very step where they stopped. Steps that wait for it now, and go on waiting: 1.',
    );
    expect(await impact('cn_plain')).toMatchObject({
      flows: [],
      waiting: 0,
      stops: 'No flow includes this connection.',
    });
  });

  it('004-13 says which data stays, in the language asked for; and the history does', async () => {
    expect((await impact('cn_consented')).stays).toContain('History, events and records of runs stay readable.');
    expect((await impact('cn_consented', { 'accept-language': 'es' })).stays).toContain('siguen siendo legibles');
    const gone = await call(t, 'GET', `${PATH}/cn_gone`, { auth });
    expect([gone.statusCode, (await eventsOf('cn_gone')).map(({ type }) => type)]).toEqual([
      200,
      ['integration.saved', 'connection.frozen'],
    ]);
  });

  it('004-14 lists who can reconnect; another one gets 403', async () => {
    const ann = await t.bearerOf({ tenant: 'acme', email: 'ann@acme.test', roles: ['support'] });
    const eve = await t.bearerOf({ tenant: 'acme', email: 'eve@acme.test', roles: ['partner'] });
    const { who_can_reconnect: who } = await impact('cn_consented');
    expect(who).toEqual(['ann@acme.test', 'ops@acme.test']);
    expect((await post('cn_consented', 'consent-links', {}, ann)).statusCode).toBe(201);
    expect((await post('cn_consented', 'consent-links', {}, eve)).statusCode).toBe(403);
    expect(await impact('cn_plain')).toMatchObject({ who_can_reconnect: [] });
  });

  it('is what a revocation with ?preview=true answers, and nothing is done', async () => {
    t.connections.revocations.length = 0;
    const preview = await call(t, 'POST', `${PATH}/cn_consented/revocations?preview=true`, { auth });
    expect([preview.statusCode, preview.json().data.type]).toEqual([200, 'impact']);
    expect(preview.json().data.attributes).toEqual(await impact('cn_consented'));
    expect(t.connections.revocations).toEqual([]);
    expect(await t.registry.connections.get({ tenant: 'acme', connection: 'cn_consented' })).toMatchObject({
      frozenAt: null,
    });
    expect((await call(t, 'POST', `${PATH}/cn_consented/revocations?preview=yes`, { auth })).statusCode).toBe(400);
    expect(t.connections.revocations).toEqual([]);
    const done = await call(t, 'POST', `${PATH}/cn_consented/revocations`, { auth });
    expect([done.json().data.type, t.connections.revocations]).toEqual(['revocation', ['acme/cn_consented']]);
  });
});
