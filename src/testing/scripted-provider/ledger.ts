import { createHash } from 'node:crypto';
import type { LedgerEntry, LedgerRule } from './types';

/** A timer may fire a little early by the clock it is compared with. */
const TIMER_TOLERANCE_MS = 5;

export type OpenEntry = { -readonly [name in keyof LedgerEntry]: LedgerEntry[name] } & { broke: LedgerRule[] };

export type Opening = Pick<LedgerEntry, 'grantType' | 'clientId' | 'clientAuth' | 'grantId' | 'fingerprint'>;

/** Writes down each token request and what rule of good clients it broke. */
export class Ledger {
  private readonly entries: OpenEntry[] = [];
  private readonly pausedUntil = new Map<string, number>();
  private readonly now: () => number;
  private pardoned = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  /** @param rule the rule that presenting this code or refresh token breaks */
  open(opening: Opening, rule: LedgerRule | undefined): OpenEntry {
    const startedAt = this.now();
    const entry: OpenEntry = { ...opening, startedAt, overlapped: false, committed: false, broke: rule ? [rule] : [] };
    const others = this.entries.filter(
      ({ grantId, endedAt }) => grantId !== undefined && grantId === entry.grantId && endedAt === undefined,
    );
    for (const other of others) other.overlapped = true;
    if (others.length > 0) {
      entry.overlapped = true;
      entry.broke.push('REQUESTS_OVERLAPPED');
    }
    if (startedAt < (this.pausedUntil.get(entry.clientId) ?? 0) - TIMER_TOLERANCE_MS) {
      entry.broke.push('RETRY_AFTER_IGNORED');
    }
    this.entries.push(entry);
    return entry;
  }

  close(entry: OpenEntry): void {
    entry.endedAt ??= this.now();
  }

  /** @param retryAfter seconds or an HTTP date (RFC 9110 section 10.2.3) */
  pause(clientId: string, retryAfter: string): void {
    const seconds = Number(retryAfter);
    const until = Number.isNaN(seconds) ? Date.parse(retryAfter) : this.now() + seconds * 1000;
    if (!Number.isNaN(until)) this.pausedUntil.set(clientId, until);
  }

  pardon(count: number): void {
    this.pardoned += count;
  }

  list(last = Infinity): readonly LedgerEntry[] {
    return this.entries.slice(-last).map((entry) => ({ ...entry, broke: [...entry.broke] }));
  }

  assert(): void {
    let pardons = this.pardoned;
    const broken = this.entries.flatMap((entry, index) =>
      entry.broke
        .filter((rule) => rule !== 'REFRESH_TOKEN_REUSED' || pardons-- <= 0)
        .map((rule) => `${rule} by token request ${index + 1} ${coordinates(entry)}`),
    );
    if (broken.length > 0) throw new Error(`The ledger of the scripted provider shows:\n${broken.join('\n')}`);
  }
}

export function fingerprintOf(presented: string): string {
  return createHash('sha256').update(presented).digest('hex').slice(0, 12);
}

function coordinates({ grantType, clientId, grantId = '-', fingerprint = '-' }: LedgerEntry): string {
  return `[grantType=${grantType} client=${clientId} grant=${grantId} fingerprint=${fingerprint}]`;
}
