/** The application and its routes, over ports that nobody calls: for rules about every route there is. */
import pino from 'pino';
import { buildApp } from '../../src/http/app';
import type { AppDeps } from '../../src/http/deps';
import { CALLBACK, CATALOGUE, FakeApi, FakeIdentity } from './support';
import { FakeTokens } from './fake-tokens';

export interface Route {
  readonly method: string;
  readonly url: string;
  readonly permission?: string;
  readonly public?: boolean;
  readonly besides: readonly string[];
  readonly bodyLimit?: number;
  readonly takesBody: boolean;
}

/** Nothing is called while routes are made. */
export function bareDeps(change: Partial<AppDeps> = {}): AppDeps {
  const untouched = {} as never;
  return {
    connections: untouched,
    consents: untouched,
    oauthClients: untouched,
    effects: untouched,
    registry: untouched,
    fingerprint: untouched,
    publicKeys: untouched,
    catalogue: CATALOGUE,
    tokens: new FakeTokens(),
    apiCaller: new FakeApi(),
    authorizationServer: new FakeIdentity(),
    config: {
      publicUrl: 'https://connect.test',
      callbackBase: CALLBACK,
      brand: 'Acme Inc',
      returnOrigins: [],
      allowPrivateNetworks: false,
      tokenRoutes: true,
      elasticioSecrets: true,
      ratePerMinute: 600,
    },
    log: pino({ level: 'silent' }),
    ...change,
  };
}

export async function routesOf(given: AppDeps): Promise<Route[]> {
  const routes: Route[] = [];
  const app = buildApp(given);
  app.addHook('onRoute', ({ method, url, config, bodyLimit, schema }) => {
    for (const one of [method].flat()) {
      const { permission, public: open, besides = [] } = config ?? {};
      const takesBody = schema?.body !== undefined;
      routes.push({ method: one, url, permission, public: open, besides, bodyLimit, takesBody });
    }
  });
  await app.ready();
  await app.close();
  return routes;
}
