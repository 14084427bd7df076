import { createHash } from 'node:crypto';
import { DurableOAuthError } from '../../src/errors';
import { createFingerprint } from '../../src/fingerprint';
import { addedVersion, uploadedDocument } from '../../src/http/schemas/component';
import { findCanaries } from '../../src/testing/canary';
import { createMemoryVault } from '../../src/vault/memory';
import { settings } from '../support/settings';
import { runOn } from '../unit/registry/builders';
import { call, seedConnection, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/integrations';
const SECRET = 'cs-canary-4be1d0a97c';
const attributes = {
  label: 'Shop',
  grant_type: 'client_credentials',
  token_url: 'https://shop.test/token',
  client_id: 'app-1',
  client_secret: SECRET,
  api_base_url: 'https://api.shop.test/v1',
};
const code = {
  ...attributes,
  grant_type: 'authorization_code',
  authorization_url: 'https://shop.test/auth',
  scope: 'read',
};

const vault = createMemoryVault();
let fingerprint = createFingerprint(vault);
/** What was compared last: the body without its secrets. */
let compared = '';
let t: TestApp;
let auth: string;
let keys = 0;
const freshKey = (): string => `key-${++keys}`;

beforeAll(async () => {
  t = await startTestApp(
    {},
    {
      fingerprint: (text) => {
        compared = text.reveal();
        return fingerprint(text);
      },
    },
  );
  auth = await t.bearer('acme', 'tenants.*');
  await seedConnection(
    t.registry,
    {
      tenant: 'acme',
      integration: 'b2',
      settings: settings(
        { issuer: 'https://shop.test', apiUrl: 'https://api.shop.test' },
        { grant_type: 'authorization_code' },
      ),
    },
    'cn_b2',
  );
});
afterAll(() => t.stop());
beforeEach(() => {
  t.connections.saves.length = 0;
  t.connections.outcome = undefined;
});

const save = (
  key: string,
  change: Record<string, unknown> = {},
  as = auth,
  headers: Record<string, string> = {},
  at = t,
) =>
  call(at, 'POST', PATH, {
    auth: as,
    headers: { 'idempotency-key': key, ...headers },
    body: { data: { type: 'integration', attributes: { ...attributes, ...change } } },
  });
const codeOf = (answer: { json(): { errors: { code: string }[] } }): string | undefined =>
  answer.json().errors[0]?.code;

describe('a POST under an idempotency key', () => {
  it('that is repeated is answered with the same resource, and saves nothing again', async () => {
    const key = freshKey();
    const first = await save(key);
    const again = await save(key);
    expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
    expect(again.json().data).toEqual(first.json().data);
    expect([again.headers.location, again.headers['content-type']]).toEqual([
      first.headers.location,
      first.headers['content-type'],
    ]);
    expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toEqual([undefined, 'true']);
    expect(t.connections.saves).toHaveLength(1);
  });

  it('that is repeated is answered within the contract where the address shows another document than the answer did', async () => {
    const send = (path: string, attributes: object, key: string) =>
      call(t, 'POST', `/v2/tenants/acme/components${path}`, {
        auth,
        headers: { 'idempotency-key': key },
        body: { data: { type: 'component', attributes } },
      });
    const file = { title: 'Kitchen' };
    const [upload, version] = [freshKey(), freshKey()];
    const { id } = (await send('', { file }, upload)).json().data;
    expect(uploadedDocument.parse((await send('', { file }, upload)).json()).data.id).toBe(id);
    await send(`/${id}/versions`, { file }, version);
    const again = addedVersion.parse((await send(`/${id}/versions`, { file }, version)).json());
    expect(again.data).toMatchObject({ type: 'component-version', id: `${id}.2` });
  }, 30_000);

  it('is another request without the key, or under another one', async () => {
    await save(freshKey());
    await save(freshKey());
    await call(t, 'POST', PATH, { auth, body: { data: { type: 'integration', attributes } } });
    expect(t.connections.saves).toHaveLength(3);
  });

  it('with another body is 422; the secrets are no part of the comparison, the order of members neither', async () => {
    const key = freshKey();
    await save(key);
    const other = await save(key, { label: 'Shop 2' });
    expect([other.statusCode, codeOf(other)]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    const reordered = Object.fromEntries(Object.entries(attributes).reverse());
    const body = { data: { attributes: { ...reordered, client_secret: 'another' }, type: 'integration' } };
    const same = await call(t, 'POST', PATH, { auth, headers: { 'idempotency-key': key }, body });
    expect(same.statusCode).toBe(201);
    expect(t.connections.saves).toHaveLength(1);
  });

  it('belongs to principal, tenant and path', async () => {
    const key = freshKey();
    await save(key);
    const other = await t.bearer('other', 'tenants.*');
    const elsewhere = await call(t, 'POST', PATH.replace('acme', 'other'), {
      auth: other,
      headers: { 'idempotency-key': key },
      body: { data: { type: 'integration', attributes: { ...attributes, label: 'Theirs' } } },
    });
    expect(elsewhere.statusCode).toBe(201);
    const link = await call(t, 'POST', '/v2/tenants/acme/connections/cn_b2/consent-links', {
      auth,
      headers: { 'idempotency-key': key },
    });
    expect(link.statusCode).toBe(201);
    // Another API key of the same principal: the same caller.
    expect((await save(key, {}, await t.bearer('acme', 'tenants.*'))).headers['idempotency-replayed']).toBe('true');
    expect(t.connections.saves).toHaveLength(2);
  });

  it('of two at once, one works and the other one is asked to come back', async () => {
    const key = freshKey();
    let finish = (): void => undefined;
    const held = new Promise<void>((resolve) => (finish = resolve));
    const { save: saving } = t.connections;
    const slow = jest.spyOn(t.connections, 'save').mockImplementationOnce(async (...given) => {
      await held;
      return saving.apply(t.connections, given);
    });
    const answers = [save(key), save(key)];
    // The one that is not held is the first to be answered.
    const refused = await Promise.race(answers);
    expect([refused.statusCode, codeOf(refused), refused.headers['retry-after']]).toEqual([
      409,
      'IDEMPOTENCY_IN_PROGRESS',
      '5',
    ]);
    finish();
    expect((await Promise.all(answers)).map(({ statusCode }) => statusCode).sort()).toEqual([201, 409]);
    slow.mockRestore();
    expect((await save(key)).headers['idempotency-replayed']).toBe('true');
    expect(t.connections.saves).toHaveLength(1);
  });

  it('that failed did nothing, and leaves its key free, for another body too', async () => {
    const key = freshKey();
    t.connections.outcome = new DurableOAuthError('TEMPORAL_UNAVAILABLE');
    expect((await save(key)).statusCode).toBe(503);
    t.connections.outcome = undefined;
    expect((await save(key, { label: '' })).statusCode).toBe(422);
    expect((await save(key, { label: 'Mended' })).statusCode).toBe(201);
  });

  it('that is still at work is answered with what the address says now', async () => {
    const key = freshKey();
    t.connections.outcome = { kind: 'running' };
    const first = await save(key);
    t.connections.status = { kind: 'running' };
    const again = await save(key);
    expect([first.statusCode, again.statusCode, again.headers.location]).toEqual([202, 202, first.headers.location]);
    expect(again.json()).toEqual(first.json());
    expect(t.connections.saves).toHaveLength(1);
  });

  it('whose process died is never done again, and its caller is told so', async () => {
    const key = freshKey();
    const ref = { tenant: 'acme', principal: 'ops@acme.test', path: PATH, key };
    const claimed = new Date(Date.now() - 180_000).toISOString();
    const before = jest.spyOn(t.registry.idempotency, 'claim').mockImplementationOnce(async ({ bodyHash, ...rest }) => {
      expect(rest).toEqual(ref);
      return { bodyHash, status: null, location: null, claimedAt: claimed };
    });
    const answer = await save(key);
    before.mockRestore();
    expect([answer.statusCode, codeOf(answer), answer.headers['retry-after']]).toEqual([
      409,
      'IDEMPOTENCY_OUTCOME_UNKNOWN',
      undefined,
    ]);
    expect(t.connections.saves).toEqual([]);
  });

  it.each(['', 'two words', 'ñ', 'x'.repeat(256)])('needs a key of visible ASCII, and %j is none', async (key) => {
    const answer = await save(key);
    expect([answer.statusCode, answer.json().errors[0].source]).toEqual([400, { header: 'Idempotency-Key' }]);
    expect(t.connections.saves).toEqual([]);
  });
});

describe('what was shown once', () => {
  it('a consent link is not shown again, and not made again', async () => {
    const key = freshKey();
    const make = () =>
      call(t, 'POST', '/v2/tenants/acme/connections/cn_b2/consent-links', {
        auth,
        headers: { 'idempotency-key': key },
      });
    expect((await make()).statusCode).toBe(201);
    const again = await make();
    expect([again.statusCode, codeOf(again)]).toEqual([409, 'IDEMPOTENCY_ANSWER_WITHHELD']);
  });

  it('a saved code grant is repeated without its link', async () => {
    const key = freshKey();
    const [first, again] = [await save(key, code), await save(key, code)];
    expect(first.json().included[0].attributes.url).toContain('/oauth/start/');
    expect([again.statusCode, again.json().data.id]).toEqual([201, first.json().data.id]);
    expect(again.body).not.toContain('/oauth/start/');
  });

  it('no secret and no link is in the table', async () => {
    const rows = await runOn(t.databaseUrl)('SELECT * FROM idempotency_keys', []);
    expect(rows.length).toBeGreaterThan(5);
    expect(findCanaries(JSON.stringify(rows), [SECRET, '/oauth/start/'])).toEqual([]);
  });
});

describe('what is kept of the body', () => {
  const sha256 = (): string => createHash('sha256').update(compared).digest('base64url');
  const kept = async (at: TestApp, key: string): Promise<unknown> => {
    const [row] = await runOn(at.databaseUrl)('SELECT body_hash FROM idempotency_keys WHERE key = $1', [key]);
    return row?.['body_hash'];
  };

  it('is an HMAC by the key of the vault: every process has it, and nobody else', async () => {
    const key = freshKey();
    const peer = await startTestApp({}, { fingerprint: createFingerprint(vault) });
    const stranger = await startTestApp({}, { fingerprint: createFingerprint(createMemoryVault()) });
    try {
      for (const at of [t, peer, stranger]) {
        expect((await save(key, {}, await at.bearer('acme', 'tenants.*'), {}, at)).statusCode).toBe(201);
      }
      const hmac = await kept(t, key);
      expect(hmac).toMatch(/^[\w-]{22}$/);
      expect([await kept(peer, key), (await kept(stranger, key)) === hmac]).toEqual([hmac, false]);
      expect(compared).toContain(attributes.token_url);
      expect(sha256().startsWith(String(hmac))).toBe(false);
    } finally {
      await peer.stop();
      await stranger.stop();
    }
  }, 60_000);

  it('by the version before was a SHA-256: a repeat is one still, and another body is refused', async () => {
    const key = freshKey();
    await save(key);
    await runOn(t.databaseUrl)('UPDATE idempotency_keys SET body_hash = $2 WHERE key = $1', [key, sha256()]);
    expect((await save(key)).headers['idempotency-replayed']).toBe('true');
    expect(codeOf(await save(key, { label: 'Shop 2' }))).toBe('IDEMPOTENCY_KEY_REUSED');
    expect(t.connections.saves).toHaveLength(1);
  });

  it('needs the vault: while it is silent nothing is done under a key, and without one everything', async () => {
    const key = freshKey();
    const away = createMemoryVault();
    away.setAvailable(false);
    const before = fingerprint;
    fingerprint = createFingerprint(away);
    try {
      const refused = await save(key);
      expect([refused.statusCode, codeOf(refused), refused.headers['retry-after']]).toEqual([
        503,
        'VAULT_UNAVAILABLE',
        '10',
      ]);
      expect([t.connections.saves, await kept(t, key)]).toEqual([[], undefined]);
      const body = { data: { type: 'integration', attributes } };
      expect((await call(t, 'POST', PATH, { auth, body })).statusCode).toBe(201);
      away.setAvailable(true);
      expect((await save(key)).statusCode).toBe(201);
    } finally {
      fingerprint = before;
    }
  });
});

it('a key is forgotten after 24 hours', async () => {
  const key = freshKey();
  await save(key);
  await runOn(t.databaseUrl)(`UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = $1`, [
    key,
  ]);
  expect((await save(key)).headers['idempotency-replayed']).toBeUndefined();
  expect(t.connections.saves).toHaveLength(2);
});
