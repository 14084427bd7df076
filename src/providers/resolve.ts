/** An integration's settings and its preset, put together: pure functions. */
import type { IntegrationSettings } from '../connection/messages';
import type { Policy } from '../connection/types';
import { DurableOAuthError } from '../errors';
import type { OAuthClientTarget } from '../oauth/contract';
import type { Secret } from '../vault/secret';
import { presetSchema, type Catalogue, type Preset, type PresetInput } from './preset';

/** A tenant's own row of the catalogue, as the registry holds it. */
export interface OwnProvider {
  readonly preset: PresetInput;
}

/**
 * @param provider the tenant's own provider of that name; absent for a shipped preset
 * @returns undefined when there is no such row any more, or a stored one no longer fits the schema
 */
export function findPreset(catalogue: Catalogue, name: string, provider?: OwnProvider): Preset | undefined {
  return provider === undefined ? catalogue.get(name) : presetSchema.safeParse(provider.preset).data;
}

/** @throws OAUTH_CLIENT_UNUSABLE where `findPreset` finds none */
export function presetOf(catalogue: Catalogue, name: string, provider?: OwnProvider): Preset {
  const preset = findPreset(catalogue, name, provider);
  if (preset === undefined) {
    throw new DurableOAuthError('OAUTH_CLIENT_UNUSABLE', 'The preset is not in the catalogue', { preset: name });
  }
  return preset;
}

/** @param secret the client secret with the origins it was entered for; absent with `client_auth: none` */
export function targetOf(
  settings: IntegrationSettings,
  preset: Preset,
  secret?: { readonly clientSecret: Secret; readonly audience: readonly string[] },
): OAuthClientTarget {
  const { endpoints } = settings;
  return {
    tokenUrl: endpoints.token,
    revocationUrl: endpoints.revocation,
    identityUrl: endpoints.identity,
    issuer: endpoints.issuer,
    clientId: settings.client_id,
    clientAuth: settings.client_auth,
    clientSecret: secret?.clientSecret,
    audience: secret?.audience,
    preset,
  };
}

/** What the clocks obey: the integration's own settings, then the preset's. */
export function policyOf(settings: IntegrationSettings, preset: Preset): Policy {
  const { policy } = settings;
  return {
    grantType: settings.grant_type,
    refresh: policy.refresh,
    rotation: {
      mode: settings.rotation,
      graceSeconds: settings.rotation_grace_seconds ?? preset.rotation.grace_seconds,
    },
    fallback: policy.fallback,
    refreshBufferSeconds: policy.refresh_buffer_seconds ?? preset.lifetime.refresh_buffer_seconds,
    minRefreshIntervalSeconds: policy.min_refresh_interval_seconds ?? preset.lifetime.min_refresh_interval_seconds,
    idleLimitSeconds: policy.idle_limit_seconds ?? preset.lifetime.idle_limit_seconds,
    absoluteLimitSeconds: policy.absolute_limit_seconds ?? preset.lifetime.absolute_limit_seconds,
  };
}

/**
 * What people call it: the preset's title, or the label of an integration whose endpoints were typed in (C13: it has a
 * context of its own). A page must not vouch for a company whose preset was taken with other endpoints.
 */
export function displayName(settings: Pick<IntegrationSettings, 'label' | 'context_id'>, preset: Preset): string {
  return preset.endpoints === undefined || settings.context_id !== undefined ? settings.label : preset.title;
}

/** Where an access token goes: the origin of the API at this moment. */
export const apiOriginOf = ({ api_base_url }: Pick<IntegrationSettings, 'api_base_url'>): string =>
  new URL(api_base_url).origin;

/** Origins of the OAuth endpoints at this moment; a secret is sent to no other. */
export function audienceOf({ endpoints }: Pick<IntegrationSettings, 'endpoints'>): string[] {
  const urls = [endpoints.token, endpoints.revocation, endpoints.identity].filter((url) => url !== undefined);
  return [...new Set(urls.map((url) => new URL(url).origin))];
}
