/** What every driver checks and writes alike: the form of a ref, of a generation, and a secret as text. */
import { isDeepStrictEqual } from 'node:util';
import { DurableOAuthError } from '../errors';
import { fromPlain, toPlain } from './codec';
import type { VaultSecret } from './secret';

/** Two to eight ids. Nothing else may reach a store: `..` or an empty segment could name another tenant's entry. */
const REF = /^[a-z0-9_-]{1,64}(?:\/[a-z0-9_-]{1,64}){1,7}$/;

/** @throws INTERNAL when the text is no vault ref: refs are made by src/connection/ids.ts from ids already checked */
export function checkRef(ref: string): void {
  if (REF.test(ref)) return;
  throw new DurableOAuthError('INTERNAL', 'A vault ref is two to eight ids joined by slashes', {
    given: ref.slice(0, 140),
  });
}

/** @throws INTERNAL when ref or generation cannot name a cell */
export function checkCell(ref: string, generation: number): void {
  checkRef(ref);
  if (Number.isSafeInteger(generation) && generation >= 1) return;
  throw new DurableOAuthError('INTERNAL', 'A generation is a whole number from 1', { ref, generation });
}

/** @throws PAYLOAD_TOO_LARGE when the store would not take the text */
export function secretToText(ref: string, secret: VaultSecret, maxBytes: number): string {
  const text = JSON.stringify(toPlain(secret));
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return text;
  throw new DurableOAuthError('PAYLOAD_TOO_LARGE', 'The secret is larger than a vault entry may be', {
    ref,
    bytes,
    maxBytes,
  });
}

/** @throws VAULT_CORRUPT when the text is no secret of a form known here */
export function secretFromText(ref: string, generation: number, text: string): VaultSecret {
  try {
    return fromPlain(JSON.parse(text));
  } catch {
    throw new DurableOAuthError(
      'VAULT_CORRUPT',
      'The vault entry was opened but is not understood; was it written by a newer version?',
      { ref, generation },
    );
  }
}

export function sameSecret(one: VaultSecret, other: VaultSecret): boolean {
  return isDeepStrictEqual(toPlain(one), toPlain(other));
}

export function vaultMissing(ref: string): DurableOAuthError {
  return new DurableOAuthError('VAULT_MISSING', 'The vault has no entry under the ref', { ref });
}

export function vaultGone(ref: string): DurableOAuthError {
  return new DurableOAuthError('VAULT_GONE', 'The vault entry was destroyed', { ref });
}

export function vaultConflict(ref: string, generation: number): DurableOAuthError {
  return new DurableOAuthError('VAULT_CONFLICT', 'The vault holds another value under the generation', {
    ref,
    generation,
  });
}
