import { flowFailure } from './failures';

/**
 * Build a path from a template; every inserted value becomes exactly one segment, or a part of one.
 *
 * ```ts
 * path`/orders/${id}/lines/${line}`
 * ```
 *
 * @throws SYNTAX_INVALID (`ApplicationFailure`) for a value that would leave its place: empty, `.`, `..`, half a character
 */
export function path(literals: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return values.reduce<string>(
    (text, value, index) => text + segment(value) + (literals[index + 1] ?? ''),
    literals[0] ?? '',
  );
}

function segment(value: string | number): string {
  const text = String(value);
  if (text === '' || text === '.' || text === '..') throw refused(text);
  try {
    return encodeURIComponent(text);
  } catch {
    throw refused(text);
  }
}

const refused = (text: string) => flowFailure('SYNTAX_INVALID', `A path segment cannot be ${JSON.stringify(text)}`);
