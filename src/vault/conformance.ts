/**
 * What every vault driver must do, as test cases for any runner:
 *
 *     for (const { title, run } of vaultConformance(make)) it(title, run);
 *
 * Cases use refs of their own, so they may share one store and leave destroyed entries behind.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { assertFails, CASES, listed, TENANT_PREFIX, type Bench, type VaultUnderTest } from './conformance-cases';

export type { VaultUnderTest };

export interface VaultConformanceOptions {
  /** Reads may lag behind writes: they are repeated for up to 30 s. */
  readonly eventualReads?: boolean;
  /** Called before each repetition, for a store whose lag is under control. */
  readonly settle?: () => Promise<void>;
}

export interface VaultConformanceCase {
  readonly title: string;
  readonly run: () => Promise<void>;
}

const PATIENCE_MS = 30_000;

/**
 * List the cases; each makes its own vault with `make` and closes it.
 * A failing case rejects with an `AssertionError`, or with what the driver threw.
 */
export function vaultConformance(
  make: () => Promise<VaultUnderTest>,
  options: VaultConformanceOptions = {},
): readonly VaultConformanceCase[] {
  return Object.entries(CASES).map(([title, check]) => ({
    title,
    async run(): Promise<void> {
      const made = await make();
      try {
        await check(benchFor(made, options));
      } finally {
        await made.close?.();
      }
    },
  }));
}

function benchFor(made: VaultUnderTest, options: VaultConformanceOptions): Bench {
  const tenant = `${TENANT_PREFIX}${randomBytes(8).toString('hex')}`;
  const settled = <T>(attempt: () => Promise<T>): Promise<T> => untilSettled(attempt, options);
  return {
    vault: made.vault,
    reopened: async () => (await made.reopen?.()) ?? made.vault,
    tenant,
    ref: `grant/${tenant}/cn_1/gr_1`,
    latest: (ref, generation, vault = made.vault) =>
      settled(async () => {
        const entry = await vault.latest(ref);
        assert.equal(entry.generation, generation);
        return entry;
      }),
    unreadable: (ref, code) => settled(() => assertFails(made.vault.latest(ref), code)),
    list: (prefix, expected) =>
      settled(async () => assert.deepEqual(await listed(made.vault, prefix), [...expected].sort())),
  };
}

async function untilSettled<T>(attempt: () => Promise<T>, options: VaultConformanceOptions): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (options.eventualReads !== true || Date.now() > deadline) throw error;
    }
    await (options.settle === undefined ? pause(50) : options.settle());
  }
}
