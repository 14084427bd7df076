/** An integration as it is sent and shown. Secrets are write-only: no schema of an answer names one. */
import { z } from 'zod';
import { GRANT_TYPES, ROTATION_MODES } from '../../connection/types';
import { consentLink } from './consent-link';
import { input, list, page, resource, text, textFilter, time } from './document';

const URL_LENGTH = 2048;
const url = text(URL_LENGTH);
const seconds = z
  .number()
  .int()
  .nonnegative()
  .max(10 * 366 * 86_400);

/** What a console prints in place of a stored secret. */
const MASK = /^[*•●∙]{3,}$|^\[secret\]$/;

export const confidential = z
  .string()
  .min(1, 'Must not be blank')
  .max(8192)
  .regex(/^\P{Cc}*$/u, 'Must be one line without control characters')
  .regex(/\S/, 'Must not be blank')
  .refine((value) => !MASK.test(value.trim()), {
    message: 'This is a mask, not a secret: send the secret itself',
    params: { code: 'SECRET_MASKED' },
  });

/** `m2m` is what people call the client credentials grant. There is no password grant. */
const grantType = z.enum([...GRANT_TYPES, 'm2m']);
const clientAuth = z.enum(['client_secret_basic', 'client_secret_post', 'none']);
const environment = z.enum(['production', 'sandbox']);
const rotation = z.enum(ROTATION_MODES);

const policy = z.strictObject({
  refresh: z.enum(['proactive', 'on_demand']).optional(),
  fallback: z.enum(['pause', 'skip', 'fail']).optional(),
  refresh_buffer_seconds: seconds.optional(),
  min_refresh_interval_seconds: seconds.optional(),
  idle_limit_seconds: seconds.optional(),
  absolute_limit_seconds: seconds.optional(),
});

export const integrationAttributes = z.strictObject({
  label: text(120),
  grant_type: grantType,
  preset: text(64).default('generic'),
  authorization_url: url.optional(),
  token_url: url.optional(),
  revocation_url: url.optional(),
  identity_url: url.optional(),
  issuer: url.optional(),
  client_id: text(1024),
  client_secret: confidential.optional(),
  client_auth: clientAuth.optional(),
  scope: z
    .string()
    .trim()
    .max(4096)
    .regex(/^\P{Cc}*$/u)
    .optional(),
  api_base_url: url.optional(),
  refresh_token: confidential.optional(),
  tenant_id: text(256).optional().describe('Tenant ID (your customer reference)'),
  region: text(64).optional().describe('Marketplace region of the account'),
  account_role: text(120).optional().describe('What the account is there'),
  owner: z.email().max(254).optional().describe('Who answers for the connection; the caller when absent'),
  environment: environment.default('production'),
  rotation: rotation.optional(),
  rotation_grace_seconds: seconds.optional(),
  redirect_uri: url.optional(),
  policy: policy.default({}),
});

export const saveIntegration = input('integration', integrationAttributes);
export type IntegrationAttributes = z.output<typeof integrationAttributes>;

export const integration = resource(
  'integration',
  z.object({
    label: z.string(),
    grant_type: z.enum(GRANT_TYPES),
    preset: z.string(),
    authorization_url: z.string().optional(),
    token_url: z.string(),
    revocation_url: z.string().optional(),
    identity_url: z.string().optional(),
    issuer: z.string().optional(),
    client_id: z.string(),
    client_auth: clientAuth,
    scope: z.string(),
    api_base_url: z.string(),
    tenant_id: z.string().optional(),
    environment,
    rotation,
    rotation_grace_seconds: z.number().optional(),
    redirect_uri: z.string().optional(),
    policy: z.object(policy.shape),
    created_at: time,
  }),
);

export const integrationDocument = z.object({ data: integration });
export const savedDocument = z.object({ data: integration, included: z.array(consentLink).optional() });
export const runningDocument = z.object({ meta: z.object({ status: z.literal('saving'), integration: z.string() }) });
export const integrationList = list(integration);

export const integrationQuery = z.strictObject({ ...page, 'filter[tenant_id]': textFilter });
