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

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
