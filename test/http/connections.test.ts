import type { IntegrationSettings } from '../../src/connection/messages';
import type { Projection } from '../../src/registry/contract';
import { sha256 } from '../../src/client/cookies';
import { settings } from '../support/settings';
import { call, seedConnection, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/connections';
const AT = { issuer: 'https://shop.test', apiUrl: 'https://api.shop.test' };

let t: TestApp;
let auth: string;

const seed = (integration: string, change: Partial<IntegrationSettings> = {}, tenant = 'acme') =>
  seedConnection(t.registry, { tenant, integration, settings: settings(AT, change) }, `cn_${integration}`);

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
  await t.bearer('other');
  await seed('a1');
  await seed('b2', {
    grant_type: 'authorization_code',
    scope: 'read',
    redirect_uri: 'https://connect.test/callback/acme.b2',
  });
  await seed('c3', { customer_reference: 'customer-7' });
  await seed('foreign', {}, 'other');
  await t.registry.connections.recordTransition({ tenant: 'acme', connection: 'cn_c3' }, degraded);
});
afterAll(() => t.stop());

const degraded: Projection = {
  stateVersion: 5,
  state: 'degraded',
  reason: 'PROVIDER_UNREACHABLE',
  since: '2026-07-01T10:00:00.000Z',
  nextAttemptAt: '2026-07-01T10:00:30.000Z',
  usable: true,
  evidence: {
    id: 'ev_1',
    at: '2026-07-01T10:00:00.000Z',
    class: 'TRANSIENT',
    httpStatus: 503,
    oauthError: 'temporarily_unavailable',
    requestId: 'r-1',
    attempt: 2,
  },
};

const read = (path: string, headers: Record<string, string> = {}) =>
  call(t, 'GET', `${PATH}${path}`, { auth, headers });
const idsOf = (document: { data: { id: string }[] }): string[] => document.data.map(({ id }) => id);

describe('reading a connection', () => {
  it('shows state, reason, evidence and what to do, in words and in facts', async () => {
    const { data } = (await read('/cn_c3')).json();
    expect(data).toMatchObject({
      type: 'connection',
      id: 'cn_c3',
      attributes: {
        state: 'degraded',
        reason: 'PROVIDER_UNREACHABLE',
        title: 'Shop does not answer',
        who: 'nobody',
        since: '2026-07-01T10:00:00.000Z',
        next_attempt_at: '2026-07-01T10:00:30.000Z',
        generation: 0,
        evidence: {
          id: 'ev_1',
          class: 'TRANSIENT',
          http_status: 503,
          oauth_error: 'temporarily_unavailable',
          request_id: 'r-1',
          attempt: 2,
        },
      },
      relationships: { integration: { data: { type: 'integration', id: 'c3' } } },
    });
    expect(data.attributes.text).toContain('Access still works, but the last attempt to renew it failed.');
  });

  it('speaks the language asked for, and says which one it speaks', async () => {
    const spanish = await read('/cn_c3', { 'accept-language': 'es' });
    expect(spanish.headers['content-language']).toBe('es');
    expect(spanish.json().data.attributes.title).toBe('Shop no responde');
    const french = await read('/cn_c3', { 'accept-language': 'fr' });
    expect([french.headers['content-language'], french.json().data.attributes.title]).toEqual([
      'en',
      'Shop does not answer',
    ]);
  });

  it('shows the redirect URI to register, and names nobody as owner of a machine connection', async () => {
    expect((await read('/cn_b2')).json().data.attributes.redirect_uri).toBe('https://connect.test/callback/acme.b2');
    const { attributes } = (await read('/cn_a1')).json().data;
    expect(Object.keys(attributes).filter((name) => /owner|user|password|account/.test(name))).toEqual([]);
  });

  it('003-01 asks for and shows no user name and no password, whatever the grant', async () => {
    const shown = JSON.stringify(
      [await read(''), await call(t, 'GET', '/v2/tenants/acme/integrations', { auth })].map((one) => one.json()),
    );
    expect(shown).not.toMatch(/"(user_?name|login|pass_?word)"/i);
    for (const name of ['username', 'login', 'password', 'passphrase']) {
      const body = { data: { type: 'integration', attributes: { [name]: 'x' } } };
      const { errors } = (await call(t, 'POST', '/v2/tenants/acme/integrations', { auth, body })).json();
      expect(errors).toContainEqual(
        expect.objectContaining({ code: 'MEMBER_INVALID', source: { pointer: `/data/attributes/${name}` } }),
      );
    }
  });

  it.each(['/cn_foreign', '/nothing', '/cn_a1%00'])('%s is 404: there is none for this tenant', async (path) => {
    expect((await read(path)).statusCode).toBe(404);
  });
});

describe('listing connections', () => {
  it('pages by cursor and shows the own tenant only', async () => {
    const first = (await read('?page[size]=2')).json();
    expect([idsOf(first), first.links.prev]).toEqual([['cn_a1', 'cn_b2'], null]);
    const second = (await call(t, 'GET', first.links.next, { auth })).json();
    expect([idsOf(second), second.links.next]).toEqual([['cn_c3'], null]);
  });

  it('filters by state, integration and customer reference, and keeps the filter on the next page', async () => {
    expect(idsOf((await read('?filter[state]=degraded')).json())).toEqual(['cn_c3']);
    expect(idsOf((await read('?filter[integration]=b2')).json())).toEqual(['cn_b2']);
    expect(idsOf((await read('?filter[tenant_id]=customer-7')).json())).toEqual(['cn_c3']);
    const page = (await read('?filter[state]=active&page[size]=1')).json();
    expect(page.links.next).toBeNull();
  });

  it('ignores an empty filter and says so', async () => {
    const { data, meta } = (await read('?filter[state]=')).json();
    expect(data).toHaveLength(3);
    expect(meta.warnings).toMatchObject([{ code: 'EMPTY_FILTER_IGNORED', parameter: 'filter[state]' }]);
  });

  it.each(['filter[state]=happy', 'filter[color]=red', 'page[size]=0', 'page[size]=1000', 'page[size]=x', 'sort=id'])(
    'refuses %s and names the parameter',
    async (query) => {
      const answer = await read(`?${query}`);
      expect([answer.statusCode, answer.json().errors[0].source]).toEqual([400, { parameter: query.split('=')[0] }]);
    },
  );

  it('answers with and without a slash at the end', async () => {
    expect((await read('/')).json()).toEqual((await read('')).json());
  });
});

describe('a consent link', () => {
  const make = (attributes?: Record<string, string>, id = 'cn_b2') =>
    call(t, 'POST', `${PATH}/${id}/consent-links`, {
      auth,
      body: attributes && { data: { type: 'consent-link', attributes } },
    });

  it('has 256 random bits, of which only the hash is stored, and lives 7 days', async () => {
    const answer = await make();
    expect(answer.statusCode).toBe(201);
    const { id, attributes } = answer.json().data;
    const token = attributes.url.replace('https://connect.test/oauth/start/', '');
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    const row = await t.registry.consentLinks.findByHash(sha256(token));
    expect(row).toMatchObject({
      id,
      tenant: 'acme',
      connection: 'cn_b2',
      createdBy: 'ops@acme.test',
      attempts: 0,
      returnTo: null,
    });
    const days = (Date.parse(attributes.expires_at) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.99);
    expect(days).toBeLessThanOrEqual(7);
    const events = await t.registry.events.list('acme', 'cn_b2', { size: 100 });
    expect(JSON.stringify(events)).not.toContain(token);
    expect(events).toContainEqual(expect.objectContaining({ type: 'consent_link.created', by: 'ops@acme.test' }));
  });

  it('leads back to a return origin, and nowhere else', async () => {
    expect((await make({ return_to: 'https://flows.test/7?step=2' })).statusCode).toBe(201);
    for (const return_to of [
      'https://evil.test/',
      'https:flows.test',
      '//flows.test',
      'https://flows.test@evil.test',
      '/\\evil.test',
    ]) {
      const answer = await make({ return_to });
      expect([answer.statusCode, answer.json().errors[0].source.pointer]).toEqual([422, '/data/attributes/return_to']);
    }
  });

  it('runs out when asked, within 30 days', async () => {
    const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
    expect((await make({ expires_at: inHours(1) })).statusCode).toBe(201);
    for (const expires_at of [inHours(-1), inHours(31 * 24), 'tomorrow']) {
      expect((await make({ expires_at })).statusCode).toBe(422);
    }
  });

  it('is for connections that need somebody to consent', async () => {
    expect((await make(undefined, 'cn_a1')).statusCode).toBe(422);
    expect((await make(undefined, 'cn_foreign')).statusCode).toBe(404);
  });
});

describe('a revocation', () => {
  const revoke = (id: string, headers: Record<string, string> = {}) =>
    call(t, 'POST', `${PATH}/${id}/revocations`, { auth, headers });

  it('is answered with what was done, in words, and can be repeated', async () => {
    const [first, again] = [await revoke('cn_a1'), await revoke('cn_a1', { 'accept-language': 'es' })];
    expect([first.statusCode, again.statusCode]).toEqual([200, 200]);
    const { attributes } = first.json().data;
    expect(attributes).toMatchObject({ provider: 'pending', by: 'ops@acme.test', title: 'Revoked here' });
    expect(attributes.text).toContain('ops@acme.test revoked it.');
    expect(again.json().data.attributes).toMatchObject({ frozen_at: attributes.frozen_at, title: 'Revocada aquí' });
  });

  it('of a connection of another tenant touches nothing', async () => {
    t.connections.revocations.length = 0;
    expect((await revoke('cn_foreign')).statusCode).toBe(404);
    expect(t.connections.revocations).toEqual([]);
  });

  it('a cursor or filter that no id can be is a bad request, not a failure', async () => {
    const auth = await t.bearer('acme', 'tenants.*');
    for (const [list, query] of [
      ['connections', 'page[after]=%00'],
      ['connections', 'page[after]=%ED%A0%80'],
      ['connections', 'filter[integration]=%00'],
      ['connections', 'filter[integration]=No%20Id'],
      ['connections', 'filter[tenant_id]=%00'],
      ['integrations', 'filter[tenant_id]=a%00b'],
    ]) {
      const answer = await call(t, 'GET', `/v2/tenants/acme/${list}?${query}`, { auth });
      expect([query, answer.statusCode]).toEqual([query, 400]);
      expect(answer.json()).toMatchObject({ errors: [{ source: { parameter: query?.split('=')[0] } }] });
    }
  });
});
