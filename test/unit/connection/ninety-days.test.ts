import { DAY, HOUR, iso, MINUTE, SECOND, type Surroundings } from '../../../src/connection/clocks';
import type { Carried } from '../../../src/connection/messages';
import { servingOf } from '../../../src/connection/serving';
import { nextStep, recordOf } from '../../../src/connection/start';
import { apply } from '../../../src/connection/transitions';
import { ROTATION_MODES, type Policy, type Rotation, type TokenFacts } from '../../../src/connection/types';
import { VirtualProvider } from '../../support/virtual-provider';

const START = Date.parse('2026-01-01T00:00:00Z');

/** A small deterministic generator (mulberry32): the same seed is the same ninety days. */
function randomOf(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function token(generation: number, now: number, lifetimeSeconds: number): TokenFacts {
  return {
    grant: 'gr',
    generation,
    issuedAt: iso(now),
    receivedAt: iso(now),
    expiresAt: iso(now + lifetimeSeconds * SECOND),
    lifetimeSeconds,
    scope: '',
    refreshable: true,
  };
}

function live(rotation: Rotation, seed: number) {
  const random = randomOf(seed);
  let now = START;
  const around = (): Surroundings => ({ now, random });
  const policy: Policy = { grantType: 'authorization_code', refresh: 'proactive', rotation, fallback: 'pause' };
  const display = { app: 'Shop' };
  const outage = (day: number, hours: number, failure: object) => ({
    from: START + day * DAY,
    until: START + day * DAY + hours * HOUR,
    failure: { class: 'TRANSIENT', code: 'PROVIDER_UNREACHABLE', httpStatus: 503, ...failure } as const,
  });
  const provider = new VirtualProvider({
    rotation,
    outages: [
      outage(3, 0.5, {}),
      outage(10, 3, {}),
      outage(20, 1, { code: 'RATE_LIMITED', httpStatus: 429, retryAfterSeconds: 600 }),
      outage(30, 9, {}),
      outage(40, 2, { class: 'CONFIG', code: 'CLIENT_REJECTED', httpStatus: 401 }),
    ],
    lost: [START + 50 * DAY, START + 60 * DAY],
    revokedAt: START + 70 * DAY,
  });
  const report = (facts: TokenFacts) => ({ token: facts, policy, display, grantedAt: iso(START) });
  let c: Carried = recordOf(
    {
      frozen: false,
      state: 'active',
      since: iso(now),
      stateVersion: 1,
      generation: 1,
      policy,
      display,
      token: token(1, now, 3600),
      grant: 'gr',
    },
    around(),
  );
  let served = 0;
  let dead = 0;
  let consents = 0;
  let version = c.stateVersion;
  const states = new Map<string, number>();

  for (let minute = 0; minute < 90 * 24 * 60; minute++) {
    const until = START + (minute + 1) * MINUTE;
    for (let steps = 0; ; steps++) {
      if (steps > 500) throw new Error('the core spins');
      const step = nextStep(c, now, now);
      if (step.do === 'record')
        c = apply(c, { type: 'recorded', stateVersion: c.stateVersion, applied: true }, around());
      else if (step.do === 'watch_expiry') c = apply(c, { type: 'time_passed' }, around());
      else if (step.do === 'refresh') {
        const answer = provider.refresh(now);
        now += 200;
        if (answer.kind === 'token')
          c = apply(
            c,
            { type: 'refreshed', report: report(token(c.generation + 1, now - 200, answer.lifetimeSeconds)) },
            around(),
          );
        else {
          const failure =
            answer.kind === 'lost'
              ? ({ class: 'AMBIGUOUS', code: 'REFRESH_OUTCOME_UNKNOWN' } as const)
              : answer.failure;
          c = apply(c, { type: 'refresh_failed', failure, evidence: 'ev' }, around());
        }
      } else if (step.do === 'wait') {
        if (step.untilMs === undefined || step.untilMs >= until) break;
        now = Math.max(now, step.untilMs);
      } else throw new Error(`unexpected step ${step.do}`);
      if (c.stateVersion < version) throw new Error('the state version went back');
      version = c.stateVersion;
    }
    now = Math.max(now, until);
    // A worker restart: continue-as-new hands the record on as JSON.
    if (minute % 2_000 === 0) c = JSON.parse(JSON.stringify(c)) as Carried;
    // A person looks once a day.
    if (c.state === 'reauth_required' && minute % 1_440 === 0) {
      consents++;
      provider.consent();
      c = apply(
        c,
        { type: 'grant_adopted', consent: `cs${consents}`, report: report(token(c.generation + 1, now, 3600)) },
        around(),
      );
    }
    // A caller polls.
    states.set(c.state, (states.get(c.state) ?? 0) + 1);
    if (c.expiresAt === null || servingOf(c, policy, now) === 'wait') continue;
    served++;
    if (Date.parse(c.expiresAt) <= now) dead++;
  }
  return { c, provider, served, dead, consents, states };
}

describe('ninety days on a virtual clock', () => {
  it('000-29 hourly tokens, outages, 429, rotation, lost answers and a withdrawn consent: no expired token is ever served', () => {
    for (const mode of ROTATION_MODES) {
      for (const seed of [1, 7]) {
        const { c, provider, served, dead, consents, states } = live(
          { mode, graceSeconds: mode === 'grace' ? 60 : undefined },
          seed,
        );
        const name = `${mode}, seed ${seed}`;
        expect([name, dead]).toEqual([name, 0]);
        expect([name, provider.sins]).toEqual([name, []]);
        expect([name, c.state]).toEqual([name, 'active']);
        // Ninety days of minutes, less what outages longer than a token's life and people took.
        expect(served).toBeGreaterThan(90 * 24 * 60 * 0.93);
        expect(consents).toBeGreaterThanOrEqual(1);
        expect(consents).toBeLessThanOrEqual(mode === 'strict' || mode === 'unknown' ? 3 : 1);
        expect(states.get('degraded')).toBeGreaterThan(0);
        expect(provider.requests).toBeGreaterThan(90 * 24);
      }
    }
  });
});
