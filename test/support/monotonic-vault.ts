/**
 * Watches a vault while a test uses it (design 12, invariant 4): generations only grow, nothing is overwritten, nothing is
 * lost, and what was destroyed stays so. It never interferes; `assertClean` in `afterEach` tells what it saw.
 */
import { isDeepStrictEqual } from 'node:util';
import { isDurableOAuthError } from '../../src/errors';
import { toPlain } from '../../src/vault/codec';
import type { Vault, VaultCapabilities, VaultEntry } from '../../src/vault/port';
import type { VaultSecret } from '../../src/vault/secret';

interface Known {
  readonly cells: Map<number, VaultSecret>;
  newest: number;
  destroyed: boolean;
}

export class MonotonicVault implements Vault {
  readonly violations: string[] = [];
  readonly #vault: Vault;
  readonly #known = new Map<string, Known>();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  get capabilities(): VaultCapabilities {
    return this.#vault.capabilities;
  }

  async put(ref: string, generation: number, secret: VaultSecret): Promise<'stored' | 'same'> {
    const known = this.#knownOf(ref);
    // What held when the call began: calls that overlap have no order.
    const { newest, destroyed } = known;
    const answer = await this.#vault.put(ref, generation, secret);
    if (destroyed) this.#violated('a destroyed ref took a put', ref, generation);
    const before = known.cells.get(generation);
    if (before !== undefined && !isDeepStrictEqual(toPlain(before), toPlain(secret))) {
      this.#violated('a cell was overwritten with another value', ref, generation);
    } else if (answer === 'stored' && generation <= newest) {
      this.#violated(`a put went back behind generation ${newest}`, ref, generation);
    }
    if (before === undefined) known.cells.set(generation, secret);
    known.newest = Math.max(known.newest, generation);
    return answer;
  }

  async latest(ref: string): Promise<VaultEntry> {
    const known = this.#knownOf(ref);
    const { newest, destroyed } = known;
    let entry: VaultEntry;
    try {
      entry = await this.#vault.latest(ref);
    } catch (error) {
      if (newest > 0 && isDurableOAuthError(error, 'VAULT_MISSING')) {
        this.#violated('a stored generation was lost', ref, newest);
      }
      throw error;
    }
    if (destroyed) this.#violated('a destroyed ref was read', ref, entry.generation);
    if (entry.generation < newest) this.#violated(`generation ${newest} was lost`, ref, entry.generation);
    const stored = known.cells.get(entry.generation);
    if (stored !== undefined && !isDeepStrictEqual(toPlain(stored), toPlain(entry.secret))) {
      this.#violated('a cell was read with another value than was stored', ref, entry.generation);
    }
    return entry;
  }

  async destroy(ref: string): Promise<void> {
    await this.#vault.destroy(ref);
    this.#knownOf(ref).destroyed = true;
  }

  checkWritable(): Promise<void> {
    return this.#vault.checkWritable();
  }

  list(prefix: string): AsyncIterable<string> {
    return this.#vault.list(prefix);
  }

  /** @throws when a rule was broken, naming each */
  assertClean(): void {
    if (this.violations.length > 0) throw new Error(`The vault's rules were broken:\n${this.violations.join('\n')}`);
  }

  #violated(rule: string, ref: string, generation: number): void {
    this.violations.push(`${rule} [ref=${ref} generation=${generation}]`);
  }

  #knownOf(ref: string): Known {
    const known = this.#known.get(ref) ?? { cells: new Map(), newest: 0, destroyed: false };
    this.#known.set(ref, known);
    return known;
  }
}
