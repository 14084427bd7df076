/** An authorization server on a virtual clock, for the pure core: tokens are numbers, time is a variable. */
import type { FailureFacts, Rotation } from '../../src/connection/types';

export type Answer =
  | { readonly kind: 'token'; readonly lifetimeSeconds: number }
  | { readonly kind: 'failure'; readonly failure: FailureFacts }
  /** Committed, and the answer lost. */
  | { readonly kind: 'lost' };

interface Outage {
  readonly from: number;
  readonly until: number;
  readonly failure: FailureFacts;
}

export class VirtualProvider {
  /** Refresh tokens that were refused, and requests that came before a Retry-After had passed: what must never happen. */
  readonly sins: string[] = [];
  requests = 0;
  readonly #rotation: Rotation;
  readonly #outages: readonly Outage[];
  readonly #lost: readonly number[];
  #held = 0;
  #newest = 0;
  #spentAt = -Infinity;
  #revokedAt: number;
  #refusedToken = -1;
  #notBefore = 0;
  #lostDone = 0;

  constructor(plan: { rotation: Rotation; outages: readonly Outage[]; lost: readonly number[]; revokedAt: number }) {
    this.#rotation = plan.rotation;
    this.#outages = plan.outages;
    this.#lost = plan.lost;
    this.#revokedAt = plan.revokedAt;
  }

  /** A person consents: the client holds a new refresh token. */
  consent(): void {
    this.#revokedAt = Infinity;
    this.#newest += 1;
    this.#held = this.#newest;
    this.#spentAt = -Infinity;
  }

  refresh(now: number): Answer {
    this.requests++;
    if (now < this.#notBefore) this.sins.push(`asked ${this.#notBefore - now} ms before Retry-After`);
    if (this.#held === this.#refusedToken) this.sins.push('sent a refused refresh token again');
    const outage = this.#outages.find(({ from, until }) => from <= now && now < until);
    if (outage) {
      this.#notBefore = now + (outage.failure.retryAfterSeconds ?? 0) * 1000;
      return { kind: 'failure', failure: outage.failure };
    }
    if (now >= this.#revokedAt || !this.#works(now)) return this.#refuse();
    const rotates = this.#rotation.mode !== 'none';
    if (rotates && this.#held === this.#newest) {
      this.#newest += 1;
      this.#spentAt = now;
    }
    const due = this.#lost[this.#lostDone];
    if (due !== undefined && now >= due) {
      this.#lostDone++;
      return { kind: 'lost' };
    }
    this.#held = this.#newest;
    return { kind: 'token', lifetimeSeconds: 3600 };
  }

  #works(now: number): boolean {
    if (this.#held === this.#newest) return true;
    const { mode, graceSeconds = 0 } = this.#rotation;
    if (mode === 'old_stays_valid' || mode === 'until_used') return true;
    return mode === 'grace' && now - this.#spentAt < graceSeconds * 1000;
  }

  #refuse(): Answer {
    this.#refusedToken = this.#held;
    return {
      kind: 'failure',
      failure: { class: 'REAUTH', code: 'GRANT_REFUSED', httpStatus: 400, fingerprint: `rt-${this.#held}` },
    };
  }
}
