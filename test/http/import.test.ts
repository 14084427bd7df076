/** Import: the cut-over from a program that refreshed the tokens before, without spending one that cannot be kept. */
import { DurableOAuthError } from '../../src/errors';
import { call, startTestApp, type TestApp } from './support';

const PATH = '/v2/tenants/acme/imports';
const TEMPLATE = {
  label: 'Shop',
  token_url: 'https://shop.test/token',
  client_id: 'app-1',
  client_secret: 'cs-canary-7d1e5b9a3c',
  api_base_url: 'https://api.shop.test/v1',
};

let t: TestApp;
let auth: string;
let round = 0;

beforeAll(async () => {
  t = await startTestApp();
  auth = await t.bearer('acme', 'tenants.*');
});
afterAll(() => t.stop());
beforeEach(() => {
  round += 1;
  t.connections.saves.length = 0;
  t.connections.later.length = 0;
  t.connections.laterFailures = [];
  t.connections.outcome = undefined;
});

const entry = (n: number, extra: object = {}) => ({
  id: `r${round}-${n}`,
  refresh_token: `rt-canary-${round}-${n}`,
  ...extra,
});
const entries = (count: number): object[] => Array.from({ length: count }, (_, n) => entry(n));
const send = (attributes: object, by = auth) =>
  call(t, 'POST', PATH, {
    auth: by,
    body: { data: { type: 'import', attributes: { old_refresher_stopped: true, template: TEMPLATE, ...attributes } } },
  });
const statuses = (answer: Awaited<ReturnType<typeof send>>): string[] =>
  answer.json().data.attributes.entries.map(({ status }: { status: string }) => status);
const untouched = (): void => {
  expect([t.connections.saves, t.connections.later]).toEqual([[], []]);
};

describe('an import', () => {
  it('proves the first entry, then begins the others at the pace, each a save of its own', async () => {
    const answer = await send({
      entries: [entry(0, { owner: 'ann@acme.test', region: 'DE' }), entry(1), entry(2)],
      pace_seconds: 2,
    });
    expect(answer.statusCode).toBe(202);
    expect(answer.json().data.attributes.entries).toEqual([
      {
        pointer: '/data/attributes/entries/0',
        integration: `r${round}-0`,
        status: 'saved',
        connection: `cn_r${round}-0`,
        location: `/v2/tenants/acme/integrations/r${round}-0`,
      },
      expect.objectContaining({ pointer: '/data/attributes/entries/1', status: 'saving' }),
      expect.objectContaining({ pointer: '/data/attributes/entries/2', status: 'saving' }),
    ]);
    expect(t.connections.saves).toMatchObject([
      { settings: { grant_type: 'refresh_token', label: 'Shop' }, about: { owner: 'ann@acme.test', region: 'DE' } },
    ]);
    expect(t.connections.later.map(({ request, delayMs }) => [request.refreshToken?.reveal(), delayMs])).toEqual([
      [`rt-canary-${round}-1`, 2_000],
      [`rt-canary-${round}-2`, 4_000],
    ]);
    expect(answer.body).not.toContain('canary');
  });

  it('as a dry run checks everything, and calls and stores nothing', async () => {
    const answer = await send({ entries: entries(3), dry_run: true, old_refresher_stopped: false });
    expect([answer.statusCode, statuses(answer)]).toEqual([200, ['checked', 'checked', 'checked']]);
    untouched();
    expect(await t.registry.integrations.get('acme', `r${round}-0`)).toBeUndefined();
  });

  it('is refused in words until the old program is said to be stopped', async () => {
    for (const old_refresher_stopped of [false, undefined]) {
      const answer = await send({ entries: entries(1), old_refresher_stopped });
      const [{ detail, source }] = answer.json().errors;
      expect([answer.statusCode, source]).toEqual([422, { pointer: '/data/attributes/old_refresher_stopped' }]);
      expect(detail).toContain('Stop the program that refreshes these tokens');
    }
    untouched();
  });

  it('whose first entry fails begins no other, and says which one and why', async () => {
    t.connections.outcome = { kind: 'failed', code: 'GRANT_REFUSED', oauthError: 'invalid_grant' };
    const answer = await send({ entries: entries(3) });
    expect([answer.statusCode, answer.json().errors[0]]).toMatchObject([
      422,
      { code: 'GRANT_REFUSED', source: { pointer: '/data/attributes/entries/0' } },
    ]);
    expect(t.connections.later).toEqual([]);
  });

  it('whose first entry is not proven in time begins no other', async () => {
    t.connections.outcome = { kind: 'running' };
    expect(statuses(await send({ entries: entries(3) }))).toEqual(['saving', 'not_started', 'not_started']);
    expect(t.connections.later).toEqual([]);
  });

  it('that is repeated leaves alone what is there and what has begun', async () => {
    await send({ entries: entries(1) });
    t.connections.saves.length = 0;
    t.connections.laterFailures = [new DurableOAuthError('SAVE_IN_PROGRESS')];
    expect(statuses(await send({ entries: entries(4) }))).toEqual(['exists', 'saved', 'saving', 'saving']);
    expect(t.connections.saves.map(({ integration }) => integration)).toEqual([`r${round}-1`]);
    expect(t.connections.later.map(({ request }) => request.integration)).toEqual([`r${round}-3`]);
  });

  it('says what was not begun when Temporal goes away', async () => {
    t.connections.laterFailures = [undefined, new DurableOAuthError('TEMPORAL_UNAVAILABLE')];
    expect(statuses(await send({ entries: entries(4) }))).toEqual(['saved', 'saving', 'not_started', 'not_started']);
  });

  it('points at everything that is wrong, before anything is sent', async () => {
    const answer = await send({
      template: { ...TEMPLATE, token_url: 'ftp://shop.test' },
      entries: [
        entry(0),
        { ...entry(0), refresh_token: 'rt-canary-other' },
        { ...entry(2), refresh_token: `rt-canary-${round}-0` },
      ],
    });
    expect(answer.statusCode).toBe(422);
    expect(
      answer
        .json()
        .errors.map(({ source }: { source: { pointer: string } }) => source.pointer)
        .sort(),
    ).toEqual([
      '/data/attributes/entries/1/id',
      '/data/attributes/entries/2/refresh_token',
      '/data/attributes/template/token_url',
    ]);
    expect((await send({ entries: [] })).statusCode).toBe(422);
    expect((await send({ entries: entries(101) })).statusCode).toBe(422);
    expect((await send({ entries: [{ ...entry(0), access_token: 'at' }] })).statusCode).toBe(422);
    untouched();
  });

  it('needs its own permission', async () => {
    const saver = await t.bearer('acme', 'tenants.integrations.create');
    expect((await send({ entries: entries(1) }, saver)).statusCode).toBe(403);
    untouched();
  });
});
