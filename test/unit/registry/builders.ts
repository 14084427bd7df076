/** What the tests of the registry save. */
import type { IntegrationSettings } from '../../../src/connection/messages';
import type { ConnectionRef, TokenFacts } from '../../../src/connection/types';
import type { NewEvent, Projection, Registration, Registry } from '../../../src/registry/contract';

export const HOUR = 3_600_000;
export const at = (offsetMs: number): string => new Date(Date.UTC(2026, 10, 21) + offsetMs).toISOString();

let made = 0;
export const fresh = (prefix: string): string => `${prefix}_${++made}`;

export const event = (type: string): NewEvent => ({ type, by: 'system', traceId: 'tr_1' });

export const settings = (changes: Partial<IntegrationSettings> = {}): IntegrationSettings => ({
  label: 'Orders',
  preset: 'generic',
  grant_type: 'client_credentials',
  endpoints: { token: 'https://as.example/token' },
  client_id: 'app',
  client_auth: 'client_secret_basic',
  scope: 'orders:read',
  api_base_url: 'https://api.example',
  environment: 'production',
  rotation: 'unknown',
  policy: { refresh: 'proactive', fallback: 'pause' },
  refresh_token_required: false,
  ...changes,
});

export const token = (grant: string, generation: number): TokenFacts => ({
  grant,
  generation,
  issuedAt: at(generation * HOUR),
  receivedAt: at(generation * HOUR + 1_000),
  expiresAt: at((generation + 1) * HOUR),
  lifetimeSeconds: 3600,
  scope: 'orders:read',
  refreshable: true,
});

export function registration(tenant: string, changes: Partial<Registration> = {}): Registration {
  const grant = fresh('gr');
  return {
    tenant,
    integration: fresh('in'),
    connection: fresh('cn'),
    client: { id: fresh('oc'), label: 'Orders client', secretId: 'sec_1' },
    settings: settings(),
    grant,
    token: token(grant, 1),
    account: { id: 'acct-1', label: 'ann@example.com' },
    state: 'active',
    grantedAt: at(0),
    nextAttemptAt: at(HOUR),
    event: event('connection.activated'),
    ...changes,
  };
}

/** A registered connection in the tenant. */
export async function connected(
  registry: Registry,
  tenant: string,
  changes: Partial<Registration> = {},
): Promise<{ ref: ConnectionRef; saved: Registration; grant: string }> {
  const saved = registration(tenant, changes);
  await registry.integrations.register(saved);
  return { ref: { tenant, connection: saved.connection }, saved, grant: saved.grant ?? '' };
}

export const projection = (stateVersion: number, changes: Partial<Projection> = {}): Projection => ({
  stateVersion,
  state: 'active',
  since: at(0),
  nextAttemptAt: at(HOUR),
  usable: true,
  ...changes,
});

export async function newTenant(registry: Registry): Promise<string> {
  const tenant = fresh('tenant');
  await registry.tenants.create(tenant, tenant);
  return tenant;
}
