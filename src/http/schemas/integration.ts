/** An integration as it is sent and shown. Secrets are write-only: no schema of an answer names one. */
import { z } from 'zod';
import { GRANT_TYPES, ROTATION_MODES } from '../../connection/types';
import { grantTypeOf } from '../integrations/form';
import { consentLink } from './consent-link';
import { id, input, list, page, printable, resource, text, textFilter, time, warningsMeta } from './document';

const URL_LENGTH = 2048;
const url = text(URL_LENGTH);
const seconds = z
  .number()
  .int()
  .nonnegative()
  .max(10 * 366 * 86_400);

/** What a console prints in place of a stored secret. */
const MASK = /^[*•●∙]{3,}$|^\[secret\]$/;

export const confidential = printable(z.string().min(1, 'Must not be blank').max(8192))
  .regex(/\S/, 'Must not be blank')
  .refine((value) => !MASK.test(value.trim()), {
    message: 'This is a mask, not a secret: send the secret itself',
    params: { code: 'SECRET_MASKED' },
  })
  .meta({ writeOnly: true });

const grantType = z
  .string()
  .transform((words, { addIssue }) => {
    const type = grantTypeOf(words);
    if (type !== undefined) return type;
    addIssue({ code: 'custom', message: `Must be one of ${GRANT_TYPES.join(', ')}` });
    return z.NEVER;
  })
  .describe('As people write it: "Client Credentials", "m2m"');
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
  client_id: text(1024).optional(),
  client_secret: confidential.optional(),
  client_auth: clientAuth.optional(),
  scope: printable(z.string().trim().max(4096)).optional(),
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
  fields: z.record(text(64), text(256)).optional().describe("Values for {{VARIABLE}}s of a component's endpoints"),
  policy: policy.default({}),
});
/** Through the OAuth client the tenant has for a component. */
const relationships = z.object({
  component: z.object({ data: z.object({ type: z.literal('component'), id: text(64) }) }).optional(),
});

export const saveIntegration = z.object({
  data: input('integration', integrationAttributes).shape.data.extend({
    relationships: relationships.optional(),
  }),
});
export type IntegrationAttributes = z.output<typeof integrationAttributes>;

/** What can be changed; null removes. */
const changes = z
  .strictObject({
    ...integrationAttributes.pick({
      label: true,
      authorization_url: true,
      token_url: true,
      client_id: true,
      client_secret: true,
      scope: true,
      api_base_url: true,
      rotation: true,
      rotation_grace_seconds: true,
    }).shape,
    revocation_url: url.nullable(),
    identity_url: url.nullable(),
    issuer: url.nullable(),
    tenant_id: text(256).nullable(),
    environment,
    policy,
  })
  .partial();

export const changeIntegration = input('integration', changes);
export type IntegrationChanges = z.output<typeof changes>;

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
    client_secret_set_at: time.optional().describe("Absent where the secret is a component's"),
    created_at: time,
  }),
);

export const integrationDocument = z.object({ data: integration });
export const savedDocument = z.object({
  data: integration,
  included: z.array(consentLink).optional(),
  meta: warningsMeta.optional(),
});
export const changedDocument = z.object({
  data: integration,
  meta: warningsMeta
    .extend({
      proven: z
        .enum(['token', 'client', 'not_until_consent', 'not_until_refresh'])
        .optional()
        .describe('What was proven of a new client secret before it was stored'),
    })
    .optional(),
});
export const runningDocument = z.object({ meta: z.object({ status: z.literal('saving'), integration: z.string() }) });
export const integrationList = list(integration);

export const integrationQuery = z.strictObject({
  ...page,
  'filter[tenant_id]': textFilter,
  'filter[provider]': z.union([id, z.literal('')]).optional(),
});
