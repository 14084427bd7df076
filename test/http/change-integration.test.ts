/** Changing a saved integration: what is read at the next use, and what needs its client secret again. */
import { Client } from 'pg';
import { DurableOAuthError } from '../../src/errors';
import { call, CALLBACK, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/integrations';
const SECRET = 'cs-canary-4d2a9c';
const NEXT = 'cs-canary-8b1e70';

type Attributes = Record<string, unknown>;

const basic: Attributes = {
  label: 'Shop',
  grant_type: 'client_credentials',
  token_url: 'https://shop.test/token',
  revocation_url: 'https://shop.test/revoke',
  client_id: 'app-1',
  client_secret: SECRET,
  api_base_url: 'https://api.shop.test/v1',
  tenant_id: 'customer 7',
};
const code: Attributes = {
  ...basic,
  grant_type: 'authorization_code',
  authorization_url: 'https://shop.test/auth',
  scope: 'read',
};

let t: TestApp;
let auth: string;
let editor: string;
let made = 0;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
  editor = await t.bearer('acme', 'tenants.integrations.edit');
});
afterAll(() => t.stop());
beforeEach(async () => {
  t.oauthClients.changeOutcome = undefined;
  await owed();
});

/** Connections that are to be woken; asked once, they are not told again. */
async function owed(): Promise<string[]> {
  const effects = await t.registry.outbox.take(100, 60_000, ['acme']);
  for (const effect of effects) await t.registry.outbox.done(effect);
  return effects.map(({ kind, subject }) => `${kind} ${subject}`);
}

async function saved(attributes: Attributes = basic): Promise<string> {
  const id = `shop-${++made}`;
  const answer = await call(t, 'POST', PATH, { auth, body: { data: { type: 'integration', id, attributes } } });
  expect(answer.statusCode).toBe(201);
  return id;
}
const change = (id: string, attributes: Attributes, as = editor, extra = {}) =>
  call(t, 'PATCH', `${PATH}/${id}`, { auth: as, body: { data: { type: 'integration', ...extra, attributes } } });
const settingsOf = async (id: string) => (await t.registry.integrations.get('acme', id))?.settings;
const at = (name: string): string => `/data/attributes/${name}`;

/** Refused with one problem; nothing is changed and nobody woken. */
async function expectRefused(
  id: string,
  attributes: Attributes,
  [status, errorCode, pointer]: [number, string, string | undefined],
  as = editor,
): Promise<void> {
  const before = await settingsOf(id);
  const answer = await change(id, attributes, as);
  const { errors } = answer.json();
  expect([answer.statusCode, errors[0].code, errors[0].source?.pointer, errors.length]).toEqual([
    status,
    errorCode,
    pointer,
    1,
  ]);
  expect(await settingsOf(id)).toEqual(before);
  expect(await owed()).toEqual([]);
}

/** Rows that are made through other routes. */
async function sql(statement: string, values: readonly unknown[]): Promise<void> {
  const client = new Client({ connectionString: t.databaseUrl });
  await client.connect();
  try {
    await client.query(statement, [...values]);
  } finally {
    await client.end();
  }
}

describe('what needs no secret', () => {
  it('is changed at once, leaves the rest, tells an event, and wakes the connections', async () => {
    const id = await saved();
    const answer = await change(id, {
      label: 'Shop EU',
      scope: 'read, write',
      environment: 'sandbox',
      tenant_id: 'customer 8',
      policy: { fallback: 'skip', refresh_buffer_seconds: 600 },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().data.attributes).toMatchObject({
      label: 'Shop EU',
      scope: 'read write',
      environment: 'sandbox',
      tenant_id: 'customer 8',
      client_id: 'app-1',
      token_url: 'https://shop.test/token',
      policy: { refresh: 'proactive', fallback: 'skip', refresh_buffer_seconds: 600 },
    });
    const read = await call(t, 'GET', `${PATH}/${id}`, { auth });
    expect(read.json().data.attributes).toEqual(answer.json().data.attributes);
    expect(await owed()).toEqual([`connection.nudge cn_${id}`]);
    const events = await t.registry.events.list('acme', undefined, { size: 100 });
    expect(
      events.find(({ facts, type }) => type === 'integration.changed' && facts?.['integration'] === id),
    ).toMatchObject({
      by: 'ops@acme.test',
      facts: { members: ['label', 'scope', 'tenant_id', 'environment', 'policy'] },
    });
  });

  it('is removed by null where it is optional', async () => {
    const id = await saved();
    await expectRefused(id, { label: null }, [422, 'MEMBER_INVALID', at('label')]);
    const answer = await change(id, { tenant_id: null, revocation_url: null });
    expect(answer.statusCode).toBe(200);
    expect(await settingsOf(id)).not.toHaveProperty('customer_reference');
    expect((await settingsOf(id))?.endpoints).not.toHaveProperty('revocation');
  });

  it('is refused where the form would refuse it', async () => {
    const id = await saved(code);
    await expectRefused(id, { scope: '' }, [422, 'MEMBER_MISSING', at('scope')]);
    await expectRefused(id, { label: ' ' }, [422, 'MEMBER_INVALID', at('label')]);
    await expectRefused(id, { rotation: 'grace' }, [422, 'MEMBER_MISSING', at('rotation_grace_seconds')]);
    for (const name of ['grant_type', 'preset', 'redirect_uri', 'refresh_token', 'client_auth']) {
      await expectRefused(id, { [name]: 'x' }, [422, 'MEMBER_INVALID', at(name)]);
    }
  });

  it('wakes no connection that was revoked', async () => {
    const id = await saved();
    await t.connections.revoke({ tenant: 'acme', connection: `cn_${id}` }, 'over', { by: 'x', traceId: 'y' });
    expect((await change(id, { label: 'Old shop' })).statusCode).toBe(200);
    expect(await owed()).toEqual([]);
  });

  it('of several at once, none undoes another', async () => {
    const id = await saved();
    const names = [
      'refresh_buffer_seconds',
      'min_refresh_interval_seconds',
      'idle_limit_seconds',
      'absolute_limit_seconds',
    ];
    const answers = await Promise.all(names.map((name, index) => change(id, { policy: { [name]: index + 60 } })));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(names.map(() => 200));
    expect((await settingsOf(id))?.policy).toMatchObject(Object.fromEntries(names.map((name, i) => [name, i + 60])));
  });

  it('is of the integration of the path, which must be there, and needs its permission', async () => {
    const id = await saved();
    expect((await change(id, {}, editor, { id })).statusCode).toBe(200);
    const other = await change(id, {}, editor, { id: 'another' });
    expect([other.statusCode, other.json().errors[0].source.pointer]).toEqual([409, '/data/id']);
    expect((await change('nobody', { label: 'x' })).statusCode).toBe(404);
    const foreign = await t.bearer('other', 'tenants.*');
    expect((await change(id, { label: 'x' }, foreign)).statusCode).toBe(404);
    const creator = await t.bearer('acme', 'tenants.integrations.create', 'tenants.integrations.get');
    expect((await change(id, { label: 'x' }, creator)).statusCode).toBe(403);
  });
});

describe('endpoints', () => {
  it('may change their path', async () => {
    const id = await saved();
    const answer = await change(id, {
      token_url: 'https://shop.test/v2/token',
      api_base_url: 'https://api.shop.test/v2',
    });
    expect(answer.json().data.attributes).toMatchObject({
      token_url: 'https://shop.test/v2/token',
      api_base_url: 'https://api.shop.test/v2',
    });
  });

  it.each(['token_url', 'authorization_url', 'revocation_url', 'identity_url', 'issuer', 'api_base_url'])(
    '%s gets another origin only with a permission of its own, and the secret again',
    async (name) => {
      const id = await saved(code);
      const elsewhere = { [name]: 'https://evil.test/x' };
      await expectRefused(id, elsewhere, [403, 'FORBIDDEN', undefined]);
      const mover = await t.bearer('acme', 'tenants.integrations.edit', 'tenants.integrations.edit_endpoints');
      await expectRefused(id, elsewhere, [422, 'MEMBER_MISSING', at('client_secret')], mover);
      await expectRefused(id, { [name]: 'http://shop.test/x' }, [403, 'FORBIDDEN', undefined]);
    },
  );

  it('that nobody may have are refused', async () => {
    const id = await saved();
    const answer = await change(id, { token_url: 'https://127.0.0.1/token' }, auth);
    expect(answer.json().errors[0]).toMatchObject({ code: 'MEMBER_INVALID', source: { pointer: at('token_url') } });
  });

  it("of a provider's own redirect URI stay the provider's own (C13)", async () => {
    const id = await saved({
      label: 'CRM',
      grant_type: 'authorization_code',
      preset: 'crm',
      client_id: 'a',
      client_secret: SECRET,
    });
    await expectRefused(id, { token_url: 'https://crm.test/other' }, [422, 'MEMBER_INVALID', at('token_url')], auth);
    const same = { token_url: 'https://crm.test/token', scope: 'contacts.write' };
    expect((await change(id, same)).json().data.attributes).toMatchObject({
      scope: 'contacts.write',
      redirect_uri: CALLBACK,
    });
  });
});

describe('the OAuth client', () => {
  it('takes a new secret, proven and stored by a workflow; its id may be repeated', async () => {
    const id = await saved();
    const answer = await change(id, { client_id: 'app-1', client_secret: NEXT, label: 'Same client' });
    expect([answer.statusCode, answer.json().meta]).toEqual([200, { proven: 'token' }]);
    expect(answer.json().data.attributes).toMatchObject({ client_id: 'app-1', label: 'Same client' });
    const asked = t.oauthClients.changes.at(-1);
    expect(asked).toMatchObject({
      tenant: 'acme',
      integration: id,
      from: { label: 'Shop' },
      to: { label: 'Same client', client_id: 'app-1' },
      members: ['label', 'client_id', 'client_secret'],
    });
    expect(asked?.clientSecret.reveal()).toBe(NEXT);
    expect((await call(t, 'GET', `${PATH}/${id}`, { auth })).json().data).toEqual(answer.json().data);
    expect(await owed()).toEqual([`connection.nudge cn_${id}`]);
    // Once more is harmless.
    expect((await change(id, { client_secret: NEXT })).statusCode).toBe(200);
    expect(t.logged.join('') + answer.body).not.toContain(NEXT);
  });

  it('takes another client id only with the secret that belongs to it', async () => {
    const id = await saved();
    await expectRefused(id, { client_id: 'app-2' }, [422, 'MEMBER_MISSING', at('client_secret')]);
    await expectRefused(id, { client_secret: '***' }, [400, 'SECRET_MASKED', at('client_secret')]);
    const answer = await change(id, { client_id: 'app-2', client_secret: NEXT });
    expect([answer.statusCode, answer.json().data.attributes.client_id]).toEqual([200, 'app-2']);
    // Client credentials need nobody's consent.
    expect(answer.json().meta).toEqual({ proven: 'token' });
    const client = await t.registry.oauthClients.get('acme', `oc_${id}`);
    expect(client).toMatchObject({ clientId: 'app-2', secretId: `sec_change_${t.oauthClients.changes.length}` });
  });

  it('000-17 is as before when the provider refuses, in the words of a failed save', async () => {
    const id = await saved();
    t.oauthClients.changeOutcome = { kind: 'failed', code: 'CLIENT_REJECTED', oauthError: 'invalid_client' };
    await expectRefused(id, { client_secret: NEXT, label: 'x' }, [422, 'CLIENT_REJECTED', undefined]);
    const spanish = await call(t, 'PATCH', `${PATH}/${id}`, {
      auth: editor,
      body: { data: { type: 'integration', attributes: { client_secret: NEXT } } },
      headers: { 'accept-language': 'es' },
    });
    expect(spanish.json().errors[0]).toMatchObject({
      title: 'ID o secreto de cliente no aceptado',
      detail: expect.stringContaining('Shop no acepta'),
      meta: { oauth_error: 'invalid_client' },
    });
    t.oauthClients.changeOutcome = { kind: 'failed', code: 'PROVIDER_UNREACHABLE', retryAfterSeconds: 40 };
    const away = await change(id, { client_secret: NEXT });
    expect([away.statusCode, away.headers['retry-after']]).toEqual([503, '40']);
  });

  it('is answered with 202 when it takes long, with 409 while another change runs, with 412 when that one was faster', async () => {
    const id = await saved();
    t.oauthClients.changeOutcome = { kind: 'running' };
    const late = await change(id, { client_secret: NEXT });
    expect([late.statusCode, late.headers['retry-after'], late.headers.location]).toEqual([202, '5', `${PATH}/${id}`]);
    expect(late.json()).toEqual({ meta: { status: 'saving', integration: id } });
    t.oauthClients.changeOutcome = new DurableOAuthError('SAVE_IN_PROGRESS');
    await expectRefused(id, { client_secret: NEXT }, [409, 'SAVE_IN_PROGRESS', undefined]);
    t.oauthClients.changeOutcome = { kind: 'failed', code: 'PRECONDITION_FAILED' };
    await expectRefused(id, { client_secret: NEXT }, [412, 'PRECONDITION_FAILED', undefined]);
  });

  it('of whom people consented says how many must do so again', async () => {
    const id = await saved(code);
    const mover = await t.bearer('acme', 'tenants.integrations.edit', 'tenants.integrations.edit_endpoints');
    const elsewhere = { token_url: 'https://new.test/token', client_secret: NEXT };
    // Nobody has consented yet.
    expect((await change(id, elsewhere, mover)).json().meta).toEqual({ proven: 'token' });
    await sql(
      "UPDATE connections SET grant_id = 'gr_1', account_id = 'ann' WHERE tenant = $1 AND integration_id = $2",
      ['acme', id],
    );
    await owed();
    const path = await change(id, { token_url: 'https://new.test/v2/token', client_secret: NEXT }, mover);
    expect(path.json().meta).toEqual({ proven: 'token' });
    const answer = await change(id, { client_id: 'app-2', client_secret: NEXT });
    expect(answer.json().meta).toEqual({
      proven: 'token',
      warnings: [{ code: 'CONSENT_OUTDATED', detail: expect.stringContaining('1 connection needs a new consent') }],
    });
    // Another client of a server may be told another id for the same account.
    const connection = await t.registry.connections.get({ tenant: 'acme', connection: `cn_${id}` });
    expect(connection?.accountId).toBeNull();
    const effects = await t.registry.outbox.take(100, 60_000, ['acme']);
    expect(effects.map(({ facts }) => facts)).toEqual([{}, { refresh: true }]);
    for (const effect of effects) await t.registry.outbox.done(effect);
  });

  it('without a secret is changed without one', async () => {
    const id = await saved({ ...code, client_auth: 'none', client_secret: undefined });
    await expectRefused(id, { client_secret: NEXT }, [422, 'MEMBER_INVALID', at('client_secret')]);
    const before = t.oauthClients.changes.length;
    const answer = await change(id, { client_id: 'app-2', token_url: 'https://new.test/token' }, auth);
    expect([answer.statusCode, answer.json().meta]).toEqual([200, undefined]);
    expect(answer.json().data.attributes).toMatchObject({ client_id: 'app-2', token_url: 'https://new.test/token' });
    expect(t.oauthClients.changes).toHaveLength(before);
  });

  it('of a pasted refresh token takes a new secret, but neither another client id nor another token origin', async () => {
    const id = await saved({ ...basic, grant_type: 'refresh_token', refresh_token: 'rt-canary-7d' });
    expect((await change(id, { client_secret: NEXT })).statusCode).toBe(200);
    await owed();
    const other = { client_id: 'app-2', client_secret: NEXT };
    await expectRefused(id, other, [422, 'MEMBER_INVALID', at('client_id')]);
    const elsewhere = { token_url: 'https://new.test/token', client_secret: NEXT };
    await expectRefused(id, elsewhere, [422, 'MEMBER_INVALID', at('token_url')], auth);
  });

  it('is not changed under an If-Match that names another representation', async () => {
    const id = await saved();
    const patch = (tag: string) =>
      call(t, 'PATCH', `${PATH}/${id}`, {
        auth,
        body: { data: { type: 'integration', attributes: { client_secret: NEXT } } },
        headers: { 'if-match': tag },
      });
    const before = t.oauthClients.changes.length;
    expect((await patch('"another"')).statusCode).toBe(412);
    expect(t.oauthClients.changes).toHaveLength(before);
    const { headers } = await call(t, 'GET', `${PATH}/${id}`, { auth });
    const made = await patch(String(headers.etag));
    expect([made.statusCode, made.json().data.attributes.client_secret_set_at]).toEqual([200, expect.any(String)]);
    // Nothing but the secret is another one since.
    expect((await patch(String(headers.etag))).statusCode).toBe(412);
    // It is judged again where it is written: somebody may be faster than the proof.
    expect(t.oauthClients.changes.at(-1)?.base).toEqual({ secretId: null });
    const { secretId } = (await t.registry.integrations.get('acme', id)) ?? {};
    await change(id, { client_secret: NEXT });
    expect(t.oauthClients.changes.at(-1)?.base).toEqual({ secretId });
  });

  it.each([
    ['the integration', 'UPDATE integrations SET component = $1 WHERE tenant = $2 AND id = $3'],
    [
      'its OAuth client',
      `UPDATE oauth_clients SET component = $1 WHERE tenant = $2
       AND id = (SELECT oauth_client_id FROM integrations WHERE tenant = $2 AND id = $3)`,
    ],
  ])(
    "002-41 where %s belongs to a component, its client's members need the permission for OAuth clients",
    async (_whose, update) => {
      const id = await saved();
      const component = `component-${id}`;
      await sql('INSERT INTO components (id, tenant, title, access, version) VALUES ($1, $2, $1, $3, 1)', [
        component,
        'acme',
        'tenant',
      ]);
      await sql(update, [component, 'acme', id]);
      const admin = await t.bearer('acme', 'tenants.integrations.*', 'tenants.connections.*', 'tenants.providers.*');
      for (const attributes of [
        { client_id: 'stolen' },
        { client_secret: 'cs-canary-6f' },
        { token_url: 'https://shop.test/other' },
        { token_url: 'https://evil.test/token' },
      ]) {
        await expectRefused(id, attributes, [403, 'FORBIDDEN', undefined], admin);
      }
      expect((await change(id, { label: 'Only a name' }, admin)).statusCode).toBe(200);
      expect(await owed()).toEqual([`connection.nudge cn_${id}`]);
      const support = await t.bearer('acme', 'tenants.integrations.*', 'tenants.oauth_clients.edit');
      await expectRefused(
        id,
        { token_url: 'https://shop.test/other' },
        [422, 'MEMBER_INVALID', at('token_url')],
        support,
      );
      expect((await change(id, { revocation_url: 'https://shop.test/other' }, support)).statusCode).toBe(200);
    },
  );
});
