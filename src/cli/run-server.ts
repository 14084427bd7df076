/** `durable-oauth server`: REST, pages and callback. Stateless, any number of them. */
import { pino } from 'pino';
import { compose, type ComposeOptions } from '../compose';
import type { Config } from '../config';
import { buildApp } from '../http/app';
import { DurableOAuthError } from '../errors';
import { Secret } from '../vault/secret';

export interface RunningServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** @throws CONFIGURATION_INVALID when the port is taken; what `compose` throws */
export async function runServer(config: Config, options: ComposeOptions = {}): Promise<RunningServer> {
  const parts = await compose(config, options);
  const log = pino({ level: config.logLevel, name: 'server' });
  const app = buildApp({
    connections: parts.connections,
    consents: parts.consents,
    oauthClients: parts.oauthClients,
    effects: parts.effects,
    tokens: config.tokenRoutes ? parts.tokens : undefined,
    apiCaller: config.tokenRoutes ? parts.apiCaller : undefined,
    authorizationServer: config.tokenRoutes ? parts.authorizationServer : undefined,
    registry: parts.registry,
    catalogue: parts.catalogue,
    fingerprint: parts.fingerprint,
    publicKeys: parts.publicKeys,
    config: {
      publicUrl: config.publicUrl,
      callbackBase: config.callbackUrl,
      brand: config.brand,
      returnOrigins: config.returnOrigins,
      allowPrivateNetworks: config.allowPrivateNetworks,
      tokenRoutes: config.tokenRoutes,
      elasticioSecrets: config.elasticioSecrets,
      ratePerMinute: config.ratePerMinute,
    },
    log,
  });
  try {
    // Read while nobody waits: later the vault may be down. Who needs it and finds none is told by the request.
    void parts.fingerprint(new Secret('first use')).catch(() => undefined);
    const url = await app.listen({ host: config.host, port: config.port });
    return {
      url,
      async stop() {
        await app.close();
        await parts.close();
      },
    };
  } catch (error) {
    await parts.close();
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new DurableOAuthError(
      'CONFIGURATION_INVALID',
      `Port ${config.port} is in use: stop what listens there, or set PORT`,
    );
  }
}
