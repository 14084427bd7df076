/** From what a person typed to checked settings, defaults filled in from the preset. Finds all problems at once. */
import type { IntegrationSettings } from '../../connection/messages';
import { isOwnProvider } from '../../connection/ids';
import { normaliseScope } from '../../oauth/scope';
import type { Preset } from '../../providers/preset';
import type { AppConfig } from '../deps';
import { fieldsOf, strangeSecretsOf, valuesOf, type Secrets } from './form';
import { FIELD_TEXTS } from './form-texts';
import { ProblemError, type Problem } from '../problem';
import { redirectUri } from './redirect-uri';
import type { IntegrationAttributes } from '../schemas/integration';
import { isEndpoint } from '../urls';

type Attribute = keyof IntegrationAttributes;

export const URL_ATTRIBUTES = [
  'authorization_url',
  'token_url',
  'revocation_url',
  'identity_url',
  'api_base_url',
  'issuer',
] as const satisfies readonly Attribute[];

export const at = (attribute: Attribute): string => `/data/attributes/${attribute}`;

/** What a form holds before all of it is filled in. */
export type Draft = Partial<IntegrationAttributes> & Pick<IntegrationAttributes, 'grant_type'>;

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
  const settings = completed(given, preset, contextId, config);
  const offered = redirectUriOf(given, preset, contextId, config);
  const problems = [
    ...problemsOfUrls(given, config),
    ...problemsOfForm(settings, given),
    ...problemsOfRotation(settings),
    ...(given.redirect_uri === undefined || given.redirect_uri === offered
      ? []
      : [
          { code: 'REDIRECT_URI_NOT_OFFERED', pointer: at('redirect_uri'), meta: { expected: offered ?? '' } } as const,
        ]),
  ];
  if (problems.length > 0) throw new ProblemError(problems);
  return settings;
}

/**
 * The settings of a draft, with what the preset brings in the place of what was not typed.
 * @param contextId undefined while the integration has no id
 */
export function completed(
  given: Draft,
  preset: Preset,
  contextId: string | undefined,
  config: Pick<AppConfig, 'callbackBase'>,
): IntegrationSettings {
  const code = given.grant_type === 'authorization_code';
  return {
    label: given.label ?? '',
    preset: preset.name,
    grant_type: given.grant_type,
    endpoints: {
      authorization: given.authorization_url ?? preset.endpoints?.authorization,
      token: given.token_url ?? preset.endpoints?.token ?? '',
      revocation: given.revocation_url ?? preset.endpoints?.revocation,
      identity: given.identity_url ?? preset.endpoints?.identity,
      issuer: given.issuer ?? preset.endpoints?.issuer,
    },
    client_id: given.client_id ?? '',
    client_auth: given.client_auth ?? preset.client_auth,
    scope: scopeOf(given.scope, preset),
    api_base_url: given.api_base_url ?? preset.api_base_url ?? '',
    ...(code && { redirect_uri: redirectUriOf(given, preset, contextId, config) }),
    ...(code && hasTypedEndpoint(given, preset) && { context_id: contextId }),
    customer_reference: given.tenant_id,
    environment: given.environment ?? 'production',
    rotation: given.rotation ?? preset.rotation.mode,
    rotation_grace_seconds: given.rotation_grace_seconds ?? preset.rotation.grace_seconds,
    policy: policyOf(given, preset),
    refresh_token_required: preset.refresh_token_required,
  };
}

export function problemsOfUrls(
  given: { readonly [A in (typeof URL_ATTRIBUTES)[number]]?: string | null },
  { allowPrivateNetworks }: Pick<AppConfig, 'allowPrivateNetworks'>,
): Problem[] {
  return URL_ATTRIBUTES.filter((name) => {
    const url = given[name];
    return typeof url === 'string' && !isEndpoint(url, allowPrivateNetworks);
  }).map((name) => ({
    code: 'MEMBER_INVALID',
    detail: 'Must be an absolute https URL of a host that is allowed here',
    pointer: at(name),
  }));
}

/** What the form of these settings asks and nothing stands in for; secrets that it does not ask. */
export function problemsOfForm(settings: IntegrationSettings, secrets: Secrets): Problem[] {
  const values = valuesOf(settings, secrets);
  return [
    ...fieldsOf(settings)
      .filter(({ name, required }) => required && values[name] === '')
      .map(({ name }): Problem => {
        const detail = `${FIELD_TEXTS.en[name].label} is required`;
        return { code: 'MEMBER_MISSING', status: 422, detail, pointer: at(name) };
      }),
    ...strangeSecretsOf(settings)
      .filter((name) => values[name] !== '')
      .map((name): Problem => {
        const detail = 'Does not belong to this grant type and client authentication';
        return { code: 'MEMBER_INVALID', detail, pointer: at(name) };
      }),
  ];
}

export function problemsOfRotation({ rotation, rotation_grace_seconds }: IntegrationSettings): Problem[] {
  if (rotation !== 'grace' || rotation_grace_seconds !== undefined) return [];
  const detail = 'The seconds of grace are required for this rotation';
  return [{ code: 'MEMBER_MISSING', status: 422, detail, pointer: at('rotation_grace_seconds') }];
}

/** @returns undefined while it is not known: it carries the id of an integration with typed endpoints */
function redirectUriOf(
  given: Draft,
  preset: Preset,
  contextId: string | undefined,
  { callbackBase }: Pick<AppConfig, 'callbackBase'>,
): string | undefined {
  if (!hasTypedEndpoint(given, preset)) return redirectUri(callbackBase);
  return contextId === undefined ? undefined : redirectUri(callbackBase, contextId);
}

/** Only endpoints that are all constants of a shipped preset may share the base redirect URI (C13). */
function hasTypedEndpoint(given: Draft, { name, endpoints }: Preset): boolean {
  if (endpoints === undefined || isOwnProvider(name)) return true;
  const pairs = [
    [given.authorization_url, endpoints.authorization],
    [given.token_url, endpoints.token],
    [given.revocation_url, endpoints.revocation],
    [given.identity_url, endpoints.identity],
  ];
  return pairs.some(([own, constant]) => own !== undefined && own !== constant);
}

export function scopeOf(given: string | undefined, preset: Preset): string {
  const { default: usual = '', required } = preset.scope;
  return normaliseScope([given || usual, ...required].join(' '), preset);
}

function policyOf({ policy = {} }: Draft, { lifetime }: Preset): IntegrationSettings['policy'] {
  return {
    refresh: policy.refresh ?? 'proactive',
    fallback: policy.fallback ?? 'pause',
    refresh_buffer_seconds: policy.refresh_buffer_seconds ?? lifetime.refresh_buffer_seconds,
    min_refresh_interval_seconds: policy.min_refresh_interval_seconds ?? lifetime.min_refresh_interval_seconds,
    idle_limit_seconds: policy.idle_limit_seconds ?? lifetime.idle_limit_seconds,
    absolute_limit_seconds: policy.absolute_limit_seconds ?? lifetime.absolute_limit_seconds,
  };
}
