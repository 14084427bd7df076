/** Steps that go wrong, for tests of what is left behind. */
import { Context } from '@temporalio/activity';
import { DurableOAuthError, type ErrorCode } from '../../src/errors';

export interface Trouble<Step extends string> {
  readonly step: Step;
  /** It comes after the step was done: only the answer is lost. */
  readonly after: boolean;
  times: number;
  readonly fail: () => Promise<never>;
}

export const failing = (code: ErrorCode) => (): Promise<never> => Promise.reject(new DurableOAuthError(code));

/** @returns what does the work of a step, and meets the trouble that is ahead of it at that moment */
export function meeting<Step extends string>(ahead: () => Trouble<Step> | undefined) {
  return async <T>(step: Step, work: () => Promise<T>): Promise<T> => {
    const trouble = ahead();
    if (trouble?.step !== step || trouble.times === 0) return work();
    trouble.times--;
    if (trouble.after) await work();
    return trouble.fail();
  };
}

/** A failure that comes when it is let go; `reached` tells that the step has come to it. */
export function heldUp(code: ErrorCode): {
  readonly fail: () => Promise<never>;
  readonly reached: Promise<void>;
  readonly letGo: () => void;
} {
  let letGo = (): void => undefined;
  const released = new Promise<void>((resolve) => (letGo = resolve));
  return { ...failingAfter(code, () => released), letGo };
}

/** A failure that comes when the worker stops: whatever the attempt was about to say is not waited for. */
export function cutOff(code: ErrorCode): Omit<ReturnType<typeof heldUp>, 'letGo'> {
  return failingAfter(code, () => Context.current().cancelled.catch(() => undefined));
}

function failingAfter(code: ErrorCode, wait: () => Promise<void>): ReturnType<typeof cutOff> {
  let reach = (): void => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const fail = async (): Promise<never> => {
    reach();
    await wait();
    throw new DurableOAuthError(code);
  };
  return { fail, reached };
}
