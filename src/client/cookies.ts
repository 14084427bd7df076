/** The cookie that binds a consent attempt to its browser: `<workflow hash>.<browser secret>`, one per attempt. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { SetCookie } from './contract';

const MAX_AGE_SECONDS = 20 * 60;

export interface Attempt {
  /** base64url(sha256(oauthState)): names the consent workflow. */
  readonly stateHash: string;
  readonly browserSecret: string;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** The eight characters by which the confirm URL names an attempt; they open nothing without the cookie. */
export const attemptName = (stateHash: string): string => stateHash.slice(0, 8);

/** On loopback http the `__Host-` prefix and Secure would make the browser drop it. */
export function attemptCookie(attempt: Attempt, publicUrl: string): SetCookie {
  const secure = publicUrl.startsWith('https:');
  return {
    name: cookieName(attemptName(attempt.stateHash), secure),
    value: `${attempt.stateHash}.${attempt.browserSecret}`,
    maxAgeSeconds: MAX_AGE_SECONDS,
    secure,
  };
}

/** @returns the attempt the browser's cookie names, or undefined */
export function attemptOf(name: string, cookieHeader: string | undefined, publicUrl: string): Attempt | undefined {
  const wanted = cookieName(name, publicUrl.startsWith('https:'));
  for (const part of (cookieHeader ?? '').split(';')) {
    const [key, value = ''] = split(part.trim(), '=');
    if (key !== wanted) continue;
    const [stateHash, browserSecret] = split(value, '.');
    if (browserSecret && stateHash.length === 43 && attemptName(stateHash) === name)
      return { stateHash, browserSecret };
  }
  return undefined;
}

/** The hash that workflows and messages carry instead of the secret. */
export const browserHash = (attempt: Attempt): string => sha256(attempt.browserSecret);

/** For the confirm form; only the browser with the cookie can have been given it. */
export const csrfOf = (attempt: Attempt): string =>
  createHmac('sha256', attempt.browserSecret).update('confirm').digest('base64url');

/**
 * Given to this browser alone, to be handed on to its application: names the workflow, as the cookie does, and proves the
 * browser. Of it only the hash is known elsewhere.
 */
export const confirmationCodeOf = (attempt: Attempt): string =>
  `${attempt.stateHash}.${createHmac('sha256', attempt.browserSecret).update('confirmation').digest('base64url')}`;

export function sameText(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function cookieName(attempt: string, secure: boolean): string {
  return `${secure ? '__Host-' : ''}doc-${attempt}`;
}

function split(text: string, by: string): [string, string | undefined] {
  const at = text.indexOf(by);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
