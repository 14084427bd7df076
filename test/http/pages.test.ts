import type { LightMyRequestResponse } from 'fastify';
import { createHash } from 'node:crypto';
import type { ConsentReading, ConsentStage } from '../../src/connection/messages';
import { DurableOAuthError } from '../../src/errors';
import { createConsentLink } from '../../src/http/connections/consent-links';
import { TEXTS } from '../../src/http/pages/texts';
import { settings } from '../support/settings';
import { call, CALLBACK, seedConnection, startTestApp, type TestApp } from './support';

const REF = { tenant: 'acme', connection: 'cn_crm' };
const CALLER = { by: 'ann@acme.test', traceId: 'test' };
const COOKIE = { cookie: '__Host-doc-abcd1234=hash.secret' };

let t: TestApp;
let link: string;

beforeAll(async () => {
  t = await startTestApp();
  await t.bearer('acme');
  const draft = settings(
    { issuer: 'https://shop.test', apiUrl: 'https://api.shop.test' },
    {
      label: 'Shop <b>&"',
      grant_type: 'authorization_code',
      scope: 'orders:read <x>',
      redirect_uri: `${CALLBACK}/acme.crm`,
    },
  );
  await seedConnection(t.registry, { tenant: 'acme', integration: 'crm', settings: draft }, 'cn_crm');
  link = await makeLink();
});
afterAll(() => t.stop());
beforeEach(() => {
  t.consents.view = undefined;
  t.consents.failure = undefined;
});

async function makeLink(expires_at?: string): Promise<string> {
  const config = { publicUrl: 'https://connect.test', returnOrigins: [] } as never;
  const { attributes } = await createConsentLink({ registry: t.registry, config }, REF, CALLER, {
    mode: 'link',
    expires_at,
  });
  return new URL(attributes.url).pathname;
}

const get = (url: string, headers: Record<string, string> = {}) => call(t, 'GET', url, { headers });
const post = (url: string, payload: string, headers: Record<string, string> = {}) =>
  t.app.inject({
    method: 'POST',
    url,
    payload,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });

function show(stage: ConsentStage, change: Partial<ConsentReading> = {}, onward?: string): void {
  const reading: ConsentReading = {
    v: 1,
    ref: 'acme/cn_crm',
    stage,
    app: 'Shop',
    scope: 'orders:read',
    lang: 'en',
    ...change,
  };
  t.consents.view = { reading, stage, csrf: 'csrf-1', onward };
}
const confirmPage = (headers: Record<string, string> = {}) =>
  get('/oauth/confirm?c=abcd1234', { ...COOKIE, ...headers });

/** What a browser would show, tags taken away. */
const shown = ({ body }: LightMyRequestResponse): string =>
  body
    .replace(/<style>[^]*<\/style>/, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#(\d+);/g, (_entity, code: string) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, ' ');

describe('the start page', () => {
  it('says who asks, for which tenant and app, and for which permissions', async () => {
    const page = await get(link);
    expect(page.statusCode).toBe(200);
    const text = shown(page);
    for (const part of [
      'Connect to Shop b &"',
      'ann@acme.test asks you to connect an account at Shop b &" to “acme Ltd” on Acme Inc.',
      'orders:read',
      'You sign in at Shop b &" itself.',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('shows the redirect URI to register in one selectable field', async () => {
    const { body } = await get(link);
    const [field] = /<input id="redirect-uri"[^>]*>/.exec(body) ?? [];
    expect(field).toContain(` readonly value="${CALLBACK}/acme.crm"`);
    expect(body).toContain('<label for="redirect-uri">');
  });

  it('escapes what people typed', async () => {
    const { body } = await get(link);
    expect(body).not.toMatch(/<b>|<x>/);
    expect(body).toContain('&#60;x&#62;');
  });

  it('changes nothing when it is read, and starts one attempt when it is posted', async () => {
    for (let n = 0; n < 3; n++) await get(link);
    expect(t.consents.begun).toEqual([]);
    const answer = await post(link, '', { 'accept-language': 'es' });
    expect(answer.statusCode).toBe(303);
    expect(answer.headers.location).toBe('https://crm.test/auth?client_id=app&state=s%20t');
    expect(answer.headers['set-cookie']).toBe(
      '__Host-doc-abcd1234=hash.secret; Max-Age=1200; Path=/; HttpOnly; SameSite=Lax; Secure',
    );
    expect(t.consents.begun).toEqual([{ token: link.split('/').at(-1), lang: 'es' }]);
  });

  it('says when a link ran out', async () => {
    const soon = await makeLink(new Date(Date.now() + 50).toISOString());
    let page = await get(soon);
    while (page.statusCode === 200) page = await get(soon);
    expect(page.statusCode).toBe(410);
    expect(shown(page)).toContain('The consent link ran out on ');
  });

  it('is one and the same page for every link that starts nothing', async () => {
    const used = await makeLink();
    const row = await t.registry.consentLinks.findByHash(
      createHash('sha256')
        .update(used.split('/').at(-1) ?? '')
        .digest('base64url'),
    );
    await t.registry.consentLinks.complete('acme', row?.id ?? '', 'cs_1');
    const pages = await Promise.all([used, '/oauth/start/unknown', '/oauth/start/%00'].map((url) => get(url)));
    expect(pages.map(({ statusCode }) => statusCode)).toEqual([404, 404, 404]);
    expect(new Set(pages.map(({ body }) => body)).size).toBe(1);
    expect(shown(pages[0] as LightMyRequestResponse)).toContain('This link does not work');
    t.consents.failure = new DurableOAuthError('NOT_FOUND');
    expect((await post('/oauth/start/unknown', '')).body).toBe(pages[0]?.body);
  });

  it('starts nothing when another site presses its button, and says where the button leads', async () => {
    const url = await makeLink();
    const before = t.consents.begun.length;
    for (const site of ['cross-site', 'same-site', 'none']) {
      expect((await post(url, '', { 'sec-fetch-site': site })).statusCode).toBe(404);
    }
    expect(t.consents.begun).toHaveLength(before);
    expect((await post(url, '', { 'sec-fetch-site': 'same-origin' })).statusCode).toBe(303);
    expect(shown(await get(url))).toContain('The button leads to shop.test.');
  });
});

describe('the start page of a link that an application confirms', () => {
  it('says where the person goes afterwards', async () => {
    const config = { publicUrl: 'https://connect.test', returnOrigins: ['https://flows.test'] } as never;
    const terms = { mode: 'session', return_to: 'https://flows.test/7', confirmerHash: 'hash' } as const;
    const { attributes } = await createConsentLink({ registry: t.registry, config }, REF, CALLER, terms);
    const said = 'Afterwards you go on to flows.test, which completes the connection.';
    expect(shown(await get(new URL(attributes.url).pathname))).toContain(said);
    expect(shown(await get(link))).not.toContain('Afterwards you go on');
  });
});

describe('the callback', () => {
  it('hands URL and cookies on as received and answers 303 to the confirm page', async () => {
    const url = '/callback/acme.crm?code=a%2Fb&code=c&state=s';
    const answer = await get(url, COOKIE);
    expect([answer.statusCode, answer.headers.location]).toEqual([
      303,
      'https://connect.test/oauth/confirm?c=abcd1234',
    ]);
    expect(t.consents.callbacks.at(-1)).toEqual({ url, cookie: COOKIE.cookie });
  });

  it('shows a page that says to try again when a part of ours is down', async () => {
    t.consents.failure = new DurableOAuthError('TEMPORAL_UNAVAILABLE');
    const page = await get('/callback?code=c&state=s', COOKIE);
    expect([page.statusCode, page.headers['retry-after']]).toEqual([503, '30']);
    expect(shown(page)).toContain('Reload this page in a few minutes');
  });
});

describe('the confirm page', () => {
  it('asks whether this account is to be connected, and needs the token of its own form', async () => {
    show('waiting_for_confirmation', { account: 'ann@shop.test', sameAccount: 'first' });
    const page = await confirmPage();
    expect(shown(page)).toContain('Connect account ann@shop.test at Shop to “acme Ltd”?');
    expect(page.body).toContain('<input type="hidden" name="csrf" value="csrf-1" />');
    expect((await post('/oauth/confirm?c=abcd1234', 'csrf=wrong', COOKIE)).statusCode).toBe(404);
    expect((await post('/oauth/confirm?c=abcd1234', '', COOKIE)).statusCode).toBe(404);
    expect(t.consents.confirmed).toEqual([]);
    const answer = await post('/oauth/confirm?c=abcd1234', 'csrf=csrf-1', COOKIE);
    expect([answer.statusCode, answer.headers.location]).toEqual([
      303,
      'https://connect.test/oauth/confirm?c=abcd1234',
    ]);
    expect(t.consents.confirmed).toEqual(['abcd1234']);
  });

  it('says so when the account cannot be compared with the earlier one', async () => {
    show('waiting_for_confirmation', { sameAccount: 'unverifiable' });
    const text = shown(await confirmPage());
    expect(text).toContain('Connect the account you signed in with at Shop to “acme Ltd”?');
    expect(text).toContain('Shop did not tell us which account this is');
  });

  it.each(['waiting_for_callback', 'exchanging', 'handing_over'] as const)(
    'reloads by itself while %s',
    async (stage) => {
      show(stage);
      const { body } = await confirmPage();
      expect(body).toContain('<meta http-equiv="refresh" content="2" />');
    },
  );

  it('leads back to where the person was, if that is a return origin', async () => {
    show('connected', { account: 'ann@shop.test', returnTo: 'https://flows.test/7?a=1&b=2' });
    const { body } = await confirmPage();
    expect(body).toContain('<a href="https://flows.test/7?a=1&#38;b=2">');
    expect(body).toContain('content="4;url=https://flows.test/7?a=1&#38;b=2"');
    show('connected', { returnTo: 'https://evil.test/' });
    const other = await confirmPage();
    expect(other.body).not.toContain('evil.test');
    expect(shown(other)).toContain('You can close this page.');
  });

  it('says why a consent failed, what that means and what to do, with the redirect URI where that is the usual cause', async () => {
    show('failed', { code: 'CONSENT_NOT_COMPLETED', detail: 'abandoned', returnTo: 'https://flows.test/7' });
    const text = shown(await confirmPage());
    expect(text).toContain('Consent was not completed');
    expect(text).toContain(`register exactly this one there: ${CALLBACK}/acme.crm`);
    expect(text).toContain('Go back to where you were');
    show('failed', { code: 'CONSENT_NOT_COMPLETED', detail: 'declined' });
    expect(shown(await confirmPage())).toContain('The request was declined in Shop.');
    show('failed', { code: 'REFRESH_TOKEN_MISSING' });
    expect(shown(await confirmPage())).toContain('Remove this application');
  });

  it('sends the browser on to the application that confirms, and never offers a button then', async () => {
    const onward = 'https://flows.test/7?a=1&consent=cs_1&confirmation_code=code-1';
    show(
      'waiting_for_confirmation',
      { mode: 'handback', consent: 'cs_1', returnTo: 'https://flows.test/7?a=1' },
      onward,
    );
    const answer = await confirmPage();
    // A redirect would be blocked where the provider's page limits form-action: it counts for all redirects of its form.
    expect([answer.statusCode, answer.headers.location, answer.headers['referrer-policy']]).toEqual([
      200,
      undefined,
      'no-referrer',
    ]);
    const escaped = onward.replaceAll('&', '&#38;');
    expect(answer.body).toContain(`<meta http-equiv="refresh" content="0;url=${escaped}" />`);
    expect(answer.body).toContain(`<a href="${escaped}">Go on to flows.test</a>`);
    expect(answer.body).not.toMatch(/<form|<button/);
    show('waiting_for_confirmation', { mode: 'handback' }, 'https://evil.test/?confirmation_code=code-1');
    const page = await confirmPage();
    expect([page.statusCode, page.headers.location]).toEqual([200, undefined]);
    expect(page.body).not.toMatch(/<form|<button|code-1|evil/);
    show('failed', {
      mode: 'session',
      code: 'CONSENT_NOT_COMPLETED',
      detail: 'other_user',
      returnTo: 'https://flows.test/7',
    });
    const failed = shown(await confirmPage());
    expect(failed).toContain('It was given by another user than the one the link was made for.');
    expect(failed).toContain('Go back to where you were');
  });

  it('is one neutral page for whatever belongs to no attempt of this browser', async () => {
    show('waiting_for_confirmation');
    const pages = [
      await get('/oauth/confirm'),
      await get('/oauth/confirm?c=abcd1234'),
      await get('/oauth/confirm?c=zzzzzzzz', COOKIE),
      await get('/oauth/confirm?c=%00', COOKIE),
      await get('/oauth/confirm?c=abcd1234', { cookie: '__Host-doc-other=1' }),
      await post('/oauth/confirm?c=zzzzzzzz', 'csrf=csrf-1', COOKIE),
    ];
    expect(new Set(pages.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1);
    expect(shown(pages[0] as LightMyRequestResponse)).toContain('This page cannot go on');
    const odd = await get('/oauth/confirm?c=abcd1234&c=zzzzzzzz', COOKIE);
    expect(shown(odd)).toContain('This page cannot go on');
  });
});

describe('every page', () => {
  const stages: [ConsentStage, Partial<ConsentReading>][] = [
    ['waiting_for_callback', {}],
    ['waiting_for_confirmation', { account: 'ann@shop.test', sameAccount: 'unverifiable' }],
    ['connected', { account: 'ann@shop.test' }],
    ['failed', { code: 'WRONG_ACCOUNT', account: 'bob@shop.test' }],
    ['failed', { code: 'VAULT_CORRUPT' }],
  ];

  async function all(headers: Record<string, string> = {}): Promise<LightMyRequestResponse[]> {
    const pages = [
      await get(link, headers),
      await get('/oauth/start/unknown', headers),
      await get('/oauth/confirm', headers),
    ];
    for (const [stage, change] of stages) {
      show(stage, change);
      pages.push(await confirmPage(headers));
    }
    t.consents.failure = new DurableOAuthError('REGISTRY_UNAVAILABLE');
    pages.push(await post(link, '', headers));
    return pages;
  }

  it('loads nothing, runs nothing, is framed nowhere, is not kept and tells nobody where it was', async () => {
    for (const { headers, body } of await all()) {
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(headers).toMatchObject({
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'content-type': 'text/html; charset=utf-8',
      });
      expect(body).not.toMatch(/<script|<link|<img|\son\w+=|style="|src=|javascript:/);
      const style = /<style>([^]*)<\/style>/.exec(body)?.[1] ?? '';
      expect(policy).toContain(`'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    }
  });

  it('lets its forms go to ourselves only; the start form may be sent on by the provider', async () => {
    const policies = (await all()).map(({ headers }) => String(headers['content-security-policy']));
    expect(policies.map((policy) => policy.includes("form-action 'self'"))).toEqual([
      false,
      ...policies.slice(1).map(() => true),
    ]);
  });

  it('004-24 is in the language asked for, or in English, and never in both', async () => {
    const [english, spanish, french] = [
      await all(),
      await all({ 'accept-language': 'es' }),
      await all({ 'accept-language': 'fr' }),
    ];
    const languages = (pages: LightMyRequestResponse[]) =>
      pages.map(({ headers, body }) => [headers['content-language'], /<html lang="(\w+)"/.exec(body)?.[1]]);
    expect(languages(english)).toEqual(english.map(() => ['en', 'en']));
    expect(languages(spanish)).toEqual(spanish.map(() => ['es', 'es']));
    const stable = (page: LightMyRequestResponse): string => shown(page).replace(/[0-9a-f]{32}/, 'trace');
    expect(french.map(stable)).toEqual(english.map(stable));
    const words = (text: string): Set<string> => new Set(text.toLowerCase().match(/\p{L}{4,}/gu));
    const onlyEnglish = [...words(Object.values(TEXTS.en).join(' '))].filter(
      (word) => !words(Object.values(TEXTS.es).join(' ')).has(word),
    );
    for (const page of spanish) expect(onlyEnglish.filter((word) => words(shown(page)).has(word))).toEqual([]);
  });

  it('carries the configured brand', async () => {
    for (const page of await all()) expect(page.body).toMatch(/<title>[^<]+ – Acme Inc<\/title>/);
  });

  it('has a title, one heading, one main part and a label for every field a person sees', async () => {
    for (const { body } of await all()) {
      expect(body.match(/<h1>/g)).toHaveLength(1);
      expect(body.match(/<main>/g)).toHaveLength(1);
      for (const [, id] of body.matchAll(/<input id="([^"]+)"/g)) expect(body).toContain(`<label for="${id}">`);
    }
  });

  it('leaves no token of a link, code or state in the log', async () => {
    await get('/callback?code=code-canary-123456&state=state-canary-123456', COOKIE);
    const log = t.logged.join('');
    expect(log).toContain('/oauth/start/:link');
    for (const secret of [link.split('/').at(-1) ?? '', 'code-canary-123456', 'state-canary-123456'])
      expect(log).not.toContain(secret);
  });
});
