/** Where a flow's request may go: below the API base URL and nowhere else (oauth.md 6, "token exfiltration"; C25). */
import type { Query } from '../connection/requests';
import { DurableOAuthError } from '../errors';

/** Parsers disagree about these; a token must not depend on which one is right. */
const TRICKY = /[\s\\]|%5c|%2e|%0[0-9a-f]|%1[0-9a-f]|%7f/i;
const CONTROL = /\p{Cc}/u;

/**
 * Join a path (or an absolute URL of the same origin) with the API base URL.
 * @throws ORIGIN_NOT_ALLOWED when the result would leave the origin or the base path, or is on the preset's deny list
 */
export function apiUrl(
  baseUrl: string,
  path: string,
  query: Query | undefined,
  deniedPaths: readonly string[],
): string {
  const [bare = ''] = path.split(/[?#]/);
  if (CONTROL.test(path) || TRICKY.test(bare) || /^(\/\/|@)/.test(path)) throw refused();
  const base = new URL(baseUrl);
  const root = base.pathname.replace(/\/+$/, '');
  const absolute = /^[a-z][a-z0-9+.-]*:/i.test(path);
  const joined = absolute ? path : `${base.origin}${root}/${path.replace(/^\//, '')}`;
  if (!URL.canParse(joined)) throw refused();
  const url = new URL(joined);
  const inside = url.pathname === root || url.pathname.startsWith(`${root}/`);
  const same = url.origin === base.origin && url.protocol === base.protocol;
  if (!same || url.username !== '' || url.password !== '' || !inside) throw refused();
  const asked = meaning(url.pathname.slice(root.length));
  if (deniedPaths.map(meaning).some((denied) => asked === denied || asked.startsWith(`${denied}/`))) throw refused();
  url.hash = '';
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of [value].flat()) url.searchParams.append(name, String(one));
  }
  return url.href;
}

/** A path as the most forgiving server reads it: escapes, case, repeated slashes and parameters make no difference. */
function meaning(path: string): string {
  let plain: string;
  try {
    plain = decodeURIComponent(path);
  } catch {
    throw refused();
  }
  const segments = plain
    .toLowerCase()
    .split('/')
    .map((segment) => segment.replace(/;.*$/, ''));
  // An escaped slash is data to most servers (an id may hold one) and a separator to some: it must not lead upwards.
  if (segments.some((segment) => segment === '.' || segment === '..')) throw refused();
  return segments.filter(Boolean).join('/');
}

const refused = (): DurableOAuthError =>
  new DurableOAuthError('ORIGIN_NOT_ALLOWED', 'The URL is not below the API base URL of the connection');

/** Ours to set, or the connection's own business. */
const RESERVED = new Set([
  'authorization',
  'cookie',
  'host',
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Neither breaks out of its line nor is refused by the socket. */
export const isHeader = (name: string, value: string): boolean =>
  /^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);

/**
 * Headers an author may add, in lower case. Authorization, Cookie, Host and hop-by-hop headers are dropped: the
 * connection's own win.
 * @throws MEMBER_INVALID for a name or value that could break out of its line
 */
export function safeHeaders(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!isHeader(name, value)) throw new DurableOAuthError('MEMBER_INVALID', 'A header of the request is not allowed');
    if (!RESERVED.has(name.toLowerCase())) kept[name.toLowerCase()] = value;
  }
  return kept;
}

/** A token endpoint that shares the API's origin would answer a flow with tokens. @returns paths below the base URL */
export function endpointsBelow(
  apiBaseUrl: string,
  { authorization, token, revocation }: { authorization?: string; token: string; revocation?: string },
): string[] {
  const base = new URL(apiBaseUrl);
  const root = base.pathname.replace(/\/+$/, '');
  return [authorization, token, revocation]
    .flatMap((endpoint) => (endpoint === undefined ? [] : [new URL(endpoint)]))
    .filter(({ origin, pathname }) => origin === base.origin && pathname.startsWith(`${root}/`))
    .map(({ pathname }) => pathname.slice(root.length));
}
