/** Failures of the driver become failures of ours here; nothing else of them leaves, no text and no value. */
import { isDeepStrictEqual } from 'node:util';
import { DatabaseError } from 'pg';
import { DurableOAuthError, isDurableOAuthError, type Coordinates, type ErrorCode } from '../errors';

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';
/** Relation or schema that does not exist (yet): a process that started before its migration. */
const NOT_MIGRATED = ['42P01', '42703', '3F000'];
/** Values the database cannot take, broken constraints, and statements it cannot read: defects of ours. */
const DEFECT_CLASSES = ['21', '22', '23', '2F', '42'];

const TEXTS = {
  ALREADY_EXISTS: 'The registry holds such an entry already',
  NOT_FOUND: 'The registry has no entry that this one belongs to',
  INTERNAL: 'The registry refused a statement',
  REGISTRY_UNAVAILABLE: 'The registry does not answer',
} as const satisfies Partial<Record<ErrorCode, string>>;

function codeOf(sqlState: string): keyof typeof TEXTS {
  if (sqlState === UNIQUE_VIOLATION) return 'ALREADY_EXISTS';
  if (sqlState === FOREIGN_KEY_VIOLATION) return 'NOT_FOUND';
  if (NOT_MIGRATED.includes(sqlState)) return 'REGISTRY_UNAVAILABLE';
  return DEFECT_CLASSES.includes(sqlState.slice(0, 2)) ? 'INTERNAL' : 'REGISTRY_UNAVAILABLE';
}

/** @param coordinates non-secret facts that locate the operation */
export function toRegistryError(error: unknown, coordinates: Coordinates): DurableOAuthError {
  if (isDurableOAuthError(error)) return error;
  if (error instanceof DatabaseError && error.code !== undefined) {
    const code = codeOf(error.code);
    return new DurableOAuthError(code, TEXTS[code], { ...coordinates, sqlState: error.code });
  }
  // Lost connections, time-outs and a closed pool are plain errors; a TypeError and its like are ours.
  const code = error instanceof TypeError || error instanceof RangeError ? 'INTERNAL' : 'REGISTRY_UNAVAILABLE';
  return new DurableOAuthError(code, TEXTS[code], coordinates);
}

type Method = (...given: never[]) => Promise<unknown>;

/** Make every method of a repository fail with our codes only. */
export function guarded<T extends object>(name: string, repository: T): T {
  const methods = Object.entries(repository as Readonly<Record<string, Method>>).map(([method, run]) => [
    method,
    async (...given: never[]): Promise<unknown> => {
      try {
        return await run(...given);
      } catch (error) {
        throw toRegistryError(error, { operation: `${name}.${method}` });
      }
    },
  ]);
  return Object.fromEntries(methods) as T;
}

/** What a statement over one connection or the like says when its row is not there. */
export function notFound(what: string, coordinates: Coordinates): DurableOAuthError {
  return new DurableOAuthError('NOT_FOUND', `The registry has no such ${what}`, coordinates);
}

/**
 * If-Match inside the transaction of the write, once the row is locked: whoever was faster has changed what was judged.
 * @param base what the caller's representation was made of; undefined = whatever is there
 * @throws PRECONDITION_FAILED
 */
export function refuseOther<Base>(now: Base, base: Base | undefined, coordinates: Coordinates): void {
  if (base === undefined || isDeepStrictEqual(now, base)) return;
  throw new DurableOAuthError('PRECONDITION_FAILED', undefined, coordinates);
}
