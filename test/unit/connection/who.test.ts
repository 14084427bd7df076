import { describeHealth } from '../../../src/connection/health';
import { REASONS, type ReasonCode } from '../../../src/connection/reasons';
import { CONNECTION_STATES, WHO_ACTS, type Recovery, type Who } from '../../../src/connection/types';
import { decidersOf, whoActs } from '../../../src/connection/who';
import { ERRORS, type ErrorCode } from '../../../src/errors';

const reasons = Object.keys(ERRORS) as ErrorCode[];
const recoveries: Recovery[] = ['automatic', 'after_fix', 'reconnect'];

describe('who must act', () => {
  it('is what the table of reasons says', () => {
    for (const reason of Object.keys(REASONS) as ReasonCode[]) {
      expect([reason, whoActs({ state: 'degraded', reason })]).toEqual([reason, REASONS[reason].who]);
      expect(decidersOf(REASONS[reason].who)).toContain(reason);
    }
  });

  it('a list finds exactly the connections whose reading names the one it asks for', () => {
    const rows = CONNECTION_STATES.flatMap((state) =>
      [undefined, ...recoveries].flatMap((recovery) =>
        [undefined, ...reasons].map((reason) => ({ state, recovery, reason })),
      ),
    );
    const rest = {
      since: '2026-01-01T00:00:00.000Z',
      generation: 1,
      expiresAt: null,
      nextAttemptAt: null,
      display: { app: 'Shop' },
      policy: { fallback: 'pause' },
    } as const;
    const found = (who: Who) =>
      rows.filter(({ state, recovery, reason }) => decidersOf(who).includes(reason ?? recovery ?? state));
    for (const who of WHO_ACTS) {
      const named = rows.filter((row) => describeHealth({ ...row, ...rest }, 'a/b', new Date(), 'en').who === who);
      expect(found(who)).toEqual(named);
    }
  });

  it('every decider is one’s alone', () => {
    const all = WHO_ACTS.flatMap((who) => decidersOf(who));
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(reasons.length + recoveries.length + CONNECTION_STATES.length);
  });
});
