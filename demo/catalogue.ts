/** The demo's preset row: one authorization server as data. Its URLs come from the environment the demo gives its children. */
import { createCatalogue } from '../src/providers/catalogue';
import type { Catalogue } from '../src/providers/preset';
import type { RunningProvider } from './provider/process';

export type ProviderUrls = Pick<RunningProvider, 'issuer' | 'apiUrl' | 'endpoints'>;

export const PROVIDER_VARIABLE = 'DEMO_PROVIDER';

export function demoCatalogue(env: NodeJS.ProcessEnv): Catalogue {
  const { issuer, apiUrl, endpoints } = JSON.parse(env[PROVIDER_VARIABLE] ?? '{}') as ProviderUrls;
  return createCatalogue([
    {
      name: 'shop',
      title: 'Demo Shop',
      endpoints: {
        authorization: endpoints.authorization,
        token: endpoints.token,
        revocation: endpoints.revocation,
        issuer,
      },
      api_base_url: apiUrl,
      scope: { default: 'openid email offline_access orders' },
      authorization_params: { prompt: 'consent' },
      rotation: { mode: 'strict' },
    },
  ]);
}
