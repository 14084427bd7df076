/** Revoking the connections of something that goes: an OAuth client, an integration. */
import { Context } from '@temporalio/activity';
import type { Caller, Connections } from '../src/client/contract';
import { DurableOAuthError, type Coordinates } from '../src/errors';

/** Connections asked in one attempt, and how many at the same time: a revocation is answered within 10 s, or goes on. */
const BATCH = 200;
const AT_ONCE = 5;

interface Revoking {
  /** Freezes what is not frozen. @returns connections whose revocation is not finished, `limit` at most */
  readonly unfinished: (limit: number) => Promise<readonly string[]>;
  readonly reason: string;
  /** Of what goes. */
  readonly of: Coordinates & { readonly tenant: string };
  readonly caller: Caller;
}

/**
 * Revoke each of them, with its client's own credentials; each goes on by itself meanwhile.
 * @throws PROVIDER_UNREACHABLE when some are not finished: ask again
 */
export async function revokeConnections(
  connections: Pick<Connections, 'revoke'>,
  { unfinished, reason, of, caller }: Revoking,
): Promise<void> {
  const left = [...(await unfinished(BATCH))];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      await connections.revoke({ tenant: of.tenant, connection: next }, reason, caller);
      Context.current().heartbeat();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if ((await unfinished(1)).length > 0) {
    throw new DurableOAuthError('PROVIDER_UNREACHABLE', 'Grants are still being revoked', of);
  }
}
