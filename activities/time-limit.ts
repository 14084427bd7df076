/** Steps of an activity have budgets, because its time-outs run from the start. */
import { DurableOAuthError, type ErrorCode } from '../src/errors';

/** @throws `code` when the work takes longer; the work itself goes on and its end is ignored */
export async function within<T>(ms: number, code: ErrorCode, attempted: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DurableOAuthError(code, attempted, { afterMs: ms })), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

/** What several steps may take together. */
export interface Budget {
  /** Milliseconds, never below 0. */
  left(): number;
  /** @throws `code` when the work is not done while the budget lasts */
  spend<T>(code: ErrorCode, attempted: string, work: Promise<T>): Promise<T>;
  /**
   * Asked right before the send: a process that was paused meanwhile may have been given up by the engine, and somebody
   * else may be sending.
   * @throws `code` when the budget is spent
   */
  check(code: ErrorCode, attempted: string): void;
}

export function budgetOf(ms: number): Budget {
  const end = Date.now() + ms;
  const left = (): number => Math.max(0, end - Date.now());
  return {
    left,
    spend: (code, attempted, work) => within(left(), code, attempted, work),
    check(code, attempted) {
      if (left() === 0) throw new DurableOAuthError(code, attempted, { afterMs: ms });
    },
  };
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
