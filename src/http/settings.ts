/** From what a person typed to checked settings, defaults filled in from the preset. Finds all problems at once. */
import type { IntegrationSettings } from '../connection/messages';
import type { GrantType } from '../connection/types';
import { normaliseScope } from '../oauth/scope';
import type { Preset } from '../providers/preset';
import type { AppConfig } from './deps';
import { ProblemError, type Problem } from './problem';
import { redirectUri } from './redirect-uri';
import type { IntegrationAttributes } from './schemas/integration';
import { isEndpoint } from './urls';

type Attribute = keyof IntegrationAttributes;
type UrlAttribute = 'authorization_url' | 'token_url' | 'revocation_url' | 'identity_url' | 'api_base_url' | 'issuer';

const URLS: readonly UrlAttribute[] = [
  'authorization_url',
  'token_url',
  'revocation_url',
  'identity_url',
  'api_base_url',
  'issuer',
];

const at = (attribute: Attribute): string => `/data/attributes/${attribute}`;
const missing = (attribute: Attribute, detail: string): Problem => ({
  code: 'MEMBER_MISSING',
  status: 422,
  detail,
  pointer: at(attribute),
});
const invalid = (attribute: Attribute, detail: string): Problem => ({
  code: 'MEMBER_INVALID',
  detail,
  pointer: at(attribute),
});

/**
 * Check what depends on grant type and preset, and complete it.
 * @param contextId part of the redirect URI when a tenant typed an endpoint (C13)
 * @throws ProblemError with a pointer for each member that is missing or not allowed
 */
export function toSettings(
  given: IntegrationAttributes,
  preset: Preset,
  contextId: string,
  config: Pick<AppConfig, 'callbackBase' | 'allowPrivateNetworks'>,
): IntegrationSettings {
  const grantType: GrantType = given.grant_type === 'm2m' ? 'client_credentials' : given.grant_type;
  const endpoints = {
    authorization: given.authorization_url ?? preset.endpoints?.authorization,
    token: given.token_url ?? preset.endpoints?.token ?? '',
    revocation: given.revocation_url ?? preset.endpoints?.revocation,
    identity: given.identity_url ?? preset.endpoints?.identity,
    issuer: given.issuer ?? preset.endpoints?.issuer,
  };
  const typed = hasTypedEndpoint(given, preset);
  const offered = redirectUri(config.callbackBase, typed ? contextId : undefined);
  const settings: IntegrationSettings = {
    label: given.label,
    preset: preset.name,
    grant_type: grantType,
    endpoints,
    client_id: given.client_id,
    client_auth: given.client_auth ?? preset.client_auth,
    scope: scopeOf(given.scope, preset),
    api_base_url: given.api_base_url ?? preset.api_base_url ?? '',
    ...(grantType === 'authorization_code' && { redirect_uri: offered, ...(typed && { context_id: contextId }) }),
    customer_reference: given.tenant_id,
    environment: given.environment,
    rotation: given.rotation ?? preset.rotation.mode,
    rotation_grace_seconds: given.rotation_grace_seconds ?? preset.rotation.grace_seconds,
    policy: policyOf(given, preset),
    refresh_token_required: preset.refresh_token_required,
  };
  const problems = [
    ...URLS.filter((name) => given[name] !== undefined && !isEndpoint(given[name], config.allowPrivateNetworks)).map(
      (name) => invalid(name, 'Must be an absolute https URL of a host that is allowed here'),
    ),
    ...problemsWith(settings, given),
    ...(given.redirect_uri === undefined || given.redirect_uri === offered
      ? []
      : [{ code: 'REDIRECT_URI_NOT_OFFERED', pointer: at('redirect_uri'), meta: { expected: offered } } as const]),
  ];
  if (problems.length > 0) throw new ProblemError(problems);
  return settings;
}

function problemsWith(settings: IntegrationSettings, given: IntegrationAttributes): Problem[] {
  const code = settings.grant_type === 'authorization_code';
  const pasted = settings.grant_type === 'refresh_token';
  const authenticates = settings.client_auth !== 'none';
  const rules: readonly (false | Problem)[] = [
    settings.endpoints.token === '' && missing('token_url', 'The URL where tokens are requested is required'),
    settings.api_base_url === '' && missing('api_base_url', 'The base URL of the API is required'),
    code &&
      settings.endpoints.authorization === undefined &&
      missing('authorization_url', 'The URL where people grant access is required for this grant type'),
    code && settings.scope === '' && missing('scope', 'The permissions to ask for are required for this grant type'),
    authenticates && given.client_secret === undefined && missing('client_secret', 'The client secret is required'),
    !authenticates &&
      given.client_secret !== undefined &&
      invalid('client_secret', 'A client without authentication has no secret'),
    pasted &&
      given.refresh_token === undefined &&
      missing('refresh_token', 'The refresh token is required for this grant type'),
    !pasted &&
      given.refresh_token !== undefined &&
      invalid('refresh_token', 'Belongs to the grant type refresh_token only'),
    settings.rotation === 'grace' &&
      settings.rotation_grace_seconds === undefined &&
      missing('rotation_grace_seconds', 'The seconds of grace are required for this rotation'),
  ];
  return rules.filter((problem) => problem !== false);
}

/** Only endpoints that are all constants of a preset may share the base redirect URI (C13). */
function hasTypedEndpoint(given: IntegrationAttributes, { endpoints }: Preset): boolean {
  if (endpoints === undefined) return true;
  const pairs = [
    [given.authorization_url, endpoints.authorization],
    [given.token_url, endpoints.token],
    [given.revocation_url, endpoints.revocation],
    [given.identity_url, endpoints.identity],
  ];
  return pairs.some(([own, constant]) => own !== undefined && own !== constant);
}

function scopeOf(given: string | undefined, preset: Preset): string {
  const { default: usual = '', required } = preset.scope;
  return normaliseScope([given || usual, ...required].join(' '), preset);
}

function policyOf({ policy }: IntegrationAttributes, { lifetime }: Preset): IntegrationSettings['policy'] {
  return {
    refresh: policy.refresh ?? 'proactive',
    fallback: policy.fallback ?? 'pause',
    refresh_buffer_seconds: policy.refresh_buffer_seconds ?? lifetime.refresh_buffer_seconds,
    min_refresh_interval_seconds: policy.min_refresh_interval_seconds ?? lifetime.min_refresh_interval_seconds,
    idle_limit_seconds: policy.idle_limit_seconds ?? lifetime.idle_limit_seconds,
    absolute_limit_seconds: policy.absolute_limit_seconds ?? lifetime.absolute_limit_seconds,
  };
}
