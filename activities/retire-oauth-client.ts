/** The steps by which an OAuth client of a component ends: what was granted through it is revoked, its secrets destroyed. */
import { Context } from '@temporalio/activity';
import { clientSecretRef } from '../src/connection/ids';
import { DurableOAuthError } from '../src/errors';
import type { Connections } from '../src/client/contract';
import type { Registry } from '../src/registry/contract';
import type { DurableOAuthActivities } from './contract';
import { untilDone } from './failure';

export interface RetireClientDeps {
  readonly registry: Pick<Registry, 'oauthClients'>;
  readonly connections: Pick<Connections, 'revoke'>;
}

/** Connections asked in one attempt, and how many at the same time: a revocation is answered within 10 s, or goes on. */
const BATCH = 200;
const AT_ONCE = 5;

/**
 * Freeze every connection through the client and revoke it, with the client's own credentials. Repeated until none is left
 * whose revocation is not finished; each of them goes on by itself meanwhile.
 * @returns vault refs of the client's secrets: from now on nobody needs them
 */
export function createDisconnectOAuthClient(deps: RetireClientDeps): DurableOAuthActivities['disconnectOAuthClient'] {
  return (input) =>
    untilDone([], async () => {
      const { tenant, client, by, traceId } = input;
      const reason = 'the OAuth client or its component is gone';
      const event = { type: 'oauth_client.disconnected', by, traceId, facts: { oauth_client: client } };
      const left = [...(await deps.registry.oauthClients.disconnect(tenant, client, event, BATCH))];
      const work = async (): Promise<void> => {
        for (let next = left.shift(); next !== undefined; next = left.shift()) {
          const ref = { tenant, connection: next };
          await deps.connections.revoke(ref, reason, { by, traceId });
          Context.current().heartbeat();
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      const unfinished = await deps.registry.oauthClients.disconnect(tenant, client, event, 1);
      if (unfinished.length > 0) {
        throw new DurableOAuthError('PROVIDER_UNREACHABLE', 'Grants are still being revoked', { tenant, client });
      }
      const secrets = await deps.registry.oauthClients.secretIds(tenant, client);
      return { v: 1, refs: secrets.map((secret) => clientSecretRef(tenant, client, secret)) };
    });
}

/** The client's row stays for those that name it, without a secret. Repeated until it succeeds. */
export function createRecordOAuthClientDeleted(
  deps: RetireClientDeps,
): DurableOAuthActivities['recordOAuthClientDeleted'] {
  return (input) =>
    untilDone([], async () => {
      const { tenant, client, by, traceId } = input;
      const event = { type: 'oauth_client.deleted', by, traceId, facts: { oauth_client: client } };
      await deps.registry.oauthClients.recordDeleted(tenant, client, event);
      return { v: 1 };
    });
}
