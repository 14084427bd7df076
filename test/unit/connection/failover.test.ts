/** A database failover of ten minutes: nothing runs, and what was due is done when it is over. */
import { epoch, iso, MINUTE, outageSlackMs, refreshDueAt, serveFloorMs } from '../../../src/connection/clocks';
import type { Policy } from '../../../src/connection/types';

const START = Date.parse('2026-01-01T00:00:00Z');
const LIFETIME = 3600;
const OUTAGE = 10 * MINUTE;
const FLEET = 2_000;

const policy = (refreshBufferSeconds?: number): Policy => ({
  grantType: 'authorization_code',
  refresh: 'proactive',
  rotation: { mode: 'strict' },
  fallback: 'pause',
  refreshBufferSeconds,
});

/** Tokens that could not be served at the end of the outage, of a fleet issued evenly over one lifetime. */
function unservable(of: Policy): number {
  const from = START + LIFETIME * 1000;
  return Array.from({ length: FLEET }, (_, index) => {
    const issued = START + (index / FLEET) * LIFETIME * 1000;
    const token = {
      issuedAt: iso(issued),
      expiresAt: iso(issued + LIFETIME * 1000),
      lifetimeSeconds: LIFETIME,
      refreshable: true,
    };
    const due = refreshDueAt(token, of, { now: from, random: () => index / FLEET })!;
    const refreshedAt = due >= from && due < from + OUTAGE ? from + OUTAGE : due;
    return refreshedAt > epoch(token.expiresAt) - serveFloorMs(LIFETIME * 1000);
  }).filter(Boolean).length;
}

it('expires part of a fleet with the default slack of five minutes, and the slack says so beforehand', () => {
  expect(outageSlackMs(LIFETIME, policy())).toBeLessThan(OUTAGE);
  expect(unservable(policy())).toBeGreaterThan(0);
});

it('expires no token when the operator lengthened the buffer', () => {
  expect(outageSlackMs(LIFETIME, policy(900))).toBeGreaterThan(OUTAGE);
  expect(unservable(policy(900))).toBe(0);
});

it('no clock refreshes on demand, or a token of unknown lifetime', () => {
  expect(outageSlackMs(LIFETIME, { ...policy(), refresh: 'on_demand' })).toBeUndefined();
  expect(outageSlackMs(null, policy())).toBeUndefined();
});
