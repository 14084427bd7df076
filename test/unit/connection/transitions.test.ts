/** The state table of the design, row by row, on the pure core. */
import * as fc from 'fast-check';
import { HOUR, iso, SECOND } from '../../../src/connection/clocks';
import type { Carried } from '../../../src/connection/messages';
import { nextStep, recordOf } from '../../../src/connection/start';
import { apply, type CoreEvent } from '../../../src/connection/transitions';
import type { GrantType, TokenFacts } from '../../../src/connection/types';
import type { ErrorCode, FailureClass } from '../../../src/errors';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const quiet = { now: NOW, random: () => 0.5, tuning: { jitter: 0 } };
const display = { app: 'Shop' };

const policyOf = (grantType: GrantType) =>
  ({ grantType, refresh: 'proactive', rotation: { mode: 'none' }, fallback: 'pause' }) as const;

function token(generation: number, leftSeconds: number): TokenFacts {
  const issued = NOW + (leftSeconds - 3600) * SECOND;
  const times = { issuedAt: iso(issued), receivedAt: iso(issued), expiresAt: iso(NOW + leftSeconds * SECOND) };
  return { grant: 'gr', generation, ...times, lifetimeSeconds: 3600, scope: '', refreshable: true };
}

function active(leftSeconds = 200, grantType: GrantType = 'authorization_code'): Carried {
  const since = iso(NOW - HOUR);
  const found = {
    frozen: false,
    state: 'active',
    since,
    stateVersion: 1,
    generation: 1,
    display,
    grant: 'gr',
  } as const;
  return recordOf({ ...found, policy: policyOf(grantType), token: token(1, leftSeconds) }, quiet);
}

const failed = (c: Carried, kind: FailureClass, code: ErrorCode): Carried =>
  apply(c, { type: 'refresh_failed', failure: { class: kind, code, fingerprint: 'fp' }, evidence: 'ev' }, quiet);
const report = (generation: number) => ({
  token: token(generation, 3600),
  policy: policyOf('authorization_code'),
  display,
  grantedAt: iso(NOW),
});

describe('the state table', () => {
  it.each([
    ['alive', 200, 'TRANSIENT', 'PROVIDER_UNREACHABLE', 'degraded', undefined],
    ['alive', 200, 'CONFIG', 'CLIENT_REJECTED', 'degraded', undefined],
    ['alive', 200, 'BLOCKED', 'ENDPOINT_BLOCKED', 'degraded', undefined],
    ['alive', 200, 'AMBIGUOUS', 'REFRESH_OUTCOME_UNKNOWN', 'degraded', undefined],
    ['alive', 200, 'REAUTH', 'GRANT_REFUSED', 'reauth_required', undefined],
    ['dead', -5, 'TRANSIENT', 'PROVIDER_UNREACHABLE', 'disconnected', 'automatic'],
    ['dead', -5, 'BLOCKED', 'ENDPOINT_BLOCKED', 'disconnected', 'automatic'],
    ['dead', -5, 'CONFIG', 'CLIENT_REJECTED', 'disconnected', 'after_fix'],
    ['dead', -5, 'REAUTH', 'GRANT_REFUSED', 'reauth_required', undefined],
  ] as const)('a token that is %s (%i s left): %s ends in %s/%s/%s', (_life, left, kind, code, state, recovery) => {
    expect(failed(active(left), kind, code)).toMatchObject({ state, reason: code, recovery, owed: true });
  });

  it('004-09 client credentials have no consent to renew: a refused grant is a setting to correct', () => {
    expect(failed(active(200, 'client_credentials'), 'REAUTH', 'GRANT_REFUSED')).toMatchObject({
      state: 'degraded',
      evidence: { class: 'CONFIG' },
    });
  });

  it('a degraded connection whose token dies is disconnected, and the class says how it ends', () => {
    const later = { ...quiet, now: NOW + 201 * SECOND };
    const died = (c: Carried): Carried => apply(c, { type: 'time_passed' }, later);
    expect(died(failed(active(), 'TRANSIENT', 'PROVIDER_UNREACHABLE'))).toMatchObject({
      state: 'disconnected',
      recovery: 'automatic',
    });
    expect(died(failed(active(), 'CONFIG', 'CLIENT_REJECTED'))).toMatchObject({
      state: 'disconnected',
      recovery: 'after_fix',
    });
  });

  it('an answer makes every failing state active again, with a recovered event', () => {
    for (const left of [200, -5]) {
      const c = apply(
        failed(active(left), 'TRANSIENT', 'PROVIDER_UNREACHABLE'),
        { type: 'refreshed', report: report(2) },
        quiet,
      );
      expect(c).toMatchObject({ state: 'active', generation: 2, failures: 0, event: 'connection.recovered' });
      expect(c.reason).toBeUndefined();
    }
  });

  it('a correction is tried at once; an outage keeps its own clock', () => {
    const nudged = (c: Carried): string | null => apply(c, { type: 'nudged' }, quiet).nextAttemptAt;
    expect(nudged(failed(active(), 'CONFIG', 'CLIENT_REJECTED'))).toBe(iso(NOW));
    const outage = failed(active(), 'TRANSIENT', 'PROVIDER_UNREACHABLE');
    expect(nudged(outage)).toBe(outage.nextAttemptAt);
  });

  it('three young generations in a row refused by the API are said, and the first accepted one ends it', () => {
    let c = active(3600);
    for (let generation = 1; generation <= 3; generation++) {
      c = apply(c, { type: 'asked', generation, why: 'refused' }, quiet);
      if (generation < 3) c = apply(c, { type: 'refreshed', report: report(generation + 1) }, quiet);
    }
    expect(c).toMatchObject({ state: 'degraded', reason: 'API_REFUSES_FRESH_TOKENS' });
    c = apply(c, { type: 'refreshed', report: report(4) }, quiet);
    expect(c.state).toBe('degraded');
    expect(apply(c, { type: 'refreshed', report: report(5) }, quiet).state).toBe('active');
  });

  it('a person gets a newer token before it is due, unless it is young or the provider takes no refresh yet', () => {
    const asked = (c: Carried): string | null =>
      apply(c, { type: 'asked', generation: 1, why: 'asked' }, quiet).nextAttemptAt;
    const old = active(3600 - 120);
    expect(asked(old)).toBe(iso(NOW));
    const young = active(3600 - 30);
    expect(asked(young)).toBe(young.nextAttemptAt);
    const early = { ...old, policy: { ...old.policy, minRefreshIntervalSeconds: 600 } };
    expect(asked(early)).toBe(old.nextAttemptAt);
    const failing = failed(old, 'TRANSIENT', 'PROVIDER_UNREACHABLE');
    expect(asked(failing)).toBe(failing.nextAttemptAt);
  });

  it('a person who asks accuses the API of nothing', () => {
    let c = active(3600);
    for (let generation = 1; generation <= 4; generation++) {
      c = apply(c, { type: 'asked', generation, why: 'asked' }, quiet);
      c = apply(c, { type: 'refreshed', report: report(generation + 1) }, quiet);
    }
    expect([c.state, c.refusals]).toEqual(['active', undefined]);
  });

  it('a row newer than the vault keeps its number, so that a restored vault spends nothing; a newer vault wins', () => {
    const found = {
      frozen: false,
      state: 'active',
      since: iso(NOW - HOUR),
      stateVersion: 3,
      policy: policyOf('authorization_code'),
      display,
      grant: 'gr',
    } as const;
    expect(recordOf({ ...found, generation: 7, token: token(4, 200) }, quiet).generation).toBe(7);
    expect(recordOf({ ...found, generation: 4, token: token(7, 200) }, quiet).generation).toBe(7);
  });

  it('a reset run that lags behind the registry continues from the maximum', () => {
    const c = apply(
      failed(active(), 'TRANSIENT', 'PROVIDER_UNREACHABLE'),
      { type: 'recorded', stateVersion: 40, applied: false },
      quiet,
    );
    expect(c).toMatchObject({ stateVersion: 41, owed: true });
  });
});

describe('a grant of earlier settings', () => {
  const outdated = (c: Carried): Carried => failed(c, 'REAUTH', 'CONSENT_OUTDATED');
  const nudged = (c: Carried, refresh?: boolean): Carried => apply(c, { type: 'nudged', refresh }, quiet);

  it('asks for consent, plans nothing, and is held to be refused by nobody', () => {
    const c = outdated(active());
    expect(c).toMatchObject({ state: 'reauth_required', reason: 'CONSENT_OUTDATED', nextAttemptAt: null });
    expect(c.fingerprints).toEqual([]);
    expect(nextStep({ ...c, owed: undefined }, NOW + 24 * HOUR, 0)).toMatchObject({ do: 'wait', why: 'a message' });
  });

  it('is tried again when the settings change, and works again with those of before', () => {
    const c = nudged({ ...outdated(active()), owed: undefined });
    expect(nextStep(c, NOW, 0).do).toBe('refresh');
    expect(apply(c, { type: 'refreshed', report: report(2) }, quiet)).toMatchObject({
      state: 'active',
      event: 'connection.recovered',
    });
    expect(outdated(c)).toMatchObject({ state: 'reauth_required', nextAttemptAt: null, since: c.since });
  });

  it('that the provider refused is not tried again', () => {
    expect(nudged(failed(active(), 'REAUTH', 'GRANT_REFUSED'), true).nextAttemptAt).toBeNull();
  });

  it('is found out at once by who is well, only when the nudge wants that', () => {
    const c = active(3000);
    expect(nudged(c)).toEqual(c);
    expect(nextStep(nudged(c, true), NOW, 0).do).toBe('refresh');
  });

  it('is not found out before the provider takes a refresh, nor while a failure keeps its own clock', () => {
    const c = active(3000);
    const strict = { ...c, issuedAt: iso(NOW), policy: { ...c.policy, minRefreshIntervalSeconds: 600 } };
    expect(nudged(strict, true).nextAttemptAt).toBe(iso(NOW + 600_000));
    const outage = failed(c, 'TRANSIENT', 'PROVIDER_UNREACHABLE');
    expect(nudged(outage, true)).toEqual(outage);
  });

  it('that nothing can renew needs consent now: its token may be for an address that is left', () => {
    const c = { ...active(3000), refreshable: false };
    expect(nudged(c)).toEqual(c);
    expect(nudged(c, true)).toMatchObject({ state: 'reauth_required', reason: 'CONSENT_OUTDATED' });
  });
});

describe('whatever happens', () => {
  const failure = fc.constantFrom<[FailureClass, ErrorCode]>(
    ['TRANSIENT', 'PROVIDER_UNREACHABLE'],
    ['CONFIG', 'CLIENT_REJECTED'],
    ['AMBIGUOUS', 'REFRESH_OUTCOME_UNKNOWN'],
    ['REAUTH', 'GRANT_REFUSED'],
    ['BLOCKED', 'ENDPOINT_BLOCKED'],
  );
  const event: fc.Arbitrary<(c: Carried, n: number) => CoreEvent> = fc.oneof(
    failure.map(([kind, code]) => (_c: Carried, n: number): CoreEvent => ({
      type: 'refresh_failed',
      failure: { class: kind, code, fingerprint: `fp${n}` },
      evidence: 'ev',
    })),
    fc.constant((c: Carried): CoreEvent => ({ type: 'refreshed', report: report(c.generation + 1) })),
    fc.constant((c: Carried, n: number): CoreEvent => ({
      type: 'grant_adopted',
      report: report(c.generation + 1),
      consent: `cs${n}`,
    })),
    fc.constant((_c: Carried, n: number): CoreEvent => ({ type: 'keep_requested', consent: `cs${n}` })),
    fc
      .constantFrom('expiring' as const, 'refused' as const)
      .map((why) => (c: Carried): CoreEvent => ({ type: 'asked', generation: c.generation, why })),
    fc.constant((): CoreEvent => ({ type: 'frozen', reason: 'REVOKED_HERE' })),
    fc.constant((): CoreEvent => ({ type: 'nudged' })),
    fc.constant((): CoreEvent => ({ type: 'time_passed' })),
  );

  it('generations and versions only grow, a frozen record is thawed by adoption alone, and nothing grows without end', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), fc.integer({ min: -100, max: 3600 }), (events, left) => {
        let c = active(left);
        events.forEach((make, n) => {
          const happened = make(c, n);
          const next = apply(c, happened, { ...quiet, now: NOW + n * 30 * SECOND });
          expect(next.generation).toBeGreaterThanOrEqual(c.generation);
          expect(next.stateVersion).toBeGreaterThanOrEqual(c.stateVersion);
          if (next.state !== c.state || next.reason !== c.reason)
            expect(next.stateVersion).toBeGreaterThan(c.stateVersion);
          if (c.frozen && happened.type !== 'grant_adopted') expect(next.frozen).toBe(true);
          if (next.state === 'reauth_required') expect(next.nextAttemptAt).toBeNull();
          if (next.frozen) expect(nextStep({ ...next, owed: undefined }, NOW + HOUR, 0).do).not.toBe('refresh');
          expect(next.fingerprints.length).toBeLessThanOrEqual(4);
          expect(next.deliveries.length).toBeLessThanOrEqual(16);
          c = next;
        });
      }),
      { numRuns: 500 },
    );
  });
});
