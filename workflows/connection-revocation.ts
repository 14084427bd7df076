/** The last story of a connection's run: revoked at the provider, destroyed in the vault, a tombstone as the result. */
import { CancellationScope } from '@temporalio/workflow';
import type { Revoke, Tombstone } from '../src/connection/messages';
import { destroyGrant } from './connection-grants';
import { recordState } from './connection-jobs';
import type { ConnectionRun } from './connection-run';
import { outcomeOf } from './failures';
import { run } from './run-activity';

/**
 * Freeze: from here on no reader serves, wherever it runs. Done at once, while a refresh may still be in flight.
 * @throws when the registry does not answer; nothing was revoked then
 */
export async function freeze(connection: ConnectionRun, ask: Revoke): Promise<void> {
  const c = connection.state;
  await run('recordTransition', `Freeze ${connection.ref}: ${ask.reason}`, {
    v: 1,
    ref: connection.ref,
    stateVersion: c.stateVersion,
    state: 'disconnected',
    recovery: 'reconnect',
    reason: 'REVOKED_HERE',
    since: new Date(Date.now()).toISOString(),
    nextAttemptAt: null,
    usable: false,
    event: 'connection.frozen',
    facts: { reason: ask.reason },
    freeze: true,
    by: ask.by,
    traceId: ask.traceId,
  });
  connection.tombstone = {
    v: 1,
    by: ask.by,
    reason: ask.reason,
    frozenAt: new Date(Date.now()).toISOString(),
    provider: 'pending',
  };
  connection.become({ type: 'frozen', reason: 'REVOKED_HERE' });
}

/** Everything after the freeze; a cancelled run still finishes it. */
export function finishRevocation(connection: ConnectionRun): Promise<Tombstone> {
  return CancellationScope.nonCancellable(async () => {
    // An adoption that was under way when the freeze came has thawed the row.
    if (!connection.state.frozen) connection.become({ type: 'frozen', reason: 'REVOKED_HERE' });
    const { grant } = connection.state;
    await recordState(connection);
    const provider = grant === null ? 'nothing_to_revoke' : await revokeAtProvider(connection, grant);
    let stone: Tombstone = { ...frozen(connection), provider, providerAt: now() };
    connection.tombstone = stone;
    await destroyGrant(connection, grant, 'revoked', provider);
    stone = { ...stone, destroyedAt: now() };
    connection.tombstone = stone;
    return stone;
  });
}

async function revokeAtProvider(connection: ConnectionRun, grant: string): Promise<Tombstone['provider']> {
  try {
    const { provider } = await run('revokeGrant', `Revoke the grant at the provider (${connection.ref})`, {
      v: 1,
      ref: connection.ref,
      grant,
      sealed: connection.escrow?.sealed,
    });
    return provider;
  } catch (error) {
    outcomeOf(error);
    return 'gave_up';
  }
}

function frozen(connection: ConnectionRun): Tombstone {
  if (connection.tombstone === undefined) throw new Error('The connection is not frozen');
  return connection.tombstone;
}

const now = (): string => new Date(Date.now()).toISOString();
