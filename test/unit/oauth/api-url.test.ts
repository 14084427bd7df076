import { apiUrl, safeHeaders } from '../../../src/oauth/api-url';

const BASE = 'https://api.example.com/v1';
const at = (path: string, base = BASE, denied: readonly string[] = []): string => apiUrl(base, path, undefined, denied);

it.each<[string, string, string]>([
  ['/orders', BASE, `${BASE}/orders`],
  ['orders', BASE, `${BASE}/orders`],
  ['', BASE, `${BASE}/`],
  ['/orders/', BASE, `${BASE}/orders/`],
  ['/orders?page=2&q=a b', BASE, `${BASE}/orders?page=2&q=a%20b`],
  ['/orders#part', BASE, `${BASE}/orders`],
  ['/a/../orders', BASE, `${BASE}/orders`],
  ['/users/ann@example.com', BASE, `${BASE}/users/ann@example.com`],
  ['/orders/a%20b', BASE, `${BASE}/orders/a%20b`],
  ['/projects/group%2Fproject', BASE, `${BASE}/projects/group%2Fproject`],
  ['/orders', `${BASE}/`, `${BASE}/orders`],
  ['/orders', 'https://api.example.com', 'https://api.example.com/orders'],
  ['/orders', 'https://api.example.com/', 'https://api.example.com/orders'],
  [`${BASE}/orders`, BASE, `${BASE}/orders`],
  ['HTTPS://API.example.com:443/v1/orders', BASE, `${BASE}/orders`],
])('%j below %s is %s', (path, base, url) => expect(at(path, base)).toBe(url));

it.each([
  'https://evil.example/v1/orders',
  'http://api.example.com/v1/orders',
  'https://api.example.com:8443/v1/orders',
  'https://api.example.com.evil.example/v1/orders',
  'https://api.example.com@evil.example/v1/orders',
  'https://user:pw@api.example.com/v1/orders',
  'https://api.example.com/v2/orders',
  'https://api.example.com/v10/orders',
  'https:evil.example/v1',
  'https:/evil.example/v1',
  'blob:https://api.example.com/v1/orders',
  'javascript:alert(1)',
  'data:text/plain,x',
  'file:///etc/passwd',
  '//evil.example/v1',
  '///evil.example/v1',
  '/\\evil.example/v1',
  '\\\\evil.example/v1',
  '@evil.example/v1',
  '/../v2/orders',
  '/../../v2',
  '/..',
  '/..%2fv2/orders',
  '/x%2F..%2F..%2fv2',
  '/x%2f..;y/v2',
  '/%2e%2e/v2/orders',
  '/%2E%2E/v2/orders',
  '/..%5cv2',
  '/a\\..\\..\\v2',
  '/orders\r\nHost: evil.example',
  '/orders?q=1\r\nHost: evil.example',
  '/orders\u0000',
  '/orders%00',
  '/orders%0d%0aHost:x',
  '/or\tders',
  ' /orders',
  '/or ders',
])('%j leaves no trace', (path) => {
  expect(() => at(path)).toThrow(expect.objectContaining({ code: 'ORIGIN_NOT_ALLOWED' }));
  try {
    at(path);
  } catch (error) {
    expect(String(error)).not.toContain('evil');
  }
});

describe('a denied path', () => {
  const denied = ['/oauth/token', '/Admin/'];
  it.each([
    '/oauth/token',
    '/oauth/token/',
    '/oauth/token/x',
    '/oauth/token?x=1',
    '/oauth%2ftoken',
    '/OAUTH/Token',
    '/oauth//token',
    '/.//oauth/token',
    '/x/../oauth/token',
    '/o%61uth/token',
    '/oauth;v=1/token',
    '/admin',
    '/admin/users',
  ])('%s is refused however it is spelled', (path) => {
    expect(() => at(path, BASE, denied)).toThrow(expect.objectContaining({ code: 'ORIGIN_NOT_ALLOWED' }));
  });
  it.each(['/oauth', '/oauth/tokens', '/administrators', '/v2/oauth/token'])('%s is another', (path) => {
    expect(at(path, BASE, denied)).toBe(BASE + path);
  });
  it('an escape that is none is refused', () => expect(() => at('/a%zz')).toThrow());
});

it('adds query parameters to those of the path, repeated where given a list', () => {
  const url = apiUrl(BASE, '/orders?page=1', { since: '2026-01-01 &', id: [1, 2], open: true }, []);
  expect(url).toBe(`${BASE}/orders?page=1&since=2026-01-01+%26&id=1&id=2&open=true`);
});

describe('headers of an author', () => {
  it('001-17 never replace what is the connection’s', () => {
    const given = {
      Authorization: 'Bearer mine',
      cookie: 'a=b',
      HOST: 'evil.example',
      Connection: 'close',
      'Transfer-Encoding': 'chunked',
      'Content-Length': '1',
      'Proxy-Authorization': 'x',
      TE: 'trailers',
      Upgrade: 'h2c',
      'Keep-Alive': 'x',
      'X-Own': 'kept',
      Accept: 'text/csv',
    };
    expect(safeHeaders(given)).toEqual({ 'x-own': 'kept', accept: 'text/csv' });
    expect(safeHeaders()).toEqual({});
  });
  it.each([
    ['x-own', 'a\r\nHost: evil.example'],
    ['x-own', 'a\nb'],
    ['x-own', 'a\u0000'],
    ['x-own', 'ż'],
    ['x own', 'a'],
    ['x:own', 'a'],
    ['x-own\r\nhost', 'a'],
    ['', 'a'],
  ])('%j: %j is refused', (name, value) => {
    expect(() => safeHeaders({ [name]: value })).toThrow(expect.objectContaining({ code: 'MEMBER_INVALID' }));
  });
});
