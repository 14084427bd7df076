import { sql } from 'kysely';
import { apiKeysRepository } from './access/api-keys';
import { componentsRepository } from './components/components';
import { connectionsRepository } from './connections/connections';
import { consentLinksRepository } from './connections/consent-links';
import type { Registry } from './contract';
import { openDatabase, type DatabaseOptions } from './database';
import { envelopeKeysRepository } from './envelope-keys';
import { guarded } from './errors';
import { eventsRepository } from './events';
import { fingerprintsRepository } from './integrations/fingerprints';
import { flowsRepository } from './components/flows';
import { idempotencyRepository } from './idempotency';
import { integrationsRepository } from './integrations/integrations';
import { oauthClientsRepository } from './components/oauth-clients';
import { outboxRepository } from './outbox';
import { principalsRepository } from './access/principals';
import { providersRepository } from './integrations/providers';
import { roleGrantsRepository } from './access/role-grants';
import { tenantsRepository } from './access/tenants';
import { waitersRepository } from './connections/waiters';

export type RegistryOptions = Omit<DatabaseOptions, 'patienceMs'>;

/**
 * Open the registry on a PostgreSQL URL, once its database answers. The tables are made by `migrate`.
 * @throws REGISTRY_UNAVAILABLE within 10 s
 */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const db = openDatabase(options);
  const { ping, close } = guarded('registry', {
    ping: async (): Promise<string> => {
      const { rows } = await sql<{ now: string }>`SELECT clock_timestamp() AS now`.execute(db);
      return rows[0]?.now ?? '';
    },
    close: (): Promise<void> => db.destroy(),
  });
  try {
    await ping();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    tenants: guarded('tenants', tenantsRepository(db)),
    principals: guarded('principals', principalsRepository(db)),
    apiKeys: guarded('apiKeys', apiKeysRepository(db)),
    roleGrants: guarded('roleGrants', roleGrantsRepository(db)),
    oauthClients: guarded('oauthClients', oauthClientsRepository(db)),
    outbox: guarded('outbox', outboxRepository(db)),
    components: guarded('components', componentsRepository(db)),
    flows: guarded('flows', flowsRepository(db)),
    integrations: guarded('integrations', integrationsRepository(db)),
    providers: guarded('providers', providersRepository(db)),
    connections: guarded('connections', connectionsRepository(db)),
    consentLinks: guarded('consentLinks', consentLinksRepository(db)),
    waiters: guarded('waiters', waitersRepository(db)),
    events: guarded('events', eventsRepository(db)),
    fingerprints: guarded('fingerprints', fingerprintsRepository(db)),
    envelopeKeys: guarded('envelopeKeys', envelopeKeysRepository(db)),
    idempotency: guarded('idempotency', idempotencyRepository(db)),
    ping,
    close,
  };
}
