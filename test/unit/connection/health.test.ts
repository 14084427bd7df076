import { describeHealth, type HealthFacts } from '../../../src/connection/health';
import type { Carried } from '../../../src/connection/messages';
import { LANGS, type Lang } from '../../../src/connection/reasons';
import { describeRevocation } from '../../../src/connection/revocation-text';
import { CONNECTION_STATES } from '../../../src/connection/types';

const NOW = new Date('2026-07-01T12:00:00Z');
const REF = 'acme/cn_shop';

const healthy: HealthFacts = {
  state: 'active',
  since: '2026-06-01T08:00:00.123Z',
  generation: 7,
  issuedAt: '2026-07-01T11:30:00Z',
  expiresAt: '2026-07-01T12:30:00Z',
  nextAttemptAt: '2026-07-01T12:25:00Z',
  display: { app: 'Shop' },
  policy: { fallback: 'pause' },
};

const degraded: HealthFacts = {
  ...healthy,
  state: 'degraded',
  reason: 'PROVIDER_UNREACHABLE',
  since: '2026-07-01T11:55:00Z',
  evidence: {
    id: 'ev_1',
    at: '2026-07-01T11:59:00Z',
    class: 'TRANSIENT',
    httpStatus: 503,
    requestId: 'req-9',
    attempt: 3,
  },
};

const read = (facts: HealthFacts, lang: Lang = 'en') => describeHealth(facts, REF, NOW, lang);

describe('a health reading', () => {
  it('takes a workflow record as it is', () => {
    const title = (record: Carried): string => describeHealth(record, REF, NOW, 'en').title;
    expect(title(carried())).toBe('Active');
  });

  it('takes a registry row, whose unknown facts are null', () => {
    const row = { ...healthy, recovery: null, reason: null, evidence: null, consentDeadline: null };
    expect(read(row)).toEqual(read(healthy));
  });

  it('names state, why, effect, next step, its time, who must act and the evidence', () => {
    const { text, title, who, nextActionAt } = read(degraded);
    expect({ title, who, nextActionAt }).toEqual({
      title: 'Shop does not answer',
      who: 'nobody',
      nextActionAt: '2026-07-01T12:25:00Z',
    });
    expect(text).toBe(
      [
        '**Degraded**: Shop does not answer',
        '',
        'Access still works, but the last attempt to renew it failed. Shop has not answered our renewal requests correctly since 2026-07-01 11:55 UTC.',
        '',
        '- **What is affected:** Flows keep running until 2026-07-01 12:30 UTC. If renewal has not succeeded by then, access stops. Access that is still valid keeps working until 2026-07-01 12:30 UTC; after that: Flows that use it wait and continue at the very step where they stopped.',
        '- **Next step:** Nothing to do: we keep trying, next at 2026-07-01 12:25 UTC. If the status page of Shop reports no problem, give support ev_1.',
        '- **Next attempt:** 2026-07-01 12:25 UTC',
        '- **Who must act:** nobody',
        '- **Since:** 2026-07-01 11:55 UTC',
        '- **Access valid until:** 2026-07-01 12:30 UTC',
        "- **Evidence:** ev_1, 2026-07-01 11:59 UTC: temporary failure, HTTP 503, attempt 3, the provider's request id req-9, reason code PROVIDER_UNREACHABLE",
      ].join('\n'),
    );
  });

  it('says nothing of an access that is over', () => {
    const { text } = read({
      ...degraded,
      state: 'disconnected',
      recovery: 'automatic',
      expiresAt: '2026-07-01T11:58:00Z',
    });
    expect(text).not.toContain('2026-07-01 11:58 UTC');
    expect(text).toContain('It recovers by itself.');
    expect(text).not.toContain('The reason below');
  });

  it('does not promise a renewal where none is planned', () => {
    expect(read({ ...healthy, nextAttemptAt: null }).nextAction).toBe('Nothing to do.');
  });

  it('names the consent deadline while nobody has consented, not an expiry', () => {
    const reading = read({
      ...healthy,
      state: 'pending_consent',
      expiresAt: null,
      nextAttemptAt: null,
      consentDeadline: '2026-07-08T12:00:00Z',
    });
    expect(reading.nextAction).toContain('The link works until 2026-07-08 12:00 UTC.');
    expect(reading.who).toBe('account_owner');
  });

  it.each(LANGS)('leaves out what it does not know instead of printing a placeholder or a bare code (%s)', (lang) => {
    for (const state of CONNECTION_STATES) {
      for (const reason of ['GRANT_REFUSED', 'CLIENT_REJECTED', 'REVOKED_HERE', 'VAULT_CORRUPT', undefined] as const) {
        const { text, title, nextAction } = read(
          { ...healthy, state, reason, expiresAt: null, nextAttemptAt: null },
          lang,
        );
        expect(text).not.toMatch(/[{}]|undefined|null|\b[A-Z]+_[A-Z_]+\b/);
        expect(title).not.toBe('');
        expect(nextAction).not.toBe('');
      }
    }
  });

  it('is written in one language, never in a mixture', () => {
    const { text } = read(degraded, 'es');
    expect(text).toContain('**Degradada**: Shop no responde');
    expect(text).not.toMatch(/\b(the|renewal|until|attempt|Next|failure)\b/);
  });

  it('keeps markdown out of names that people chose', () => {
    const { text } = read({ ...degraded, display: { app: '[Shop](https://evil.test)\n# `x` **now**' } });
    expect(text).toContain('Shop (https://evil.test) # x now does not answer');
  });

  it('survives a time that is none', () => {
    expect(read({ ...healthy, since: 'soon', issuedAt: null }).text).toContain('soon');
  });
});

describe('a revocation in words', () => {
  const tombstone = {
    v: 1,
    by: 'ann@acme.test',
    reason: 'left the company',
    frozenAt: '2026-07-01T12:00:00Z',
    provider: 'revoked',
    providerAt: '2026-07-01T12:00:03Z',
    destroyedAt: '2026-07-01T12:01:04Z',
  } as const;

  it('says who revoked, what was done at the provider, what became of our copy, and what stays', () => {
    const { reason, effect } = describeRevocation(tombstone, 'Shop', 'fail', 'en');
    expect(reason).toBe('The connection was revoked on 2026-07-01 12:00 UTC. ann@acme.test revoked it.');
    expect(effect).toBe(
      'Flows that use it stop with an error. What was done at Shop: the access was revoked at 2026-07-01 12:00 UTC. ' +
        'Data already received and the history stay. Our copy of the access was destroyed at 2026-07-01 12:01 UTC.',
    );
  });

  it('does not claim what has not happened yet', () => {
    const { effect } = describeRevocation(
      { ...tombstone, provider: 'pending', providerAt: undefined, destroyedAt: undefined },
      'Shop',
      'fail',
      'en',
    );
    expect(effect).toContain('still being sent');
    expect(effect).toContain('is being destroyed');
  });
});

function carried(): Carried {
  return {
    v: 1,
    stateVersion: 3,
    state: 'active',
    since: '2026-06-01T08:00:00Z',
    grant: 'gr_1',
    generation: 7,
    expiresAt: '2026-07-01T12:30:00Z',
    lifetimeSeconds: 3600,
    refreshable: true,
    scope: 'read',
    policy: { grantType: 'authorization_code', refresh: 'proactive', rotation: { mode: 'unknown' }, fallback: 'pause' },
    display: { app: 'Shop' },
    frozen: false,
    nextAttemptAt: null,
    failures: 0,
    fingerprints: [],
    deliveries: [],
  };
}
