/** The steps by which an integration ends: its connections are revoked, the secrets of its own client destroyed. */
import { clientSecretRef } from '../src/connection/ids';
import { originIn } from '../src/connection/messages';
import type { Connections } from '../src/client/contract';
import type { Registry } from '../src/registry/contract';
import type { DurableOAuthActivities } from './contract';
import { untilDone } from './failure';
import { revokeConnections } from './revoke-connections';

export interface RetireIntegrationDeps {
  readonly registry: Pick<Registry, 'consentLinks' | 'integrations'>;
  readonly connections: Pick<Connections, 'revoke'>;
}

/**
 * Freeze every connection of the integration and revoke it, with its client's own credentials. Repeated until none is left
 * whose revocation is not finished; each of them goes on by itself meanwhile.
 * @returns vault refs of the secrets of its own client, none where the client stays: from now on nobody needs them but
 *   consents that began before
 */
export function createDisconnectIntegration(
  deps: RetireIntegrationDeps,
): DurableOAuthActivities['disconnectIntegration'] {
  return (input) =>
    untilDone([], async () => {
      const { tenant, integration } = input;
      const event = { type: 'integration.disconnected', ...originIn(input), facts: { integration } };
      await revokeConnections(deps.connections, {
        unfinished: (limit) => deps.registry.integrations.disconnect(tenant, integration, event, limit),
        reason: 'the integration was deleted',
        of: { tenant, integration },
        caller: originIn(input),
      });
      const secrets = await deps.registry.integrations.ownSecrets(tenant, integration);
      const attemptedAt = await deps.registry.consentLinks.lastAttempt(tenant, { integration });
      return { v: 1, refs: secrets.map(({ client, id }) => clientSecretRef(tenant, client, id)), attemptedAt };
    });
}

/** The integration's row stays for its connections, its client's without a secret. Repeated until it succeeds. */
export function createRecordIntegrationDeleted(
  deps: RetireIntegrationDeps,
): DurableOAuthActivities['recordIntegrationDeleted'] {
  return (input) =>
    untilDone([], async () => {
      const { tenant, integration } = input;
      const event = { type: 'integration.deleted', ...originIn(input), facts: { integration } };
      await deps.registry.integrations.recordDeleted(tenant, integration, event);
      return { v: 1 };
    });
}
