/** Lifetimes as servers write them (oauth.md 4.3, decision C2). Unknown is neither "never" nor "a day". */
import { decodeJwt } from 'jose';
import type { Preset } from '../providers/preset';

export interface Lifetime {
  /** Whole seconds; null = unknown. */
  readonly seconds: number | null;
  /** Event codes of tolerated oddities. */
  readonly warnings: readonly string[];
}

type Unit = Preset['response']['expires_in_unit'];

const DAY = 86_400;
/** Nobody issues tokens for longer; what is larger is a unit or an epoch in disguise. */
const LONGEST = 3_650 * DAY;

const unknown = (warning?: string): Lifetime => ({ seconds: null, warnings: warning ? [warning] : [] });

/**
 * @param value the member as answered: number, numeric string, "7200ms", date, null, junk
 * @param issuedAt clock before the request, for absolute times
 */
export function parseLifetime(value: unknown, unit: Unit, issuedAt: Date): Lifetime {
  if (value === undefined || value === null || value === '') return unknown();
  if (unit === 'iso') return absolute(typeof value === 'string' ? Date.parse(value) : Number.NaN, issuedAt);
  const suffixed = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*ms\s*$/i.exec(value)?.[1] : undefined;
  if (suffixed !== undefined) {
    return unit === 'ms' ? clamp(Number(suffixed) / 1_000) : fromDoubtfulMilliseconds(Number(suffixed));
  }
  const number = numberOf(value);
  switch (unit) {
    case 's':
      return clamp(number);
    case 'ms':
      return clamp(number / 1_000);
    case 'epoch_s':
      return absolute(number * 1_000, issuedAt);
    case 'epoch_ms':
      return absolute(number, issuedAt);
  }
}

/** A numeric string is a number; anything else, booleans too, is not. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : Number.NaN;
}

const absolute = (epochMs: number, issuedAt: Date): Lifetime => clamp((epochMs - issuedAt.getTime()) / 1_000);

/** C2: the suffix lies as often as not. Take the reading within 60 s and 24 h; if both fit, the shorter. */
function fromDoubtfulMilliseconds(number: number): Lifetime {
  const seconds = [number / 1_000, number].find((reading) => reading >= 60 && reading <= DAY);
  return seconds === undefined
    ? unknown('LIFETIME_UNREADABLE')
    : { seconds: Math.floor(seconds), warnings: ['LIFETIME_WITH_UNIT'] };
}

function clamp(number: number): Lifetime {
  if (!Number.isFinite(number)) return unknown('LIFETIME_UNREADABLE');
  const seconds = Math.floor(number);
  if (seconds <= 0) return unknown('LIFETIME_NOT_POSITIVE');
  return seconds > LONGEST ? { seconds: LONGEST, warnings: ['LIFETIME_ABSURD'] } : { seconds, warnings: [] };
}

/** A JWT's own `exp` may only shorten what the answer says. */
export function shortenByJwt(seconds: number | null, accessToken: string, issuedAt: Date): number | null {
  if (accessToken.split('.').length !== 3) return seconds;
  let left: number;
  try {
    left = Math.floor(Number(decodeJwt(accessToken).exp) - issuedAt.getTime() / 1_000);
  } catch {
    return seconds;
  }
  return left > 0 && left < (seconds ?? LONGEST) ? left : seconds;
}
