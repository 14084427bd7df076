/** Many at once, and what became of each. */
import { isDurableOAuthError } from '../../src/errors';

export const MANY = 20;

export const times = <T>(count: number, work: (index: number) => Promise<T>): Promise<PromiseSettledResult<T>[]> =>
  Promise.allSettled(Array.from({ length: count }, (_, index) => work(index)));

/** "ok", or the code of its error. */
export const codes = (settled: readonly PromiseSettledResult<unknown>[]): string[] =>
  settled.map((one) =>
    one.status === 'fulfilled' ? 'ok' : isDurableOAuthError(one.reason) ? one.reason.code : String(one.reason),
  );

export const count = (outcomes: readonly string[], wanted: string): number =>
  outcomes.filter((one) => one === wanted).length;
