import { isEndpoint, isReturnTarget } from '../../../src/http/urls';

describe('an endpoint', () => {
  it.each([
    'https://a.test/token',
    'https://a.test:8443/x?y=z',
    'https://93.184.216.34/token',
    'https://[2606:2800::1]/',
  ])('may be %s', (url) => expect(isEndpoint(url, false)).toBe(true));

  it.each([
    'http://a.test/token',
    'https://localhost/token',
    'https://localhost./token',
    'https://x.localhost/token',
    'https://intranet/token',
    'https://127.1/',
    'https://0177.0.0.1/',
    'https://0/',
    'https://192.168.1.1/',
    'https://100.64.0.1/',
    'https://198.18.0.1/',
    'https://[::]/',
    'https://[fe80::1]/',
    'https://[64:ff9b::a00:1]/',
    'https://[2002:a00:1::]/',
    'https://[2001::1]/',
    'https://a.test/#',
    'https://a.test/ x',
    'https://a\t.test/',
    ' https://a.test/',
    'https:///a.test/',
    'https:\\\\a.test',
    'javascript:alert(1)',
    '',
  ])('may not be %j', (url) => expect(isEndpoint(url, false)).toBe(false));

  it('may be private, and http on loopback, where the configuration allows it', () => {
    for (const url of [
      'http://127.0.0.1:4000/token',
      'http://localhost:4000/',
      'http://[::1]:4000/',
      'https://10.0.0.1/',
    ]) {
      expect([url, isEndpoint(url, true)]).toEqual([url, true]);
    }
    for (const url of ['http://10.0.0.1/', 'http://a.test/', 'http://127.0.0.1.evil.test/']) {
      expect([url, isEndpoint(url, true)]).toEqual([url, false]);
    }
  });
});

describe('a place to return to', () => {
  const origins = ['https://good.test', 'http://localhost:3000', 'http://plain.test'];

  it.each(['https://good.test', 'https://good.test/flows/7?step=2#here', 'http://localhost:3000/x'])(
    'may be %s',
    (url) => expect(isReturnTarget(url, origins)).toBe(true),
  );

  it.each([
    'https://good.test.evil.test/',
    'https://evil.test/?https://good.test',
    'https://good.test@evil.test/',
    'https://@good.test/',
    'https://user:pw@good.test/',
    'https:good.test',
    'https:/good.test',
    '//good.test/',
    '/\\good.test',
    '\\\\good.test',
    'https://good.test\\@evil.test',
    'https://evil.test\\.good.test',
    'https://go\tod.test/',
    'https://good.test/\n',
    ' https://good.test',
    'https://good.test:8443/',
    'http://good.test/',
    'http://plain.test/',
    'javascript://good.test/%0aalert(1)',
    'data:text/html,x',
    '/flows/7',
    '',
  ])('may not be %j', (url) => expect(isReturnTarget(url, origins)).toBe(false));
});
