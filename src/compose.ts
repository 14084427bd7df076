/** The one place that wires: configuration in, everything a server or a worker holds out. */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { createCompleteWaiters } from '../activities/complete-waiters';
import { createActivities, type ActivityDeps } from '../activities';
import type { DurableOAuthActivities, RequestActivities } from '../activities/contract';
import { createSendRequest } from '../activities/send-request';
import { createUntilActive } from '../activities/until-active';
import { createConnections } from './client/connections';
import { createConsents } from './client/consents';
import { createOAuthClients } from './client/oauth-clients';
import type { Connections, Consents, OAuthClients, TokenReader } from './client/contract';
import { createTokenReader } from './client/token-reader';
import type { Config } from './config';
import type { Tuning } from './connection/messages';
import { createEffects, type Effects } from './effects';
import { DurableOAuthError } from './errors';
import { createOpener, createSealer, type EnvelopeKeySource, type Sealer } from './envelope';
import { registryPublicKeys, vaultPrivateKeys } from './envelope-keys';
import { createFingerprint, type Fingerprint } from './fingerprint';
import { createMetrics, type Metrics } from './metrics';
import { createApiCaller } from './oauth/api-caller';
import { createAuthorizationServer } from './oauth/authorization-server';
import type { ApiCaller, AuthorizationServer } from './oauth/contract';
import { createCatalogue } from './providers/catalogue';
import { openVault } from './open-vault';
import type { Catalogue } from './providers/preset';
import type { Registry } from './registry/contract';
import { withLastGood } from './registry/last-good';
import { onlyTenants } from './registry/only-tenants';
import { openRegistry } from './registry/open';
import type { Vault } from './vault/port';

/** What tests and the demo may wrap. Production code has no fail points. */
export interface Ports {
  readonly vault: Vault;
  readonly registry: Registry;
  readonly authorizationServer: AuthorizationServer;
  readonly apiCaller: ApiCaller;
}

export interface ComposeOptions {
  readonly decorate?: (ports: Ports) => Ports;
  /** Presets; the shipped ones when absent. */
  readonly catalogue?: Catalogue;
  readonly tuning?: Tuning;
  /** Instead of the connection that the Temporal environment configuration names. */
  readonly temporal?: Client;
}

export interface Composition extends Ports {
  readonly config: Config;
  readonly catalogue: Catalogue;
  readonly temporal: Client;
  readonly sealer: Sealer;
  readonly publicKeys: EnvelopeKeySource;
  readonly fingerprint: Fingerprint;
  readonly connections: Connections;
  readonly consents: Consents;
  readonly oauthClients: OAuthClients;
  readonly effects: Effects;
  readonly tokens: TokenReader;
  readonly activities: DurableOAuthActivities;
  readonly requestActivities: RequestActivities;
  readonly metrics: Metrics;
  readonly tuning: Tuning | undefined;
  close(): Promise<void>;
}

/** @throws CONFIGURATION_INVALID, VAULT_CORRUPT, REGISTRY_UNAVAILABLE, TEMPORAL_UNAVAILABLE */
export async function compose(config: Config, options: ComposeOptions = {}): Promise<Composition> {
  const { decorate = (ports): Ports => ports, catalogue = createCatalogue(), tuning } = options;
  const { allowPrivateNetworks } = config;
  const opened = await openRegistry({ url: config.databaseUrl });
  const driver = await openVault(config.vault, !(await wasUsed(opened)));
  const ports = decorate({
    vault: driver,
    registry: onlyTenants(opened, config.tenants),
    authorizationServer: createAuthorizationServer({ allowPrivateNetworks }),
    apiCaller: createApiCaller({ allowPrivateNetworks }),
  });
  const { vault, apiCaller } = ports;
  const registry = withLastGood(ports.registry);
  const temporal = options.temporal ?? (await connectTemporal());
  const metrics = createMetrics();
  const publicKeys = registryPublicKeys(registry.envelopeKeys);
  const sealer = createSealer(publicKeys);
  const opener = createOpener(vaultPrivateKeys(vault));
  const fingerprint = createFingerprint(vault);

  const connections = createConnections({ temporal, sealer, registry, catalogue, tuning });
  const { publicUrl } = config;
  const consents = createConsents({ temporal, sealer, registry, catalogue, fingerprint, tuning, publicUrl });
  const tokens = createTokenReader({
    // Not the remembered one: its own memory ends after five minutes, so that a revocation reaches it.
    registry: ports.registry,
    vault,
    connections,
    catalogue,
    countCheck: () => metrics.tokenChecks.inc(),
  });
  const oauthClients = createOAuthClients({ temporal, sealer, tuning });
  const effects = createEffects({ registry, connections, oauthClients, tenants: config.tenants });
  const completion = temporal.activity;
  const completeParked = createCompleteWaiters({ waiters: registry.waiters, completion });
  const deps: ActivityDeps = {
    ...ports,
    registry,
    catalogue,
    sealer,
    opener,
    fingerprint,
    temporal,
    connections,
    allowPrivateNetworks,
    callbackSignal: config.callbackSignal,
    completeWaiters: async (ref, state) => void (await completeParked(ref, state)),
  };
  return {
    ...ports,
    registry,
    config,
    catalogue,
    temporal,
    sealer,
    publicKeys,
    fingerprint,
    connections,
    consents,
    oauthClients,
    effects,
    tokens,
    metrics,
    tuning,
    activities: createActivities(deps),
    requestActivities: {
      sendRequest: createSendRequest({ tokens, api: apiCaller, connections: registry.connections, catalogue }),
      untilActive: createUntilActive({ connections: registry.connections, waiters: registry.waiters }),
    },
    async close() {
      await opened.close();
      await driver.close?.();
      if (options.temporal === undefined) await temporal.connection.close();
    },
  };
}

/** The first worker leaves an envelope key behind: from then on the vault must be there. */
async function wasUsed({ envelopeKeys }: Registry): Promise<boolean> {
  return (await envelopeKeys.list()).length > 0;
}

/** By the environment and files of Temporal's own configuration (TEMPORAL_ADDRESS …). @throws TEMPORAL_UNAVAILABLE */
export async function connectTemporal(): Promise<Client> {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  try {
    return new Client({ connection: await Connection.connect(connectionOptions), namespace });
  } catch {
    const address = connectionOptions.address ?? 'localhost:7233';
    throw new DurableOAuthError('TEMPORAL_UNAVAILABLE', 'The Temporal Service does not answer', { address });
  }
}
