/** Writing token sets: the next generation, once; and the sealed list of cells that waits when the vault does not listen. */
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import type { Opener, Sealer } from '../src/envelope';
import { DurableOAuthError, isDurableOAuthError } from '../src/errors';
import { fromPlain, toPlain } from '../src/vault/codec';
import type { Vault, VaultEntry } from '../src/vault/port';
import type { TokenSet, VaultSecret } from '../src/vault/secret';
import type { Escrow } from './contract';
import { pause } from './time-limit';

export interface Cell {
  readonly ref: string;
  readonly generation: number;
  readonly secret: VaultSecret;
}

/**
 * Put a token set as a generation. Another process may have put its own there (a worker that was only slow): then the
 * set with the later `receivedAt` wins, and a later one of ours goes in above it.
 *
 * @returns the generation under which the newest set now stands, and that set
 * @throws VAULT_UNAVAILABLE, VAULT_GONE
 */
export async function putTokenSet(
  vault: Vault,
  ref: string,
  generation: number,
  set: TokenSet,
): Promise<{ generation: number; set: TokenSet; outcome: 'stored' | 'same' }> {
  try {
    return { generation, set, outcome: await vault.put(ref, generation, set) };
  } catch (error) {
    if (!isDurableOAuthError(error, 'VAULT_CONFLICT')) throw error;
  }
  const newest = await vault.latest(ref);
  const theirs = tokenSetOf(newest, ref);
  if (theirs.receivedAt >= set.receivedAt) return { generation: newest.generation, set: theirs, outcome: 'same' };
  return putTokenSet(vault, ref, Math.max(newest.generation, generation) + 1, set);
}

/** Put every cell in order, again and again until the deadline. @throws the last failure when the time is over */
export async function putCells(vault: Vault, cells: readonly Cell[], deadlineMs: number): Promise<'stored' | 'same'> {
  const end = Date.now() + deadlineMs;
  let outcome: 'stored' | 'same' = 'same';
  for (const cell of cells) {
    for (;;) {
      try {
        const done =
          cell.secret.kind === 'token_set'
            ? (await putTokenSet(vault, cell.ref, cell.generation, cell.secret)).outcome
            : await vault.put(cell.ref, cell.generation, cell.secret);
        if (done === 'stored') outcome = 'stored';
        break;
      } catch (error) {
        if (!isDurableOAuthError(error, 'VAULT_UNAVAILABLE') || Date.now() + 1_000 > end) throw error;
        await pause(1_000);
      }
    }
  }
  return outcome;
}

/** Seal cells: the only form in which a provider's answer may leave the activity. */
export async function escrowOf(sealer: Sealer, grant: string, cells: readonly Cell[]): Promise<Escrow> {
  const content = { cells: cells.map((cell) => ({ ...cell, secret: toPlain(cell.secret) })) };
  return { v: 1, kind: 'escrow', grant, sealed: await sealer.seal('escrow', content) };
}

/**
 * The first and only heartbeat of an activity: it survives a SIGKILL. A second one soon after would be throttled and
 * lost, so this is called once.
 */
export function heartbeatEscrow(escrow: Escrow): void {
  Context.current().heartbeat(escrow);
}

const sealedCells = z.object({
  cells: z.array(z.object({ ref: z.string(), generation: z.number().int().positive(), secret: z.unknown() })),
});

/** @throws ENVELOPE_UNREADABLE */
export async function openEscrow(opener: Opener, sealed: string): Promise<readonly Cell[]> {
  const parsed = sealedCells.safeParse(await opener.open('escrow', sealed));
  if (!parsed.success) throw new DurableOAuthError('ENVELOPE_UNREADABLE', 'An escrow holds no vault cells');
  return parsed.data.cells.map((cell) => ({ ...cell, secret: fromPlain(cell.secret) }));
}

/** @throws VAULT_CORRUPT when the entry is no token set */
export function tokenSetOf(entry: VaultEntry, ref: string): TokenSet {
  if (entry.secret.kind !== 'token_set') {
    throw new DurableOAuthError('VAULT_CORRUPT', 'A grant holds something else than a token set', { ref });
  }
  return entry.secret;
}
