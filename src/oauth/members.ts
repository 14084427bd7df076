/** Members of a foreign answer, of which nothing is certain. */
import type { GuardedAnswer } from './guarded-client';

export type Members = Readonly<Record<string, unknown>>;

/** @returns undefined when the body is neither a JSON object nor form-encoded, as some servers answer */
export function membersOf({ body, headers }: Pick<GuardedAnswer, 'body' | 'headers'>): Members | undefined {
  const json = jsonObject(body);
  if (json !== undefined) return json;
  const declared = headers['content-type']?.includes('application/x-www-form-urlencoded') && body !== '';
  return declared || /^[\w.]+=[^<{]*$/.test(body) ? Object.fromEntries(new URLSearchParams(body)) : undefined;
}

export function jsonObject(text: string): Members | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Members) : undefined;
  } catch {
    return undefined;
  }
}

/** @param path member names joined by dots; inherited members do not count */
export function at(members: Members, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => {
    const own = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
    return own ? (value as Members)[name] : undefined;
  }, members);
}

export function textAt(members: Members | undefined, path: string): string | undefined {
  return members && textOf(at(members, path));
}

/** @returns numbers as text; undefined for what is empty or neither */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
