/** The text of a component.json, as far as being a JSON object. */
import { expectObject, type Notes, type Place } from './places';

/** Real descriptors reach 512 KB. */
export const MAX_BYTES = 1024 * 1024;

/** @returns the object, or undefined after an error */
export function parseDocument(text: string, notes: Notes): Place | undefined {
  const whole = { pointer: '' };
  if (Buffer.byteLength(text) > MAX_BYTES) {
    notes.error('TOO_LARGE', whole, `larger than ${MAX_BYTES} bytes`);
    return undefined;
  }
  if (text.includes('\uFFFD')) notes.warn('ENCODING_DAMAGED', whole, 'not saved as UTF-8: some characters are lost');
  const root = parse(text, whole, notes);
  return root && expectObject(root, notes) ? root : undefined;
}

function parse(text: string, whole: { pointer: string }, notes: Notes): Place | undefined {
  const json = text.replace(/^\uFEFF/, '');
  try {
    return { ...whole, value: JSON.parse(json) as unknown };
  } catch (error) {
    notes.error('JSON_INVALID', whole, `not valid JSON${placeOf(error, json)}`);
    return undefined;
  }
}

/** The parser's own message may quote the file, thus a secret; only the position is taken from it. */
function placeOf(error: unknown, text: string): string {
  const message = error instanceof SyntaxError ? error.message : '';
  if (message.includes('end of JSON input')) return ': it ends too early';
  const position = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(message)?.[1];
  if (position === undefined) return '';
  const before = text.slice(0, Number(position)).split('\n');
  return ` (line ${before.length}, column ${before.at(-1)!.length + 1})`;
}
