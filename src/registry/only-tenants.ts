/** A process that serves some tenants only (invariant 7): whatever names a connection of another one is refused. */
import { formatRef } from '../connection/ids';
import type { ConnectionRef } from '../connection/types';
import { DurableOAuthError } from '../errors';
import type { Registry } from './contract';

/**
 * Refuse to read connections of other tenants; everything that is done with a connection begins with reading it.
 * @param tenants undefined = all
 */
export function onlyTenants(registry: Registry, tenants: readonly string[] | undefined): Registry {
  if (tenants === undefined) return registry;
  const { connections } = registry;
  const guarded =
    <T>(read: (ref: ConnectionRef) => Promise<T>) =>
    async (ref: ConnectionRef): Promise<T> => {
      // Not "unknown": another process may serve it, and a run that hears "unknown" would end.
      if (!tenants.includes(ref.tenant)) {
        throw new DurableOAuthError('FORBIDDEN', 'This process does not serve the tenant', { ref: formatRef(ref) });
      }
      return read(ref);
    };
  return {
    ...registry,
    connections: { ...connections, get: guarded(connections.get), context: guarded(connections.context) },
  };
}
