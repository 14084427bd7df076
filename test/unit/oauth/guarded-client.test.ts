import type * as dns from 'node:dns';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { isOAuthFailure } from '../../../src/oauth/failure';
import { createGuardedClient, type GuardedRequest } from '../../../src/oauth/guarded-client';
import { findCanaries } from '../../../src/testing/canary';
import { hangUp, json, oddServer, trickling, truncated, type OddServer } from '../../support/odd-server';

type LookupCallback = (error: Error | null, addresses: readonly { address: string; family: number }[]) => void;
const resolver = jest.fn<void, [string, dns.LookupOptions, LookupCallback]>();
jest.mock('node:dns', () => ({
  ...jest.requireActual<typeof dns>('node:dns'),
  lookup: (...args: [string, dns.LookupOptions, LookupCallback]) => resolver(...args),
}));
const names = (addresses: Readonly<Record<string, readonly string[]>>): void => {
  resolver.mockImplementation((host, _options, done) => {
    const found = addresses[host];
    if (found)
      done(
        null,
        found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    else done(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []);
  });
};

const SECRETS = ['planted-client-secret-7Qz', 'planted-refresh-token-9Xw'];
const guarded = createGuardedClient({ allowPrivateNetworks: false });
const local = createGuardedClient({ allowPrivateNetworks: true });

let server: OddServer;
beforeAll(async () => {
  server = await oddServer();
});
beforeEach(() => {
  server.received.length = 0;
  resolver.mockReset();
  server.answer = json(200, { fine: true });
  names({});
});
afterAll(() => server.close());

const request = (url: string, change: Partial<GuardedRequest> = {}): GuardedRequest => ({
  method: 'POST',
  url,
  headers: {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Basic ${Buffer.from(`app:${SECRETS[0]}`).toString('base64')}`,
  },
  body: `grant_type=refresh_token&refresh_token=${SECRETS[1]}&client_secret=${SECRETS[0]}`,
  deadlineMs: 5_000,
  maxBytes: 1_000,
  attempted: 'Refreshing a token set',
  ...change,
});

/** @returns the facts of the failure, which holds no secret however it is printed */
async function failureOf(sending: Promise<unknown>): Promise<unknown> {
  const error: unknown = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isOAuthFailure(error)) throw new Error(`Expected an OAuthFailure, not ${inspect(error)}`);
  const printed = [inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error), error.stack].join('\n');
  expect(findCanaries(printed, SECRETS)).toEqual([]);
  expect(Object.hasOwn(error, 'cause')).toBe(false);
  return error.facts;
}

const BLOCKED = { class: 'BLOCKED', code: 'ENDPOINT_BLOCKED', sent: false };
const UNSENT = { class: 'TRANSIENT', code: 'PROVIDER_UNREACHABLE', sent: false };
const UNKNOWN = { class: 'AMBIGUOUS', code: 'REFRESH_OUTCOME_UNKNOWN', sent: true };

describe('what may be connected to', () => {
  it.each([
    'https://127.0.0.1/token',
    'https://2130706433/token',
    'https://0x7f000001/token',
    'https://0177.0.0.1/token',
    'https://127.1/token',
    'https://127.0.0.1./token',
    'https://0.0.0.0/token',
    'https://10.0.0.1/token',
    'https://172.16.0.1/token',
    'https://192.168.1.1/token',
    'https://100.64.0.1/token',
    'https://100.100.100.200/token',
    'https://169.254.169.254/latest/meta-data',
    'https://192.0.0.1/token',
    'https://198.18.0.1/token',
    'https://224.0.0.1/token',
    'https://240.0.0.1/token',
    'https://255.255.255.255/token',
    'https://[::1]/token',
    'https://[::]/token',
    'https://[::ffff:127.0.0.1]/token',
    'https://[64:ff9b::7f00:1]/token',
    'https://[2002:7f00:1::]/token',
    'https://[2001:0:7f00:1::]/token',
    'https://[fc00::1]/token',
    'https://[fe80::1]/token',
    'https://[fd00:ec2::254]/token',
    'https://[ff02::1]/token',
    'http://login.example.com/token',
    'http://127.0.0.1/token',
    'https://user@login.example.com/token',
    'https://user:pw@login.example.com/token',
    'https://@login.example.com/token',
    'https://login.example.com/token#here',
    'https://login.example.com:25/token',
    'https://login.exa\tmple.com/token',
    'https:login.example.com/token',
    'https:\\\\login.example.com\\token',
    '//login.example.com/token',
    '/token',
    'file:///etc/passwd',
    'gopher://login.example.com/',
  ])('refuses %s before anything is sent', async (url) => {
    await expect(failureOf(guarded(request(url)))).resolves.toEqual(BLOCKED);
  });

  it('refuses a name when any of its addresses is private', async () => {
    names({
      'login.example.com': ['93.184.215.14', '10.0.0.5'],
      localhost: ['127.0.0.1'],
      'localhost.': ['127.0.0.1'],
    });
    for (const host of ['login.example.com', 'localhost', 'localhost.']) {
      await expect(failureOf(guarded(request(`https://${host}/token`)))).resolves.toEqual(BLOCKED);
    }
  });

  it('checks the address of every connection, so that a name cannot move into a private network later', async () => {
    await expect(failureOf(guarded(request('https://login.example.com/')))).resolves.toEqual(UNSENT);
    names({ 'login.example.com': ['192.168.0.7'] });
    await expect(failureOf(guarded(request('https://login.example.com/')))).resolves.toEqual(BLOCKED);
    expect(resolver).toHaveBeenCalledTimes(2);
  });

  it('keeps to the rules with a proxy in the environment', async () => {
    const before = { ...process.env };
    Object.assign(process.env, { HTTP_PROXY: server.origin, HTTPS_PROXY: server.origin, ALL_PROXY: server.origin });
    try {
      await expect(failureOf(guarded(request('https://10.0.0.1/token')))).resolves.toEqual(BLOCKED);
      await expect(failureOf(guarded(request('https://login.example.com/')))).resolves.toEqual(UNSENT);
    } finally {
      process.env = before;
    }
    expect(server.received).toEqual([]);
  });

  it('reaches loopback where private networks are allowed, but no metadata service and no http elsewhere', async () => {
    await expect(local(request(`${server.origin}/token`))).resolves.toMatchObject({ status: 200 });
    names({ 'login.example.com': ['169.254.169.254'] });
    for (const url of [
      'https://169.254.169.254/',
      'https://[::ffff:169.254.169.254]/',
      'https://login.example.com/',
      'http://login.example.com/',
    ]) {
      await expect(failureOf(local(request(url)))).resolves.toEqual(BLOCKED);
    }
  });

  it('opens no socket to an origin the secret was not entered for', async () => {
    const url = `${server.origin}/token`;
    for (const audience of [['https://login.example.com'], [`${server.origin}1`], []]) {
      await expect(failureOf(local(request(url, { audience })))).resolves.toEqual(BLOCKED);
    }
    expect(server.received).toEqual([]);
    await local(request(url, { audience: ['https://login.example.com', server.origin] }));
    expect(server.received).toHaveLength(1);
  });
});

describe('what came of a request', () => {
  it('sends what it was given and answers with status, headers in lower case and text', async () => {
    server.answer = json(418, { a: 'é' }, { 'X-Request-Id': 'r-1' });
    const answer = await local(request(`${server.origin}/token?x=1`));
    expect(answer).toEqual({
      status: 418,
      headers: expect.objectContaining({ 'x-request-id': 'r-1' }) as object,
      body: '{"a":"é"}',
    });
    expect(server.received).toEqual([
      expect.objectContaining({ method: 'POST', url: '/token?x=1', body: request('').body }),
    ]);
  });

  it('follows no redirect', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      server.answer = json(status, {}, { location: `${server.origin}/elsewhere` });
      await expect(local(request(`${server.origin}/token`))).resolves.toMatchObject({ status });
    }
    expect(server.received.map(({ url }) => url)).toEqual(Array(5).fill('/token'));
  });

  it('does not let an answer grow above the limit, also when it is compressed', async () => {
    server.answer = json(200, 'x'.repeat(2_000));
    await expect(local(request(server.origin))).resolves.toMatchObject({ status: 200, body: '', cut: 'too_large' });
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    expect(bomb.length).toBeLessThan(1_100);
    server.answer = (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    await expect(local(request(server.origin))).resolves.toMatchObject({ status: 200, body: '', cut: 'too_large' });
  });

  it('sends a body larger than the answer may be', async () => {
    const body = 'x'.repeat(5_000);
    await expect(local(request(server.origin, { body }))).resolves.toMatchObject({ status: 200 });
    expect(server.received[0]?.body).toHaveLength(5_000);
  });

  it('knows the status of an answer whose body is cut short', async () => {
    server.answer = truncated(200, '{"access_token":"abc');
    await expect(local(request(server.origin))).resolves.toMatchObject({ status: 200, body: '', cut: 'lost' });
  });

  it('ends a body that trickles at the deadline', async () => {
    server.answer = trickling;
    const started = Date.now();
    await expect(local(request(server.origin, { deadlineMs: 300 }))).resolves.toMatchObject({ cut: 'lost' });
    expect(Date.now() - started).toBeLessThan(4_000);
  });

  it('says "not sent" when nobody listens, when there is no such name and when there is no TLS', async () => {
    const gone = await oddServer();
    await gone.close();
    for (const url of [gone.origin, 'https://nowhere.example.com/', `https://127.0.0.1:${server.port}/`]) {
      await expect(failureOf(local(request(url)))).resolves.toEqual(UNSENT);
    }
    expect(server.received).toEqual([]);
  });

  it('says "not sent" when a header cannot be sent', async () => {
    const headers = { authorization: `Bearer ${SECRETS[1]}`, 'not a name': SECRETS[0] ?? '' };
    await expect(failureOf(local(request(server.origin, { headers })))).resolves.toEqual(UNSENT);
  });

  it('says "not sent" when the deadline comes before there is a connection', async () => {
    resolver.mockImplementation(() => undefined);
    const sending = local(request('https://login.example.com/', { deadlineMs: 200 }));
    await expect(failureOf(sending)).resolves.toEqual(UNSENT);
  });

  it('does not know the outcome when the connection ends or the deadline comes before an answer', async () => {
    server.answer = hangUp;
    await expect(failureOf(local(request(server.origin)))).resolves.toEqual(UNKNOWN);
    server.answer = () => undefined;
    await expect(failureOf(local(request(server.origin, { deadlineMs: 300 })))).resolves.toEqual(UNKNOWN);
    server.answer = (_request, response) => void response.socket?.end('HTTP/9.9 what\r\n\r\n');
    await expect(failureOf(local(request(server.origin)))).resolves.toEqual(UNKNOWN);
    expect(server.received).toHaveLength(3);
  });

  it('takes a lost answer to what may be repeated as a passing failure', async () => {
    server.answer = hangUp;
    const facts = await failureOf(local(request(server.origin, { repeatable: true })));
    expect(facts).toEqual({ class: 'TRANSIENT', code: 'PROVIDER_UNREACHABLE', sent: true });
  });
});
