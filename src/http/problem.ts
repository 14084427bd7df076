/** Problems: what is wrong with a request, or kept it from being answered. */
import type { Fact } from '../connection/types';
import { ERRORS, type ErrorCode } from '../errors';

/** One thing that is wrong with a request, or kept it from being answered. */
export interface Problem {
  readonly code: ErrorCode;
  /** Where another status than the code's own is demanded. */
  readonly status?: number;
  readonly title?: string;
  readonly detail?: string;
  /** JSON pointer into the request's document (RFC 6901). */
  readonly pointer?: string;
  /** Name of a query parameter. */
  readonly parameter?: string;
  readonly header?: string;
  readonly meta?: Readonly<Record<string, Fact>>;
}

/** Problems found while answering, all at once. */
export class ProblemError extends Error {
  readonly problems: readonly Problem[];
  readonly retryAfterSeconds: number | undefined;

  constructor(problems: readonly Problem[], retryAfterSeconds?: number) {
    super(problems.map(({ code }) => code).join(' '));
    this.name = 'ProblemError';
    this.problems = problems;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export const statusOf = ({ code, status }: Problem): number => status ?? ERRORS[code].status;
