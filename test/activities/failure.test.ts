/** The boundary of what must happen in the end, and the budget of what comes before a single-use send. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { untilDone } from '../../activities/failure';
import { budgetOf } from '../../activities/time-limit';
import { DurableOAuthError } from '../../src/errors';

const failing = (error: Error) =>
  untilDone(['VAULT_GONE'], () => Promise.reject(error)).catch((failed: unknown) => failed);

describe('untilDone', () => {
  it.each([
    ['what a repetition mends', new DurableOAuthError('VAULT_UNAVAILABLE'), 'VAULT_UNAVAILABLE', false],
    ['what somebody must mend first', new DurableOAuthError('VAULT_CORRUPT'), 'VAULT_CORRUPT', false],
    ['a defect of ours', new TypeError('token-canary'), 'INTERNAL', false],
    ['what no repetition changes', new DurableOAuthError('VAULT_GONE'), 'VAULT_GONE', true],
  ])('repeats or ends: %s', async (_what, error, type, nonRetryable) => {
    const failed = await failing(error);
    expect(failed).toBeInstanceOf(ApplicationFailure);
    expect(failed).toMatchObject({ type, nonRetryable, cause: undefined });
    expect(String(failed)).not.toContain('canary');
  });

  it('lets a cancellation pass', async () => {
    expect(await failing(new CancelledFailure('stop'))).toBeInstanceOf(CancelledFailure);
  });
});

describe('a budget', () => {
  const never = new Promise<never>(() => undefined);

  it('is shared by its steps, and tells which of them it was', async () => {
    const budget = budgetOf(40);
    await expect(budget.spend('VAULT_UNAVAILABLE', 'Reading', Promise.resolve(1))).resolves.toBe(1);
    await expect(budget.spend('VAULT_UNAVAILABLE', 'Reading', never)).rejects.toMatchObject({
      code: 'VAULT_UNAVAILABLE',
    });
    await expect(budget.spend('REGISTRY_UNAVAILABLE', 'Asking', never)).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
    });
  });

  it('once spent forbids the send, although every step had answered: the process may have been paused', () => {
    const now = jest.spyOn(Date, 'now').mockReturnValue(1_000);
    const budget = budgetOf(7_000);
    now.mockReturnValue(7_999);
    budget.check('VAULT_UNAVAILABLE', 'Getting ready');
    now.mockReturnValue(8_000);
    expect(() => budget.check('VAULT_UNAVAILABLE', 'Getting ready')).toThrow(/Getting ready/);
    now.mockRestore();
  });
});
