/**
 * The vault port: the only place where secrets are kept. A cell `(ref, generation)` is written once, into a place that
 * did not exist before; nothing is overwritten, and a destroyed ref never comes back.
 */
import type { VaultSecret } from './secret';

export interface VaultEntry {
  readonly generation: number;
  readonly secret: VaultSecret;
}

export interface VaultCapabilities {
  readonly driver: string;
  /** Largest serialized secret in bytes. */
  readonly maxBytes: number;
  /** Shortest time between two writes to one ref that the store bears for ever; 0 = no limit. */
  readonly minWriteIntervalSeconds: number;
  /** Days in which a destroyed ref can still be restored by the store's administrator; 0 = gone at once. */
  readonly recoveryWindowDays: number;
}

/**
 * Every method fails with VAULT_UNAVAILABLE when the store does not answer in time (never with VAULT_MISSING), and with
 * VAULT_CORRUPT when an entry cannot be opened. No foreign error leaves a driver.
 */
export interface Vault {
  readonly capabilities: VaultCapabilities;

  /**
   * Write a cell once. Repeating the same value is harmless.
   * @throws VAULT_CONFLICT when the cell holds another value; VAULT_GONE when the ref was destroyed
   */
  put(ref: string, generation: number, secret: VaultSecret): Promise<'stored' | 'same'>;

  /** @throws VAULT_MISSING when nothing was ever put under the ref; VAULT_GONE when it was destroyed */
  latest(ref: string): Promise<VaultEntry>;

  /** Destroy all generations; later puts fail. Twice is fine, and so is a ref that never was. */
  destroy(ref: string): Promise<void>;

  /** Whether a put would be taken now, without writing. Asked before a single-use token is spent. */
  checkWritable(): Promise<void>;

  /** Refs that start with the prefix; for the reconciler only, may lag behind. */
  list(prefix: string): AsyncIterable<string>;

  /** Give connections to the store back; nothing is asked afterwards. */
  close?(): Promise<void>;
}
