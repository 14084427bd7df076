import { parseRef } from '../src/connection/ids';
import { contextOf, newestOf, reportOfEntry, settingsOf, type ContextDeps } from './grant-context';
import { untilDone } from './failure';
import type { DurableOAuthActivities, LoadResult } from './contract';

/**
 * Read a connection as it is: registry row and newest generation in the vault. Writes nothing; safe to repeat.
 *
 * @returns `known: false` when the registry has no such connection
 * Repeated until it succeeds: without a client or preset it waits, visibly, for somebody to bring it back.
 */
export function createLoadConnection(deps: ContextDeps): DurableOAuthActivities['loadConnection'] {
  return (input) =>
    untilDone([], async (): Promise<LoadResult> => {
      const ref = parseRef(input.ref);
      // Not through the last-good copy of a deleted row: a connection that is gone must not come back.
      if ((await deps.registry.connections.get(ref)) === undefined) return { v: 1, known: false };
      const context = await contextOf(deps, ref);
      const { connection } = context;
      const entry =
        connection.grantId === null || connection.frozenAt !== null
          ? undefined
          : await newestOf(deps.vault, ref, connection.grantId);
      const report = entry && reportOfEntry(context, connection.grantId ?? '', entry);
      const { policy, display } = report ?? settingsOf(context);
      return {
        v: 1,
        known: true,
        frozen: connection.frozenAt !== null,
        revoking: connection.revokingSince === null ? undefined : { frozenAt: connection.revokingSince },
        state: connection.state,
        recovery: connection.recovery ?? undefined,
        reason: connection.reason ?? undefined,
        since: connection.since,
        evidence: connection.evidence ?? undefined,
        stateVersion: connection.stateVersion,
        generation: connection.generation,
        policy,
        display,
        token: report?.token,
        grant: connection.grantId ?? undefined,
        grantedAt: report?.grantedAt ?? connection.grantedAt ?? undefined,
        refreshedAt: connection.refreshedAt ?? undefined,
        consentDeadline: connection.consentDeadline ?? undefined,
      };
    });
}
