/** A provider as it is sent and shown: a row of the catalogue in the words of an integration. It holds no credentials. */
import { z } from 'zod';
import { presetSchema } from '../../providers/preset';
import { input, isPrintable, list, page, resource, text, time, warningsMeta } from './document';

const { shape } = presetSchema;
const url = text(2048);

/** Ours to set, or a secret, which has its own place. */
const RESERVED =
  /^(response_type|response_mode|request|request_uri|client_id|client_secret|client_assertion|redirect_uri|scope|state|nonce|code|code_verifier|code_challenge|code_challenge_method|grant_type|refresh_token|username|password)$/i;
const parameters = z
  .record(z.string().min(1).max(64), z.string().max(512))
  .refine((given) => !Object.keys(given).some((name) => RESERVED.test(name)), 'Holds a parameter of the protocol');

/** No text anywhere inside that a database does not take. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.entries(value).flat().every(isStorable);
  return typeof value !== 'string' || isPrintable(value);
}

const attributes = z
  .strictObject({
    title: text(120),
    authorization_url: url.nullable(),
    token_url: url,
    revocation_url: url.nullable(),
    identity_url: url.nullable(),
    issuer: url.nullable(),
    api_base_url: url.nullable(),
    client_auth: shape.client_auth.unwrap(),
    basic_encoding: shape.basic_encoding.unwrap(),
    body_format: shape.body_format.unwrap(),
    pkce: shape.pkce.unwrap(),
    scope: shape.scope.unwrap(),
    authorization_params: parameters,
    token_params: parameters,
    response: shape.response.unwrap(),
    lifetime: shape.lifetime.unwrap(),
    rotation: shape.rotation.unwrap(),
    identity: shape.identity.unwrap(),
    refresh_token_required: shape.refresh_token_required.unwrap(),
  })
  .partial()
  .refine(isStorable, 'Must be text without control characters');

const base = text(64).describe('Whose values fill in what is not given');
const created = attributes.safeExtend({ title: text(120), base: base.optional() });

export const createProvider = input('provider', created);
export const changeProvider = input('provider', attributes);
export type ProviderAttributes = z.output<typeof attributes>;

export const provider = resource(
  'provider',
  z.object({
    title: z.string(),
    base: z.string().nullable(),
    /** Shipped with this version. */
    read_only: z.boolean(),
    /** Its endpoints are the same for everybody, and so is the redirect URI to register (C13). */
    constant_endpoints: z.boolean(),
    redirect_uri: z.string().optional(),
    authorization_url: z.string().optional(),
    token_url: z.string().optional(),
    revocation_url: z.string().optional(),
    identity_url: z.string().optional(),
    issuer: z.string().optional(),
    api_base_url: z.string().optional(),
    client_auth: shape.client_auth,
    basic_encoding: shape.basic_encoding,
    body_format: shape.body_format,
    pkce: shape.pkce,
    scope: shape.scope,
    authorization_params: shape.authorization_params,
    token_params: shape.token_params,
    response: shape.response,
    lifetime: shape.lifetime,
    rotation: shape.rotation,
    identity: shape.identity,
    refresh_token_required: shape.refresh_token_required,
    created_at: time.optional(),
    updated_at: time.optional(),
  }),
);

export const providerDocument = z.object({ data: provider, meta: warningsMeta.optional() });
export const providerList = list(provider);
export const providerQuery = z.strictObject(page);
