import { clientSecretRef, grantRef } from '../src/connection/ids';
import { originIn, type Origin } from '../src/connection/messages';
import type { ConnectionRef } from '../src/connection/types';
import type { ConnectionContext, Registry } from '../src/registry/contract';
import type { Vault } from '../src/vault/port';
import type { DurableOAuthActivities } from './contract';
import { untilDone } from './failure';

export interface DestroyDeps {
  readonly vault: Vault;
  readonly registry: Pick<Registry, 'connections' | 'integrations' | 'fingerprints' | 'oauthClients'>;
}

/**
 * Destroy vault refs; then record a revocation as finished, or remove the rows of a save that failed or that nobody
 * consented to: as long as the row stands, its secrets can be found. Repeated until it succeeds; twice is fine, so is a
 * ref that never was.
 */
export function createDestroySecrets(deps: DestroyDeps): DurableOAuthActivities['destroySecrets'] {
  return (input) =>
    untilDone([], async () => {
      for (const ref of input.refs) await deps.vault.destroy(ref);
      if (input.revoked) {
        const { connection, provider, grant } = input.revoked;
        const { tenant, reason } = input;
        const event = { type: 'grant.destroyed', ...originIn(input), facts: { provider, reason } };
        await deps.registry.connections.recordRevoked({ tenant, connection }, event, grant);
      }
      if (input.unpublished) {
        const { client, secret } = input.unpublished;
        await deps.registry.oauthClients.abandon(input.tenant, client, secret);
      }
      if (input.remove) await remove(deps, { tenant: input.tenant, connection: input.remove.connection }, input);
      return { v: 1 };
    });
}

async function remove(deps: DestroyDeps, ref: ConnectionRef, why: Origin & { readonly reason: string }): Promise<void> {
  const { tenant } = ref;
  const context = await deps.registry.connections.context(ref);
  // One that is being deleted goes by its own workflow: what its revocations need is not taken from them.
  if (context !== undefined && context.unusable !== 'integration_gone') {
    const { connection, integration } = context;
    const destroyed = await destroyOwn(deps, context);
    if (connection.grantId !== null) await deps.vault.destroy(grantRef(ref, connection.grantId));
    const facts = { integration: integration.id, reason: why.reason };
    const event = { type: 'integration.removed', ...originIn(why), facts };
    const removed = await deps.registry.integrations.remove(tenant, integration.id, event, destroyed);
    // A change was published meanwhile, or has named its secret: that one goes as well.
    if (!removed) return remove(deps, ref, why);
  }
  await deps.registry.fingerprints.release(tenant, ref.connection);
}

/** @returns ids of the secrets that the integration's own client had until now */
async function destroyOwn(deps: DestroyDeps, { client }: ConnectionContext): Promise<readonly string[]> {
  // One that was made for a component is its own master.
  if (client.component !== null) return [];
  const { tenant, id, secretId } = client;
  const listed = await deps.registry.oauthClients.secretIds(tenant, id);
  const own = new Set(secretId === null ? listed : [secretId, ...listed]);
  for (const secret of own) await deps.vault.destroy(clientSecretRef(tenant, id, secret));
  return [...own];
}
