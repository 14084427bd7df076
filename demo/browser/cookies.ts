/** Cookies by host and path, as a browser keeps them; `Secure` is not held against http on loopback. */
interface Cookie {
  readonly host: string;
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

export class CookieJar {
  readonly #cookies = new Map<string, Cookie>();

  /** Takes `Set-Cookie` lines of an answer from `url`. An empty value or a past expiry removes the cookie. */
  store(url: URL, lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const [name, value] = split(pair);
      const options = new Map(attributes.map(split).map(([key, text]) => [key.toLowerCase(), text]));
      const path = options.get('path') || '/';
      const key = `${url.hostname} ${path} ${name}`;
      if (value === '' || hasExpired(options)) this.#cookies.delete(key);
      else this.#cookies.set(key, { host: url.hostname, path, name, value });
    }
  }

  /** The `Cookie` header for a request to `url`, longest path first; undefined = none. */
  header(url: URL): string | undefined {
    const matching = [...this.#cookies.values()]
      .filter(({ host, path }) => host === url.hostname && covers(path, url.pathname))
      .sort((a, b) => b.path.length - a.path.length);
    return matching.length === 0 ? undefined : matching.map(({ name, value }) => `${name}=${value}`).join('; ');
  }
}

function split(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}

function hasExpired(options: ReadonlyMap<string, string>): boolean {
  const maxAge = options.get('max-age');
  if (maxAge !== undefined) return Number(maxAge) <= 0;
  const expires = options.get('expires');
  return expires !== undefined && Date.parse(expires) <= Date.now();
}

function covers(cookiePath: string, path: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
}
