import { checkEndpointSyntax, resolveEndpoint } from '../../../src/oauth/endpoint-policy';
import { oddServer } from '../../support/odd-server';

const PUBLIC = { allowPrivateNetworks: false };
const PRIVATE = { allowPrivateNetworks: true };

it.each<[string, string | undefined, string | undefined]>([
  ['https://login.example.com/token', undefined, undefined],
  ['https://login.example.com/token?tenant=1', undefined, undefined],
  ['https://login.example.com:8443/token', undefined, undefined],
  ['https://login.example.com/users/@me', undefined, undefined],
  ['https://login.example.com:22/token', 'port_not_allowed', undefined],
  ['http://login.example.com/token', 'not_https', 'not_https'],
  ['http://127.0.0.1:8080/token', 'not_https', undefined],
  ['http://localhost:8080/token', 'not_https', undefined],
  ['http://[::1]:8080/token', 'not_https', undefined],
  ['http://idp.localhost/token', 'not_https', undefined],
  ['http://10.0.0.1/token', 'not_https', 'not_https'],
  ['http://127.0.0.1.evil.example/token', 'not_https', 'not_https'],
  ['https://user@login.example.com/', 'has_credentials', 'has_credentials'],
  ['https://:@login.example.com/', 'has_credentials', 'has_credentials'],
  ['https://login.example.com/#', 'has_fragment', 'has_fragment'],
  ['/token', 'not_absolute', 'not_absolute'],
  ['login.example.com/token', 'not_absolute', 'not_absolute'],
  ['//login.example.com/token', 'not_absolute', 'not_absolute'],
  ['https:login.example.com', 'not_absolute', 'not_absolute'],
  ['https:\\\\login.example.com', 'not_absolute', 'not_absolute'],
  ['https://', 'not_absolute', 'not_absolute'],
  ['https://login.example.com/a b', 'not_absolute', 'not_absolute'],
  [' https://login.example.com/', 'not_absolute', 'not_absolute'],
  ['https://login.example\u0000.com/', 'not_absolute', 'not_absolute'],
  ['ftp://login.example.com/', 'not_absolute', 'not_absolute'],
  ['', 'not_absolute', 'not_absolute'],
])('%j is %s; where private networks are allowed %s', (url, fault, faultWithin) => {
  expect(checkEndpointSyntax(url, PUBLIC)).toBe(fault);
  expect(checkEndpointSyntax(url, PRIVATE)).toBe(faultWithin);
});

describe('an endpoint is tried before it is kept (C8)', () => {
  const blocked = { facts: { class: 'BLOCKED', code: 'ENDPOINT_BLOCKED', sent: false } };
  const unreachable = { facts: { class: 'TRANSIENT', code: 'PROVIDER_UNREACHABLE', sent: false } };

  it('one that answers is fine, and gets no request', async () => {
    const server = await oddServer();
    await resolveEndpoint(`${server.origin}/token`, PRIVATE);
    await expect(resolveEndpoint(`https://127.0.0.1:${server.port}/token`, PRIVATE)).rejects.toMatchObject(unreachable);
    await server.close();
    expect(server.received).toEqual([]);
    await expect(resolveEndpoint(`${server.origin}/token`, PRIVATE)).rejects.toMatchObject(unreachable);
  });
  it.each([
    'https://127.0.0.1/',
    'https://localhost/',
    'https://[::1]/',
    'https://10.0.0.1/',
    'http://127.0.0.1/',
    'https://0x7f.1/',
  ])('%s is blocked', async (url) => {
    await expect(resolveEndpoint(url, PUBLIC)).rejects.toMatchObject(blocked);
  });
  it('a metadata service is always blocked', async () => {
    await expect(resolveEndpoint('https://169.254.169.254/', PRIVATE)).rejects.toMatchObject(blocked);
  });
  it('a name that does not exist is not reachable', async () => {
    await expect(resolveEndpoint('https://nowhere.invalid/', PUBLIC)).rejects.toMatchObject(unreachable);
  });
});
