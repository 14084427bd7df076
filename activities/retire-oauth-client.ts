/** The steps by which an OAuth client of a component ends: what was granted through it is revoked, its secrets destroyed. */
import { clientSecretRef } from '../src/connection/ids';
import { originIn } from '../src/connection/messages';
import type { Connections } from '../src/client/contract';
import type { Registry } from '../src/registry/contract';
import type { DurableOAuthActivities } from './contract';
import { untilDone } from './failure';
import { revokeConnections } from './revoke-connections';

export interface RetireClientDeps {
  readonly registry: Pick<Registry, 'consentLinks' | 'oauthClients'>;
  readonly connections: Pick<Connections, 'revoke'>;
}

/**
 * Freeze every connection through the client and revoke it, with the client's own credentials. Repeated until none is left
 * whose revocation is not finished; each of them goes on by itself meanwhile.
 * @returns vault refs of the client's secrets: from now on nobody needs them but consents that began before
 */
export function createDisconnectOAuthClient(deps: RetireClientDeps): DurableOAuthActivities['disconnectOAuthClient'] {
  return (input) =>
    untilDone([], async () => {
      const { tenant, client } = input;
      const event = { type: 'oauth_client.disconnected', ...originIn(input), facts: { oauth_client: client } };
      await revokeConnections(deps.connections, {
        unfinished: (limit) => deps.registry.oauthClients.disconnect(tenant, client, event, limit),
        reason: 'the OAuth client or its component is gone',
        of: { tenant, client },
        caller: originIn(input),
      });
      const secrets = await deps.registry.oauthClients.secretIds(tenant, client);
      const attemptedAt = await deps.registry.consentLinks.lastAttempt(tenant, { client });
      return { v: 1, refs: secrets.map((secret) => clientSecretRef(tenant, client, secret)), attemptedAt };
    });
}

/** The client's row stays for those that name it, without a secret. Repeated until it succeeds. */
export function createRecordOAuthClientDeleted(
  deps: RetireClientDeps,
): DurableOAuthActivities['recordOAuthClientDeleted'] {
  return (input) =>
    untilDone([], async () => {
      const { tenant, client } = input;
      const event = { type: 'oauth_client.deleted', ...originIn(input), facts: { oauth_client: client } };
      await deps.registry.oauthClients.recordDeleted(tenant, client, event);
      return { v: 1 };
    });
}
