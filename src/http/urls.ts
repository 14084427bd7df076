/** Which URLs people may give us: endpoints of a provider, and places to return to. Syntax only; nothing is resolved here. */
import { BlockList, isIPv4, isIPv6, type IPVersion } from 'node:net';

/** Ranges that are no public address (RFC 6890, and what block lists tend to forget). */
const NOT_PUBLIC = {
  ipv4: blockList(
    'ipv4',
    '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 ' +
      '192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
  ),
  // A list of its own: Node finds every IPv4 address in the range of mapped ones.
  ipv6: blockList(
    'ipv6',
    '::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/32 2001:db8::/32 2002::/16 fc00::/7 fe80::/10 ff00::/8',
  ),
};

/** An authority without user info, then path, query or the end. The WHATWG parser forgives far more than this. */
const STRICT = /^https?:\/\/[^/?#@\\\s]+(?:[/?#][^\\\s]*)?$/i;
const CONTROL = /\p{Cc}/u;

/**
 * Whether a URL may be an endpoint: absolute, https, of a public host; with `allowPrivate` also of a private one, and http
 * on loopback. Names are not resolved: that is done for every connection of the guarded client.
 */
export function isEndpoint(text: string, allowPrivate: boolean): boolean {
  const url = strictUrl(text);
  if (url === undefined || url.hash !== '' || text.endsWith('#')) return false;
  const host = url.hostname.replace(/\.$/, '');
  if (url.protocol === 'http:') return allowPrivate && isLoopback(host);
  return allowPrivate || !isPrivate(host);
}

/** Whether a person may be sent there: one of the exact origins, and https but on loopback. */
export function isReturnTarget(text: string, origins: readonly string[]): boolean {
  const url = strictUrl(text);
  if (url === undefined || !origins.includes(url.origin)) return false;
  return url.protocol === 'https:' || isLoopback(url.hostname);
}

function strictUrl(text: string): URL | undefined {
  return STRICT.test(text) && !CONTROL.test(text) && URL.canParse(text) ? new URL(text) : undefined;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function isPrivate(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  if (isIPv4(address)) return NOT_PUBLIC.ipv4.check(address);
  if (isIPv6(address)) return NOT_PUBLIC.ipv6.check(address, 'ipv6');
  return isLoopback(host) || !host.includes('.');
}

function blockList(family: IPVersion, ranges: string): BlockList {
  const blocked = new BlockList();
  for (const range of ranges.split(' ')) {
    const [address = '', bits] = range.split('/');
    blocked.addSubnet(address, Number(bits), family);
  }
  return blocked;
}
