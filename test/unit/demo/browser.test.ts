import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { consentAsPerson, declineAsPerson } from '../../../demo/browser';
import { testClients, testProvider } from '../../support/provider';
import type { TestProvider } from '../../support/provider';

/** A site with pages like ours: start, callback, confirm, result; the cookie and the hidden field are checked. */
const csrf = 'a"b&c';
let provider: TestProvider;
let site: Server;
let origin: string;
let callbacks: URLSearchParams[];

const form = (action: string, fields = ''): string =>
  `<form method="get"><input name="lang" value="es"></form><form method="post" action="${action}">${fields}<button name="go" value="yes">Connect</button></form>`;

async function pages(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const url = new URL(req.url ?? '/', origin);
  const page = (html: string): void => void res.setHeader('content-type', 'text/html').end(html);
  const redirect = (to: string): void => void res.writeHead(303, { location: to }).end();
  const known = req.headers.cookie?.includes('attempt=1') ?? false;
  switch (`${req.method} ${url.pathname}`) {
    case 'GET /start':
      return page(form('/start'));
    case 'POST /start':
      res.setHeader('set-cookie', ['attempt=1; HttpOnly; Path=/', 'other=2; Path=/elsewhere']);
      return redirect(
        `${provider.endpoints.authorization}?${new URLSearchParams({
          client_id: testClients.code.clientId,
          response_type: 'code',
          redirect_uri: `${origin}/callback`,
          scope: 'openid offline_access orders',
          prompt: 'consent',
          state: 's1',
          code_challenge: randomBytes(32).toString('base64url'),
          code_challenge_method: 'S256',
        }).toString()}`,
      );
    case 'GET /callback':
      callbacks.push(url.searchParams);
      return url.searchParams.has('error') ? page(`not completed ${form('/start')}`) : redirect('/confirm?c=1');
    case 'GET /confirm':
      return page(
        form('', `<input type="hidden" name="csrf" value="${csrf.replace('&', '&amp;').replace('"', '&quot;')}">`),
      );
    case 'POST /confirm': {
      const sent = new URLSearchParams(await text(req));
      const right = known && sent.get('csrf') === csrf && sent.get('go') === 'yes' && req.headers.origin === origin;
      res.setHeader('set-cookie', 'attempt=; Max-Age=0; Path=/');
      return page(right ? `connected, cookies were ${req.headers.cookie} ${form('/start')}` : 'refused');
    }
    default:
      res.writeHead(404).end();
  }
}

beforeAll(async () => {
  site = createServer((req, res) => void pages(req, res)).listen(0, '127.0.0.1');
  await once(site, 'listening');
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  provider = await testProvider({ redirectUris: [`${origin}/callback`] });
});
beforeEach(() => {
  callbacks = [];
});
afterAll(async () => {
  await provider.close();
  site.closeAllConnections();
  site.close();
});

it('a person who consents comes back with a code and lands on the result page', async () => {
  const steps: string[] = [];
  const landing = await consentAsPerson({ startUrl: `${origin}/start`, login: 'ann', log: (line) => steps.push(line) });
  expect(landing).toMatchObject({ status: 200, finalUrl: `${origin}/confirm?c=1` });
  expect(landing.html).toMatch(/^connected, cookies were attempt=1; /);
  expect(landing.html).not.toContain('other=2');
  expect(callbacks).toHaveLength(1);
  expect([callbacks[0]?.has('code'), callbacks[0]?.get('state'), callbacks[0]?.get('iss')]).toEqual([
    true,
    's1',
    provider.issuer,
  ]);
  expect(steps.map((line) => /"(.*)"/.exec(line)?.[1])).toEqual([
    undefined,
    'Connect',
    'Sign-in',
    'Continue',
    'Connect',
  ]);
  expect(steps.join()).not.toContain(callbacks[0]?.get('code'));
});

it('a person who presses Cancel comes back with access_denied and presses nothing twice', async () => {
  const landing = await declineAsPerson({ startUrl: `${origin}/start`, login: 'ann' });
  expect(landing.html).toContain('not completed');
  expect(callbacks.map((answer) => answer.get('error'))).toEqual(['access_denied']);
});

it('a grant that was revoked behind our back is granted anew by the same account', async () => {
  await consentAsPerson({ startUrl: `${origin}/start`, login: 'bob' });
  await provider.admin.revokeGrant({ sub: 'bob' });
  await consentAsPerson({ startUrl: `${origin}/start`, login: 'bob' });
  expect(callbacks.map((answer) => answer.has('code'))).toEqual([true, true]);
});

it('a page that cannot be reached is named by its host alone', async () => {
  const visit = consentAsPerson({ startUrl: 'http://127.0.0.1:9/oauth/start/secret-link', login: 'ann' });
  await expect(visit).rejects.toThrow(/^a page did not answer \[host=127\.0\.0\.1:9\]$/);
});
