/** Settings of an integration at a test provider. */
import type { IntegrationSettings } from '../../src/connection/messages';

export interface At {
  readonly issuer: string;
  readonly apiUrl: string;
}

export function settings(at: At, change: Partial<IntegrationSettings> = {}): IntegrationSettings {
  return {
    label: 'Shop',
    preset: 'generic',
    grant_type: 'client_credentials',
    endpoints: { authorization: `${at.issuer}/auth`, token: `${at.issuer}/token` },
    client_id: 'client',
    client_auth: 'client_secret_basic',
    scope: '',
    api_base_url: at.apiUrl,
    environment: 'sandbox',
    rotation: 'unknown',
    policy: { refresh: 'proactive', fallback: 'pause' },
    refresh_token_required: true,
    ...change,
  };
}
