/**
 * A preset is a row of the catalogue: data about one authorization server, no code. The schema's groups follow what
 * providers really differ in; rows only ever add fields.
 */
import { z } from 'zod';
import { ROTATION_MODES } from '../connection/types';

const https = z.url({ protocol: /^https?$/ });
const params = z.record(z.string(), z.string());

export const presetSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9_-]{1,64}$/),
  /** Shown to people: "Connect to <title>". */
  title: z.string(),
  /** Constant endpoints; without them a tenant types them, and the redirect URI carries a context id (C13). */
  endpoints: z
    .strictObject({
      authorization: https.optional(),
      token: https,
      refresh: https.optional(),
      revocation: https.optional(),
      introspection: https.optional(),
      identity: https.optional(),
      issuer: z.string().optional(),
    })
    .optional(),
  api_base_url: https.optional(),
  client_auth: z.enum(['client_secret_basic', 'client_secret_post', 'none']).default('client_secret_basic'),
  /** How client id and secret are encoded in the Basic header (RFC 6749 2.3.1 form-encodes; many servers do not). */
  basic_encoding: z.enum(['rfc6749', 'raw', 'interop']).default('rfc6749'),
  body_format: z.enum(['form', 'json']).default('form'),
  pkce: z.enum(['required', 'off']).default('required'),
  scope: z
    .strictObject({
      default: z.string().optional(),
      separator: z.string().default(' '),
      split: z.enum(['comma_and_space', 'space']).default('comma_and_space'),
      required: z.array(z.string()).default([]),
    })
    .prefault({}),
  authorization_params: params.default({}),
  token_params: params.default({}),
  response: z
    .strictObject({
      /** Dotted path to the object that holds the token members. */
      path: z.string().optional(),
      expires_in_field: z.string().default('expires_in'),
      expires_in_unit: z.enum(['s', 'ms', 'epoch_s', 'epoch_ms', 'iso']).default('s'),
      /** Dotted path and value that a successful answer carries, for servers that answer errors with 200. */
      success: z.strictObject({ path: z.string(), equals: z.union([z.string(), z.number(), z.boolean()]) }).optional(),
      error_path: z.string().optional(),
    })
    .prefault({}),
  lifetime: z
    .strictObject({
      /** Seconds, when the answer names none. */
      default_seconds: z.number().int().positive().optional(),
      refresh_buffer_seconds: z.number().int().nonnegative().optional(),
      idle_limit_seconds: z.number().int().positive().optional(),
      absolute_limit_seconds: z.number().int().positive().optional(),
      min_refresh_interval_seconds: z.number().int().nonnegative().optional(),
    })
    .prefault({}),
  rotation: z
    .strictObject({ mode: z.enum(ROTATION_MODES), grace_seconds: z.number().int().positive().optional() })
    .default({ mode: 'unknown' }),
  /** Codes of this provider, mapped to failure classes, before the RFC's own are looked up. */
  errors: z.record(z.string(), z.enum(['REAUTH', 'CONFIG', 'TRANSIENT'])).default({}),
  revocation: z
    .strictObject({
      /** `token`: revoking concerns that token alone; `grant`: it ends the whole authorization of the account. */
      reach: z.enum(['token', 'grant']).default('grant'),
    })
    .prefault({}),
  identity: z
    .strictObject({
      /** Dotted paths into the identity answer or the id token. */
      id_path: z.string().default('sub'),
      label_path: z.string().default('email'),
    })
    .prefault({}),
  refresh_token_required: z.boolean().default(true),
  /** One token request with a code that was never issued tells whether the client is accepted, before anybody consents. */
  client_probe: z.boolean().default(false),
  token_header: z
    .strictObject({ name: z.string().default('Authorization'), scheme: z.string().default('Bearer') })
    .prefault({}),
  /** Paths of the API no flow may call. */
  denied_paths: z.array(z.string()).default([]),
});

export type Preset = z.output<typeof presetSchema>;
export type PresetInput = z.input<typeof presetSchema>;

/** Presets by name. `compose` takes one, so that tests and the demo add rows. */
export type Catalogue = ReadonlyMap<string, Preset>;
