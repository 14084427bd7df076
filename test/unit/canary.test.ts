import fc from 'fast-check';
import { inspect } from 'node:util';
import { canaryForms, findCanaries } from '../../src/testing/canary';

const SECRET = 'cañary/+?=& "4711"\\ü🔐';

const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  'plain text': (text) => text,
  'percent encoding': (text) => encodeURIComponent(text),
  'percent encoding in lower case': (text) =>
    encodeURIComponent(text).replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
  'form encoding': (text) => new URLSearchParams({ token: text }).toString(),
  hex: (text) => Buffer.from(text).toString('hex'),
  'hex in capitals': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  JSON: (text) => JSON.stringify({ text }),
  'JSON in JSON': (text) => JSON.stringify({ inner: JSON.stringify({ text }) }),
  base64: (text) => Buffer.from(text).toString('base64'),
  'base64 of JSON': (text) => Buffer.from(JSON.stringify({ text })).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
};

it.each(Object.keys(ENCODINGS))('a secret is found in %s, whatever stands around it', (name) => {
  const encode = ENCODINGS[name] ?? String;
  const plain = fc.stringMatching(/^[a-zA-Z0-9 ]{0,9}$/);
  const secret = fc.string({ minLength: 12, maxLength: 60, unit: 'grapheme' });
  fc.assert(
    fc.property(plain, secret, plain, (before, hidden, after) => {
      const text = encode(`${before}${hidden}${after}`);
      expect(findCanaries(text, [hidden])).not.toEqual([]);
      expect(findCanaries(Buffer.from(text), [hidden])).not.toEqual([]);
    }),
  );
});

it('JSON with escapes for all that is not ASCII is found', () => {
  expect(findCanaries('{"text":"\\u00fcber-canary-4711"}', ['über-canary-4711'])).toHaveLength(1);
});

it('a finding names place and encoding, never the secret', () => {
  const text = `Basic ${Buffer.from(`client:${SECRET}`).toString('base64')}`;
  const found = findCanaries(text, ['some other secret', SECRET]);
  expect(found).toEqual([expect.stringMatching(/^secret 2 of 2 as base64, at byte \d+$/)]);
  for (const form of canaryForms(SECRET)) expect(inspect(found)).not.toContain(form);
});

it('every secret that is there is told', () => {
  expect(findCanaries('first-secret-1 and second-secret-2', ['first-secret-1', 'second-secret-2'])).toEqual([
    'secret 1 of 2 as plain text, at byte 0',
    'secret 2 of 2 as plain text, at byte 19',
  ]);
});

it('a part of a secret is no finding', () => {
  expect(findCanaries(SECRET.slice(0, -1) + SECRET.slice(1), [SECRET])).toEqual([]);
});

it('forms of a plain secret are listed once each', () => {
  const forms = canaryForms('abcdefghijkl');
  expect(new Set(forms).size).toBe(forms.length);
  expect(forms).toContain('abcdefghijkl');
  expect(forms).toContain('YWJjZGVmZ2hpamts');
});

it('a secret that could be found by chance is refused', () => {
  expect(() => canaryForms('short')).toThrow(RangeError);
  expect(() => findCanaries('', ['short'])).toThrow(RangeError);
});
