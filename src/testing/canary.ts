/** Finds secrets where none may be: in a history, a log, a dump or an answer, in any encoding they may have got into. */

/** A shorter one would be found by chance. */
const MIN_LENGTH = 12;

/**
 * List the forms in which a secret may turn up: plain, URL-encoded, JSON-escaped, hex, base64 and base64url. Base64 forms
 * leave out the characters that depend on neighbours, so they are found inside the encoding of a larger text.
 * @throws RangeError when the secret has fewer than 12 characters
 */
export function canaryForms(secret: string): string[] {
  return [...formsByName(secret).keys()];
}

/**
 * Search a text for secrets.
 * @returns one line per finding, for example `secret 2 of 5 as base64, at byte 118`; never a secret
 * @throws RangeError when a secret has fewer than 12 characters
 */
export function findCanaries(text: string | Buffer, secrets: readonly string[]): string[] {
  const searched = typeof text === 'string' ? Buffer.from(text) : text;
  return secrets.flatMap((secret, index) =>
    [...formsByName(secret)].flatMap(([form, name]) => {
      const at = searched.indexOf(form);
      return at < 0 ? [] : [`secret ${index + 1} of ${secrets.length} as ${name}, at byte ${at}`];
    }),
  );
}

/** Form → its name; forms that look alike are listed once. */
function formsByName(secret: string): Map<string, string> {
  if (secret.length < MIN_LENGTH) throw new RangeError(`A canary has at least ${MIN_LENGTH} characters`);
  const bytes = Buffer.from(secret);
  const percent = encodeURIComponent(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const named: [name: string, form: string][] = [
    ['plain text', secret],
    ['JSON', json],
    ['JSON in JSON', JSON.stringify(json).slice(1, -1)],
    ['JSON with \\u escapes', json.replace(/[^\x20-\x7e]/g, unicodeEscape)],
    ['URL encoding', percent],
    ['URL encoding', percent.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())],
    ['form encoding', new URLSearchParams({ '': secret }).toString().slice(1)],
    ['hex', bytes.toString('hex')],
    ['hex', bytes.toString('hex').toUpperCase()],
    ...base64Forms('base64', bytes),
    ...base64Forms('base64 of JSON', Buffer.from(json)),
  ];
  const forms = new Map<string, string>();
  for (const [name, form] of named) if (!forms.has(form)) forms.set(form, name);
  return forms;
}

function base64Forms(name: string, bytes: Buffer): [name: string, form: string][] {
  return [0, 1, 2].flatMap((offset): [string, string][] => {
    const base64 = base64At(bytes, offset);
    return [
      [name, base64],
      [name.replace('base64', 'base64url'), base64.replaceAll('+', '-').replaceAll('/', '_')],
    ];
  });
}

/** The characters of the base64 of `<offset bytes><secret><anything>` that are the same whatever stands around it. */
function base64At(bytes: Buffer, offset: number): string {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes]);
  const text = whole.toString('base64').replaceAll('=', '');
  const leading = offset === 0 ? 0 : offset + 1;
  const trailing = whole.length % 3 === 0 ? 0 : 1;
  return text.slice(leading, text.length - trailing);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
