import { clientSecretRef, grantRef } from '../src/connection/ids';
import type { Registry } from '../src/registry/contract';
import type { Vault } from '../src/vault/port';
import type { DurableOAuthActivities } from './contract';
import { behindBoundary } from './failure';

export interface DestroyDeps {
  readonly vault: Vault;
  readonly registry: Pick<Registry, 'connections' | 'integrations' | 'fingerprints'>;
}

/**
 * Destroy vault refs, and (for a save that failed or that nobody consented to) its rows afterwards: as long as the row
 * stands, its secrets can be found. Repeated until it succeeds; twice is fine, so is a ref that never was.
 */
export function createDestroySecrets(deps: DestroyDeps): DurableOAuthActivities['destroySecrets'] {
  return (input) =>
    behindBoundary(async () => {
      for (const ref of input.refs) await deps.vault.destroy(ref);
      if (input.remove) await remove(deps, input.tenant, input.remove, input);
      return { v: 1 };
    });
}

async function remove(
  deps: DestroyDeps,
  tenant: string,
  what: { readonly integration: string } | { readonly connection: string },
  { by, traceId, reason }: { by: string; traceId: string; reason: string },
): Promise<void> {
  let integration: string;
  if ('integration' in what) ({ integration } = what);
  else {
    const ref = { tenant, connection: what.connection };
    const context = await deps.registry.connections.context(ref);
    if (context === undefined) return;
    const { client, connection } = context;
    if (client.secretId !== null) await deps.vault.destroy(clientSecretRef(tenant, client.id, client.secretId));
    if (connection.grantId !== null) await deps.vault.destroy(grantRef(ref, connection.grantId));
    integration = context.integration.id;
  }
  await deps.registry.fingerprints.release(tenant, integration);
  await deps.registry.integrations.remove(tenant, integration, {
    type: 'integration.removed',
    by,
    traceId,
    facts: { integration, reason },
  });
}
