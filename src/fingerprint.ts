/**
 * HMACs of refresh tokens: a refused one is never sent again, a pasted one is saved once, and neither is kept for it. And of
 * what was sent under an Idempotency-Key, which nobody can guess without the key.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { FINGERPRINT_KEY_REF } from './connection/ids';
import { isDurableOAuthError } from './errors';
import type { Vault } from './vault/port';
import { Secret } from './vault/secret';

export type Fingerprint = (text: Secret) => Promise<string>;

/** @returns a function that gives 22 characters for a text; its key is made in the vault on first use, once */
export function createFingerprint(vault: Vault): Fingerprint {
  let key: Promise<Secret> | undefined;
  return async (text) => {
    key ??= keyOf(vault);
    try {
      const hmac = createHmac('sha256', (await key).reveal()).update(text.reveal());
      return hmac.digest('base64url').slice(0, 22);
    } catch (error) {
      key = undefined;
      throw error;
    }
  };
}

async function keyOf(vault: Vault): Promise<Secret> {
  try {
    return keyIn(await vault.latest(FINGERPRINT_KEY_REF));
  } catch (error) {
    if (!isDurableOAuthError(error, 'VAULT_MISSING')) throw error;
  }
  try {
    await vault.put(FINGERPRINT_KEY_REF, 1, { kind: 'hmac_key', key: new Secret(randomBytes(32).toString('base64')) });
  } catch (error) {
    // Another process was faster; its key is as good.
    if (!isDurableOAuthError(error, 'VAULT_CONFLICT')) throw error;
  }
  return keyIn(await vault.latest(FINGERPRINT_KEY_REF));
}

function keyIn(entry: Awaited<ReturnType<Vault['latest']>>): Secret {
  if (entry.secret.kind !== 'hmac_key') throw new TypeError('The fingerprint key has another kind');
  return entry.secret.key;
}
