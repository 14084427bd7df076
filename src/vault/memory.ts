/** A vault that forgets when its process ends: for tests of this package and of its users, never for production. */
import { DurableOAuthError } from '../errors';
import {
  checkCell,
  checkRef,
  sameSecret,
  secretFromText,
  secretToText,
  vaultConflict,
  vaultGone,
  vaultMissing,
} from './cell';
import type { Vault, VaultCapabilities, VaultEntry } from './port';
import type { VaultSecret } from './secret';

export interface MemoryVaultOptions {
  /** `eventual`: after a write the next two reads of the ref still answer as before it. @default 'strong' */
  readonly reads?: 'strong' | 'eventual';
  /** Capabilities to pretend, for example a short `maxBytes` or a deletion window. */
  readonly capabilities?: Partial<VaultCapabilities>;
}

export interface MemoryVault extends Vault {
  /** From now on every call fails with VAULT_UNAVAILABLE, until called with `true`. */
  setAvailable(available: boolean): void;
}

interface Contents {
  readonly cells: ReadonlyMap<number, string>;
  readonly destroyed: boolean;
}

const NOTHING: Contents = { cells: new Map(), destroyed: false };
const LAGGING_READS = 2;

export function createMemoryVault(options: MemoryVaultOptions = {}): MemoryVault {
  const capabilities: VaultCapabilities = {
    driver: 'memory',
    maxBytes: 65_536,
    minWriteIntervalSeconds: 0,
    recoveryWindowDays: 0,
    ...options.capabilities,
  };
  const written = new Map<string, Contents>();
  const lagging = new Map<string, { before: Contents; reads: number }>();
  let available = true;

  const held = (ref: string): Contents => written.get(ref) ?? NOTHING;

  function answer(): void {
    if (!available) throw new DurableOAuthError('VAULT_UNAVAILABLE', 'The memory vault was made unavailable');
  }

  function write(ref: string, contents: Contents): void {
    if (options.reads === 'eventual') {
      lagging.set(ref, { before: lagging.get(ref)?.before ?? held(ref), reads: LAGGING_READS });
    }
    written.set(ref, contents);
  }

  function read(ref: string): Contents {
    const lag = lagging.get(ref);
    if (lag === undefined) return held(ref);
    lag.reads -= 1;
    if (lag.reads <= 0) lagging.delete(ref);
    return lag.before;
  }

  return {
    capabilities,

    async put(ref: string, generation: number, secret: VaultSecret): Promise<'stored' | 'same'> {
      checkCell(ref, generation);
      const text = secretToText(ref, secret, capabilities.maxBytes);
      answer();
      const { cells, destroyed } = held(ref);
      if (destroyed) throw vaultGone(ref);
      const there = cells.get(generation);
      if (there === undefined) {
        write(ref, { cells: new Map([...cells, [generation, text]]), destroyed });
        return 'stored';
      }
      if (sameSecret(secretFromText(ref, generation, there), secret)) return 'same';
      throw vaultConflict(ref, generation);
    },

    async latest(ref: string): Promise<VaultEntry> {
      checkRef(ref);
      answer();
      const { cells, destroyed } = read(ref);
      if (destroyed) throw vaultGone(ref);
      const generation = Math.max(...cells.keys());
      const text = cells.get(generation);
      if (text === undefined) throw vaultMissing(ref);
      return { generation, secret: secretFromText(ref, generation, text) };
    },

    async destroy(ref: string): Promise<void> {
      checkRef(ref);
      answer();
      write(ref, { cells: new Map(), destroyed: true });
    },

    async checkWritable(): Promise<void> {
      answer();
    },

    async *list(prefix: string): AsyncGenerator<string> {
      answer();
      for (const [ref, { cells }] of written) if (ref.startsWith(prefix) && cells.size > 0) yield ref;
    },

    setAvailable(value: boolean): void {
      available = value;
    },
  };
}
