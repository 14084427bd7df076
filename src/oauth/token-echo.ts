/** Some APIs repeat what they were sent. An answer goes into workflow histories, where the token must never be. */

/** Anything shorter is found by chance. */
const MIN_LENGTH = 8;

/** @returns whether the token is in the text: plain, escaped for JSON or a URL, in hex or base64 of either alphabet */
export function carriesToken(text: string, token: string): boolean {
  return formsOf(token).some((form) => form.length >= MIN_LENGTH && text.includes(form));
}

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
