/** Scopes are kept space separated (RFC 6749 section 3.3); people and providers write them otherwise (C28). */
import type { Preset } from '../providers/preset';

type ScopeRules = Pick<Preset, 'scope'>;

/** @returns the scopes of a typed text, without repetitions, space separated */
export function normaliseScope(text: string, preset: ScopeRules): string {
  const by = preset.scope.split === 'space' ? /\s+/ : /[\s,]+/;
  return [...new Set(text.split(by).filter(Boolean))].join(' ');
}

/** @returns the scope parameter as this provider wants it */
export function scopeParameter(scope: string, preset: ScopeRules): string {
  return scope.split(' ').filter(Boolean).join(preset.scope.separator);
}

/**
 * The scope granted by an answer: what was asked when it says nothing (RFC 6749 section 5.1); a narrower one is believed,
 * a wider one is not. Where nothing was asked, the server chose.
 * @param answered space separated
 */
export function grantedScope(answered: string | undefined, asked: string): string {
  if (answered === undefined) return asked;
  const granted = answered.split(' ').filter((one) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(one));
  const wanted = new Set(asked.split(' '));
  return granted.filter((one) => asked === '' || wanted.has(one)).join(' ');
}

/** Asks for a refresh token (OpenID Connect Core 11): having one is the grant, and few servers name it in their answer. */
const OFFLINE = 'offline_access';

/** @returns what is needed and was not granted; both space separated */
export function missingScope(needed: string, granted: string, refreshable: boolean): string {
  const has = new Set(granted.split(' '));
  const missing = needed.split(' ').filter((one) => one !== '' && !has.has(one) && !(refreshable && one === OFFLINE));
  return missing.join(' ');
}
