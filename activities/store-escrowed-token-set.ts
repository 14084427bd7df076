import { parseRef } from '../src/connection/ids';
import type { Opener } from '../src/envelope';
import type { Registry } from '../src/registry/contract';
import { openEscrow, putCells } from './cells';
import type { DurableOAuthActivities } from './contract';
import { untilDone } from './failure';
import { contextOf, newestOf, reportOfEntry, type ContextDeps } from './grant-context';
import { project } from './refresh-token-set';

export interface StoreDeps extends ContextDeps {
  readonly registry: Pick<Registry, 'connections'>;
  readonly opener: Opener;
}

/** How long one attempt of the engine tries. */
const TRY_MS = 15_000;

/**
 * Open an escrow (a provider answer the vault did not take in time) and put its cells. Repeated until it succeeds;
 * repeating is harmless, a cell is written once.
 *
 * @returns `same` when the vault already had it (the worker died after the put), and facts of the newest generation when
 *   the connection has rows; a save's come later
 * Fails with VAULT_GONE when the grant was destroyed meanwhile, ENVELOPE_UNREADABLE when no key opens it.
 */
export function createStoreEscrowedTokenSet(deps: StoreDeps): DurableOAuthActivities['storeEscrowedTokenSet'] {
  return (input) =>
    untilDone(['VAULT_GONE', 'ENVELOPE_UNREADABLE'], async () => {
      const ref = parseRef(input.ref);
      const cells = await openEscrow(deps.opener, input.sealed);
      const stored = await putCells(deps.vault, cells, TRY_MS);
      if ((await deps.registry.connections.get(ref)) === undefined) return { v: 1, stored };
      const entry = await newestOf(deps.vault, ref, input.grant);
      if (entry === undefined) return { v: 1, stored };
      const report = reportOfEntry(await contextOf(deps, ref), input.grant, entry);
      await project(deps, ref, report);
      return { v: 1, stored, report };
    });
}
