import { describeRefresh, REFRESH_OUTCOME_NAMES, refreshOutcome } from '../../../src/connection/refresh-outcome';

const now = new Date('2026-07-01T10:00:00Z');
const answer = { generation: 4, state: 'active', expiresAt: null } as const;

describe('what came of a refresh that was asked for', () => {
  it.each([
    ['a newer generation', { ...answer, generation: 5 }, 'refreshed'],
    ['a newer generation although it degraded since', { ...answer, generation: 5, state: 'degraded' }, 'refreshed'],
    ['an attempt that is not over', { ...answer, nextAttemptAt: '2026-07-01T10:00:00.000Z' }, 'pending'],
    ['the same, and no attempt due', { ...answer, nextAttemptAt: '2026-07-01T10:50:00.000Z' }, 'kept'],
    ['the same, and nothing planned', answer, 'kept'],
    [
      'a failure with a clock',
      { ...answer, state: 'degraded', nextAttemptAt: '2026-07-01T10:00:05.000Z' },
      'not_refreshed',
    ],
    ['consent that is needed', { ...answer, state: 'reauth_required' }, 'not_refreshed'],
  ] as const)('%s', (_what, given, outcome) => {
    expect(refreshOutcome(4, given, now)).toBe(outcome);
  });

  it('is said in both languages, with the time only where there is one', () => {
    for (const outcome of REFRESH_OUTCOME_NAMES) {
      const [en, es] = (['en', 'es'] as const).map((lang) => describeRefresh(outcome, 'Shop', null, lang));
      expect(en).not.toBe('');
      expect(es).not.toBe(en);
      expect(`${en}${es}`).not.toMatch(/[{}]|null/);
    }
    expect(describeRefresh('refreshed', 'Shop', '2026-07-01T11:00:00.000Z', 'en')).toBe(
      'Shop renewed the access. It is valid until 2026-07-01 11:00 UTC.',
    );
  });
});
