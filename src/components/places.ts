/** Walking a parsed JSON document: values that know where they stand, and what is said about them. */
import type { ErrorFinding, Finding, WarningFinding } from './contract';

/** A value of the document and its JSON pointer (RFC 6901). `undefined`: nothing stands there. */
export interface Place {
  readonly value: unknown;
  readonly pointer: string;
}

export interface Notes {
  readonly findings: readonly Finding[];
  error(code: ErrorFinding, at: Pick<Place, 'pointer'>, message: string): void;
  warn(code: WarningFinding, at: Pick<Place, 'pointer'>, message: string): void;
}

export function takeNotes(): Notes {
  const findings: Finding[] = [];
  return {
    findings,
    error: (code, { pointer }, message) => void findings.push({ severity: 'error', code, pointer, message }),
    warn: (code, { pointer }, message) => void findings.push({ severity: 'warning', code, pointer, message }),
  };
}

export function member({ value, pointer }: Place, key: string): Place {
  const held = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return { value: held, pointer: `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` };
}

/** Whether an object stands there. What is neither that nor absent is an error. */
export function expectObject(place: Place, notes: Notes): boolean {
  const { value } = place;
  if (isObject(value) || value === undefined) return value !== undefined;
  notes.error('NOT_AN_OBJECT', place, `an object is needed here, not ${kindOf(value)}`);
  return false;
}

/** The members of an object, none of what is absent; an error as of `expectObject`. */
export function membersOf(place: Place, notes: Notes): [key: string, at: Place][] {
  if (!expectObject(place, notes)) return [];
  return Object.keys(place.value as object).map((key) => [key, member(place, key)]);
}

/** A text that may be absent; anything else counts as absent, with a warning. */
export function textAt(place: Place, notes: Notes): string | undefined {
  if (typeof place.value === 'string' || place.value === undefined) return place.value;
  notes.warn('MEMBER_IGNORED', place, `ignored: a string is expected, not ${kindOf(place.value)}`);
  return undefined;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a value is, without the value: it may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
