import { parseRef } from '../src/connection/ids';
import type { ConnectionRef } from '../src/connection/types';
import { isDurableOAuthError } from '../src/errors';
import type { Vault } from '../src/vault/port';
import { contextOf, newestOf, reportOfEntry, settingsOf, type ContextDeps, type GrantContext } from './grant-context';
import { untilDone } from './failure';
import type { DurableOAuthActivities, LoadResult, TokenReport } from './contract';

/**
 * Read a connection as it is: registry row and newest generation in the vault. A frozen one is read without the vault; an
 * entry that was destroyed or cannot be opened is no token. Writes nothing; safe to repeat.
 *
 * @returns `known: false` when the registry has no such connection, or nothing is left of it but its row: it was revoked,
 *   and its preset was removed since
 * Repeated until it succeeds: without a client or preset it waits, visibly, for somebody to bring it back.
 */
export function createLoadConnection(deps: ContextDeps): DurableOAuthActivities['loadConnection'] {
  return (input) =>
    untilDone([], async (): Promise<LoadResult> => {
      const ref = parseRef(input.ref);
      // Not through the last-good copy of a deleted row: a connection that is gone must not come back.
      const row = await deps.registry.connections.get(ref);
      if (row === undefined) return { v: 1, known: false };
      const context = await contextOf(deps, ref).catch((error: unknown) => {
        const over = row.frozenAt !== null && row.revokingSince === null;
        if (over && isDurableOAuthError(error, 'OAUTH_CLIENT_UNUSABLE')) return undefined;
        throw error;
      });
      if (context === undefined) return { v: 1, known: false };
      const { connection } = context;
      const report = connection.frozenAt === null ? await held(deps.vault, ref, context) : undefined;
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
        previousGrant: connection.previousGrantId ?? undefined,
        grantedAt: report?.grantedAt ?? connection.grantedAt ?? undefined,
        refreshedAt: connection.refreshedAt ?? undefined,
        consentDeadline: connection.consentDeadline ?? undefined,
      };
    });
}

async function held(vault: Vault, ref: ConnectionRef, context: GrantContext): Promise<TokenReport | undefined> {
  const { grantId } = context.connection;
  if (grantId === null) return undefined;
  try {
    const entry = await newestOf(vault, ref, grantId);
    return entry && reportOfEntry(context, grantId, entry);
  } catch (error) {
    if (isDurableOAuthError(error, 'VAULT_GONE') || isDurableOAuthError(error, 'VAULT_CORRUPT')) return undefined;
    throw error;
  }
}
