/**
 * `/v2/grant-types`: what there is, and what a form must ask. Public: the answers are the same for everybody, hold no
 * secret and no tenant's data, and a form asks them before anybody has chosen anything. Below a tenant the same form knows
 * its own providers, and the redirect URI of an integration whose id the client has made.
 */
import type { Lang } from '../../connection/reasons';
import { GRANT_TYPES, type GrantType } from '../../connection/types';
import type { App, AppDeps } from '../deps';
import { fieldsOf, grantTypeOf, valuesOf } from '../integrations/form';
import { FIELD_TEXTS, GRANT_TYPE_TEXTS } from '../integrations/form-texts';
import { languageOf } from '../language';
import { presetNamed } from '../integrations/presets';
import { ProblemError } from '../problem';
import { contextIdOf } from '../integrations/redirect-uri';
import {
  fields,
  formPath,
  formQuery,
  grantTypes,
  tenantFormPath,
  tenantFormQuery,
  type Field,
} from '../schemas/grant-type';
import { completed } from '../integrations/settings';

export function grantTypeRoutes(app: App, deps: AppDeps): void {
  app.route({
    method: 'GET',
    url: '/grant-types',
    config: { public: true },
    schema: { response: { 200: grantTypes } },
    handler: async (request, reply) => {
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      const data = GRANT_TYPES.map((type) => ({
        type: 'grant-type' as const,
        id: type,
        attributes: { ...GRANT_TYPE_TEXTS[lang][type], default: type === 'authorization_code' },
      }));
      return { data };
    },
  });

  app.route({
    method: 'GET',
    url: '/grant-types/:type/fields',
    config: { public: true },
    schema: { params: formPath, querystring: formQuery, response: { 200: fields } },
    handler: async (request, reply) => {
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      return { data: await formOf(deps, request.params.type, request.query, lang) };
    },
  });

  app.route({
    method: 'GET',
    url: '/tenants/:tenant/grant-types/:type/fields',
    config: { permission: 'tenants.integrations.create' },
    schema: {
      operationId: 'listTenantGrantTypeFields',
      summary: 'List fields of a grant type, also of the tenant’s own providers',
      params: tenantFormPath,
      querystring: tenantFormQuery,
      response: { 200: fields },
    },
    handler: async (request, reply) => {
      const { type, tenant } = request.params;
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      return { data: await formOf(deps, type, { ...request.query, tenant }, lang) };
    },
  });
}

interface Asked {
  readonly provider: string;
  readonly tenant?: string;
  readonly integration?: string;
}

/** @throws ProblemError: NOT_FOUND for a grant type, MEMBER_INVALID for a provider that there is not */
async function formOf(deps: AppDeps, words: string, asked: Asked, lang: Lang): Promise<Field[]> {
  const type = grantTypeOf(words);
  if (type === undefined) {
    const detail = `There are ${GRANT_TYPES.join(', ')}; no grant asks for a password`;
    throw new ProblemError([{ code: 'NOT_FOUND', detail }]);
  }
  const { provider, tenant, integration } = asked;
  const preset = await presetNamed(deps, tenant, provider);
  if (preset === undefined) {
    throw new ProblemError([{ code: 'MEMBER_INVALID', detail: 'There is no such provider', parameter: 'provider' }]);
  }
  const contextId = tenant && integration && contextIdOf(tenant, integration);
  const untouched = completed({ grant_type: type }, preset, contextId, deps.config);
  const brought = { ...valuesOf(untouched, {}), grant_type: '' };
  return fieldsOf(untouched).map(({ name, kind, required }) => ({
    type: 'field',
    id: name,
    attributes: {
      name,
      ...FIELD_TEXTS[lang][name],
      kind,
      required: required && brought[name] === '',
      confidential: kind === 'secret',
      read_only: name === 'redirect_uri',
      default: brought[name] || undefined,
      options: kind === 'select' ? choices(lang) : undefined,
    },
  }));
}

const choices = (lang: Lang): { value: GrantType; label: string }[] =>
  GRANT_TYPES.map((value) => ({ value, label: GRANT_TYPE_TEXTS[lang][value].label }));
