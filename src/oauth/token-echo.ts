/** Some APIs repeat what they were sent. An answer goes into workflow histories, where the token must never be. */

/** Anything shorter is found by chance. */
const MIN_LENGTH = 8;

/**
 * @returns whether the token is in the text: plain, escaped for JSON, HTML or a URL, in hex or base64 of either alphabet;
 *   serialisers may write any character of it as an escape (`\\u003d`, `&#x3d;`)
 */
export function carriesToken(text: string, token: string): boolean {
  const texts = [text, unescaped(text)];
  return formsOf(token).some((form) => form.length >= MIN_LENGTH && texts.some((one) => one.includes(form)));
}

function unescaped(text: string): string {
  return text
    .replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replace(/&#x([0-9a-f]{1,6});/gi, (all, hex: string) => character(parseInt(hex, 16)) ?? all)
    .replace(/&#(\d{1,7});/g, (all, decimal: string) => character(Number(decimal)) ?? all)
    .replaceAll('\\/', '/');
}

const character = (code: number): string | undefined => (code <= 0x10ffff ? String.fromCodePoint(code) : undefined);

function formsOf(token: string): readonly string[] {
  const bytes = Buffer.from(token);
  const hex = bytes.toString('hex');
  const percent = encodeURIComponent(token);
  // Characters at the edges of base64 depend on their neighbours: what is compared is what does not.
  const base64url = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64url')
      .slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + bytes.length) * 4) / 3)),
  );
  const base64 = base64url.map((form) => form.replaceAll('-', '+').replaceAll('_', '/'));
  return [
    token,
    JSON.stringify(token).slice(1, -1),
    // Many serialisers escape the slash.
    token.replaceAll('/', '\\/'),
    percent,
    percent.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
    hex,
    hex.toUpperCase(),
    ...base64url,
    ...base64,
    ...base64.map((form) => form.replaceAll('/', '\\/')),
  ];
}
