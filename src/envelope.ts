/**
 * The envelope: a compact JWE (ECDH-ES + A256GCM) to the workers' public key is the only form in which a secret may
 * cross Temporal. Callers seal with public keys from the registry; activities open with private keys from the vault.
 */
import type { JWK } from 'jose';

/** Where public keys come from: registry rows in processes of ours, /.well-known/jwks.json elsewhere. */
export interface EnvelopeKeySource {
  /** Newest usable public key first. Keeps the last good answer while the registry is silent. */
  publicKeys(): Promise<readonly (JWK & { kid: string })[]>;
}

export interface Sealer {
  /** Have a key at hand, so that a later `seal` needs nobody. @throws REGISTRY_UNAVAILABLE */
  ready(): Promise<void>;
  /** @param purpose bound into the JWE: a sealed code cannot be opened as a client secret */
  seal(purpose: SealPurpose, content: Readonly<Record<string, unknown>>): Promise<string>;
}

export interface Opener {
  /** @throws ENVELOPE_UNREADABLE when the key is gone, the purpose differs or the text was changed */
  open(purpose: SealPurpose, sealed: string): Promise<Record<string, unknown>>;
}

export type SealPurpose = 'save' | 'consent' | 'code' | 'escrow';
