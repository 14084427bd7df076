/** What the tests of the registry save. */
import { Client } from 'pg';
import type { IntegrationSettings } from '../../../src/connection/messages';
import type { ConnectionRef, TokenFacts } from '../../../src/connection/types';
import type { NewEvent, Projection, Registration, Registry } from '../../../src/registry/contract';
import type { Components, Flows, ManifestFacts } from '../../../src/registry/contract-platform';

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

export const manifest = (changes: Partial<ManifestFacts> = {}): ManifestFacts => ({
  title: 'Pizza Van',
  useOAuthClient: true,
  legacyOAuth: false,
  oauthField: 'oauth',
  oauth2: oauth2('https://pizza.example'),
  envVars: {},
  functions: [{ key: 'getOrders', kind: 'trigger' }],
  ...changes,
});

export const oauth2 = (origin: string): NonNullable<ManifestFacts['oauth2']> => ({
  authUri: `${origin}/authorize`,
  tokenUri: `${origin}/token`,
  clientId: '',
  clientSecret: '',
  scopes: [],
  clientAuth: 'client_secret_post',
  authorizationParams: {},
});

type NewComponent = Parameters<Components['create']>[0];

/** A component of the tenant. @returns its id */
export async function component(
  registry: Registry,
  tenant: string,
  changes: Partial<NewComponent> = {},
): Promise<string> {
  const id = fresh('cp');
  await registry.components.create({
    tenant,
    id,
    access: 'tenant',
    title: 'Pizza Van',
    file: '{"title":"Pizza Van"}',
    manifest: manifest(),
    event: event('component.created'),
    ...changes,
  });
  return id;
}

/** A flow of the tenant. @returns its id */
export async function flow(
  registry: Registry,
  tenant: string,
  changes: Partial<Parameters<Flows['create']>[0]> = {},
): Promise<string> {
  const id = fresh('fl');
  await registry.flows.create({
    tenant,
    id,
    name: 'Orders to warehouse',
    status: 'draft',
    components: [],
    connections: [],
    event: event('flow.created'),
    ...changes,
  });
  return id;
}

/** The rows of an OAuth client that was published for a component. @returns its id */
export async function clientFor(
  run: Run,
  tenant: string,
  of: string,
  { legacy = false, status = 'published' }: { legacy?: boolean; status?: string } = {},
): Promise<string> {
  const id = fresh('oc');
  await run(
    `INSERT INTO oauth_clients (tenant, id, client_id, label, secret_id, component, legacy, status)
     VALUES ($1, $2, 'app', 'Pizza Van', 'sec_1', $3, $4, $5)`,
    [tenant, id, of, legacy, status],
  );
  await run(
    `INSERT INTO client_secrets (tenant, client, id, fingerprint, set_at)
     VALUES ($1, $2, 'sec_1', 'ab12cd34', '2026-11-21T00:00:00Z')`,
    [tenant, id],
  );
  return id;
}

/** Runs SQL beside the registry. */
export type Run = (statement: string, values: readonly unknown[]) => Promise<Record<string, unknown>[]>;

export const runOn =
  (url: string): Run =>
  async (statement, values) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      const { rows } = await client.query<Record<string, unknown>>(statement, [...values]);
      return rows;
    } finally {
      await client.end();
    }
  };
