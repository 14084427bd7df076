/** The shipped presets. A row is data; one that differs only in endpoints and quirks needs no code. */
import { isOwnProvider } from '../connection/ids';
import { DurableOAuthError } from '../errors';
import { presetSchema, type Catalogue, type PresetInput } from './preset';

const ROWS: readonly PresetInput[] = [
  { name: 'generic', title: 'Generic OAuth 2.0' },
  {
    name: 'google',
    title: 'Google',
    endpoints: {
      authorization: 'https://accounts.google.com/o/oauth2/v2/auth',
      token: 'https://oauth2.googleapis.com/token',
      revocation: 'https://oauth2.googleapis.com/revoke',
      identity: 'https://openidconnect.googleapis.com/v1/userinfo',
      issuer: 'https://accounts.google.com',
    },
    client_auth: 'client_secret_post',
    // Without both, Google answers later consents without a refresh token.
    authorization_params: { access_type: 'offline', prompt: 'consent' },
    rotation: { mode: 'none' },
    // Six months without use end the authorization.
    lifetime: { idle_limit_seconds: 180 * 86_400 },
  },
];

/**
 * @param extra rows of a deployment, a test or the demo; one with a shipped name replaces it
 * @throws CONFIGURATION_INVALID for a row that is called like a tenant's own provider
 */
export function createCatalogue(extra: readonly PresetInput[] = []): Catalogue {
  const presets = [...ROWS, ...extra].map((row) => presetSchema.parse(row));
  const mistaken = presets.find(({ name }) => isOwnProvider(name));
  if (mistaken) {
    throw new DurableOAuthError(
      'CONFIGURATION_INVALID',
      'Names that begin with pv_ are those of providers of tenants',
      {
        preset: mistaken.name,
      },
    );
  }
  return new Map(presets.map((preset) => [preset.name, preset]));
}
