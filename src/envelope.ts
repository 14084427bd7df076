/**
 * The envelope: a compact JWE (ECDH-ES + A256GCM) to the workers' public key is the only form in which a secret may
 * cross Temporal. Callers seal with public keys from the registry; activities open with private keys from the vault.
 */
import { compactDecrypt, CompactEncrypt, importJWK, type CryptoKey, type JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import { DurableOAuthError, isDurableOAuthError } from './errors';
import { Secret } from './vault/secret';

/** Where public keys come from: registry rows in processes of ours, /.well-known/jwks.json elsewhere. */
export interface EnvelopeKeySource {
  /** Newest usable public key first. Keeps the last good answer while the registry is silent. */
  publicKeys(): Promise<readonly (JWK & { kid: string })[]>;
}

export interface Sealer {
  /** Have a key at hand, so that a later `seal` needs nobody. @throws REGISTRY_UNAVAILABLE */
  ready(): Promise<void>;
  /**
   * Seal JSON-ready content; a `Secret` in it is sealed by its value.
   * @param purpose bound into the JWE: a sealed code cannot be opened as a client secret
   * @throws REGISTRY_UNAVAILABLE when no key was ever had
   */
  seal(purpose: SealPurpose, content: Readonly<Record<string, unknown>>): Promise<string>;
}

export interface Opener {
  /**
   * @throws ENVELOPE_UNREADABLE when the key is gone, the purpose differs or the text was changed
   * @throws VAULT_UNAVAILABLE when the private key cannot be had now
   */
  open(purpose: SealPurpose, sealed: string): Promise<Record<string, unknown>>;
}

export type SealPurpose = 'save' | 'client' | 'consent' | 'code' | 'escrow';

const ALGORITHM = 'ECDH-ES';
const ENCRYPTION = 'A256GCM';
const PUBLIC_KEYS_FRESH_MS = 300_000;
/** A source that fails is asked again after this, so that not every caller waits for its time-out. */
const SOURCE_RETRY_MS = 10_000;
/** Short against the life of a key: one that was destroyed is soon forgotten here as well. */
const PRIVATE_KEY_CACHE_MS = 3_600_000;

/**
 * Make the sealing side. Public keys are asked for every 5 minutes; while the source fails, the last one serves.
 */
export function createSealer(source: EnvelopeKeySource): Sealer {
  let newest: { readonly kid: string; readonly key: CryptoKey | Uint8Array } | undefined;
  let askAgainAt = 0;
  let asking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    try {
      const [jwk] = await source.publicKeys();
      if (jwk === undefined) return;
      newest = { kid: jwk.kid, key: await importJWK(jwk, ALGORITHM) };
      askAgainAt = Date.now() + PUBLIC_KEYS_FRESH_MS;
    } catch {
      askAgainAt = newest === undefined ? 0 : Date.now() + SOURCE_RETRY_MS;
    }
  }

  async function publicKey(): Promise<NonNullable<typeof newest>> {
    if (Date.now() >= askAgainAt) {
      asking ??= ask().finally(() => (asking = undefined));
      await asking;
    }
    if (newest !== undefined) return newest;
    throw new DurableOAuthError(
      'REGISTRY_UNAVAILABLE',
      'No envelope key is to be had: the registry does not answer, or no worker has run yet',
    );
  }

  return {
    async ready(): Promise<void> {
      await publicKey();
    },

    async seal(purpose: SealPurpose, content: Readonly<Record<string, unknown>>): Promise<string> {
      const { kid, key } = await publicKey();
      try {
        return await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(content, revealed)))
          .setProtectedHeader({ alg: ALGORITHM, enc: ENCRYPTION, kid, typ: typeFor(purpose) })
          .encrypt(key);
      } catch {
        throw new DurableOAuthError('INTERNAL', 'A value could not be sealed', { purpose, kid });
      }
    },
  };
}

/**
 * Make the opening side. Private keys are kept in memory for an hour.
 * @param loadPrivate the private JWK of a key id, for example `vaultPrivateKeys(vault)` of src/envelope-keys.ts
 */
export function createOpener(loadPrivate: (kid: string) => Promise<JWK>): Opener {
  const keys = new LRUCache<string, CryptoKey | Uint8Array>({ max: 32, ttl: PRIVATE_KEY_CACHE_MS });

  async function privateKey(kid: string): Promise<CryptoKey | Uint8Array> {
    const cached = keys.get(kid);
    if (cached !== undefined) return cached;
    const key = await importJWK(await loadPrivate(kid), ALGORITHM);
    keys.set(kid, key);
    return key;
  }

  return {
    async open(purpose: SealPurpose, sealed: string): Promise<Record<string, unknown>> {
      try {
        const { plaintext } = await compactDecrypt(
          sealed,
          ({ kid, typ }) => {
            if (typ !== typeFor(purpose) || typeof kid !== 'string') throw new DurableOAuthError('ENVELOPE_UNREADABLE');
            return privateKey(kid);
          },
          { keyManagementAlgorithms: [ALGORITHM], contentEncryptionAlgorithms: [ENCRYPTION] },
        );
        return toRecord(JSON.parse(new TextDecoder().decode(plaintext)));
      } catch (error) {
        if (isDurableOAuthError(error, 'VAULT_UNAVAILABLE')) throw error;
        throw new DurableOAuthError('ENVELOPE_UNREADABLE', 'A sealed value cannot be opened', { purpose });
      }
    },
  };
}

const typeFor = (purpose: SealPurpose): string => `durable-oauth/${purpose}`;

/** Looks at the holder, because by the time `value` arrives `toJSON` has put the mask in place of the secret. */
function revealed(this: unknown, name: string, value: unknown): unknown {
  const held = (this as Readonly<Record<string, unknown>>)[name];
  return held instanceof Secret ? held.reveal() : value;
}

function toRecord(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new DurableOAuthError('ENVELOPE_UNREADABLE');
}
