import { iso, SECOND } from '../../../src/connection/clocks';
import type { Carried } from '../../../src/connection/messages';
import { nextStep, recordOf } from '../../../src/connection/start';
import { apply } from '../../../src/connection/transitions';
import type { Rotation } from '../../../src/connection/types';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const LIFE = 3600;
const quiet = (now: number) => ({ now, random: () => 0.5, tuning: { jitter: 0 } });

/** Active, 100 s of an hour left, and a refresh whose answer was lost. */
function lost(rotation: Rotation, leftSeconds = 100, begunAt?: string): Carried {
  const issued = NOW - (LIFE - leftSeconds) * SECOND;
  const policy = { grantType: 'authorization_code', refresh: 'proactive', rotation, fallback: 'pause' } as const;
  const token = {
    grant: 'gr',
    generation: 4,
    issuedAt: iso(issued),
    receivedAt: iso(issued),
    expiresAt: iso(issued + LIFE * SECOND),
    lifetimeSeconds: LIFE,
    scope: '',
    refreshable: true,
  };
  const active = recordOf(
    {
      frozen: false,
      state: 'active',
      since: iso(issued),
      stateVersion: 1,
      generation: 4,
      policy,
      display: { app: 'Shop' },
      token,
      grant: 'gr',
    },
    quiet(NOW),
  );
  const failure = { class: 'AMBIGUOUS', code: 'REFRESH_OUTCOME_UNKNOWN' } as const;
  return apply(active, { type: 'refresh_failed', failure, evidence: 'ev', begunAt }, quiet(NOW));
}
const retryIn = (c: Carried): number => (Date.parse(c.nextAttemptAt ?? '') - NOW) / SECOND;

describe('a refresh that was sent and whose answer was lost', () => {
  it.each([
    ['none', 'with the usual back-off', 5],
    ['old_stays_valid', 'with the usual back-off', 5],
    ['until_used', 'with the usual back-off', 5],
    ['unknown', 'once, at once', 0],
    ['strict', 'when the living token is nearly at its end (2 × floor)', 80],
  ] as const)('is retried under rotation %s %s', (mode, _when, seconds) => {
    const c = lost({ mode });
    expect(c).toMatchObject({ state: 'degraded', reason: 'REFRESH_OUTCOME_UNKNOWN', ambiguous: { retries: 0 } });
    expect(retryIn(c)).toBe(seconds);
  });

  it('is retried at once while a documented grace lasts, and as strict afterwards', () => {
    expect(retryIn(lost({ mode: 'grace', graceSeconds: 60 }))).toBe(0);
    expect(retryIn(lost({ mode: 'grace', graceSeconds: 4 }))).toBe(80);
  });

  it('counts a grace from the send, not from when its loss was noticed', () => {
    const noticedLate = iso(NOW - 25 * SECOND);
    expect(retryIn(lost({ mode: 'grace', graceSeconds: 60 }, 100, noticedLate))).toBe(0);
    expect(retryIn(lost({ mode: 'grace', graceSeconds: 30 }, 100, noticedLate))).toBe(80);
  });

  it('is not retried after the grace although its time had come before: no worker ran, or the vault was away', () => {
    const c = lost({ mode: 'grace', graceSeconds: 60 });
    expect(nextStep({ ...c, owed: undefined }, NOW, 0)).toEqual({ do: 'refresh' });
    expect(nextStep({ ...c, owed: undefined }, NOW + 56 * SECOND, 0)).toMatchObject({
      do: 'wait',
      untilMs: NOW + 80 * SECOND,
    });
    const away = { class: 'TRANSIENT', code: 'STORAGE_UNREACHABLE' } as const;
    const later = apply(c, { type: 'refresh_failed', failure: away, evidence: 'ev' }, quiet(NOW + 54 * SECOND));
    expect(retryIn(later)).toBe(80);
  });

  it('is retried at once when the access token is dead: nothing is left to protect', () => {
    const c = lost({ mode: 'strict' }, -10);
    expect(c.state).toBe('degraded');
    expect(retryIn(c)).toBe(0);
  });

  it('was lost for good when the retry is refused, and that token is never sent again', () => {
    const refusal = { class: 'REAUTH', code: 'GRANT_REFUSED', fingerprint: 'fp' } as const;
    const c = apply(lost({ mode: 'strict' }), { type: 'refresh_failed', failure: refusal, evidence: 'ev' }, quiet(NOW));
    expect(c).toMatchObject({
      state: 'reauth_required',
      reason: 'ROTATION_LOST',
      nextAttemptAt: null,
      fingerprints: ['fp'],
    });
    expect(c.ambiguous).toBeUndefined();
  });

  it('is an outage once its retry was spent on a dead token', () => {
    const failure = { class: 'AMBIGUOUS', code: 'REFRESH_OUTCOME_UNKNOWN' } as const;
    const c = apply(lost({ mode: 'strict' }, -10), { type: 'refresh_failed', failure, evidence: 'ev' }, quiet(NOW));
    expect(c).toMatchObject({ state: 'disconnected', recovery: 'automatic' });
  });
});
