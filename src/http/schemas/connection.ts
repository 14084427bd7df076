/** A connection as it is shown: the registry's row in words, never a token. */
import { z } from 'zod';
import { CONNECTION_STATES, WHO_ACTS } from '../../connection/types';
import { idFilter, input, list, page, resource, text, textFilter, time } from './document';

const evidence = z.object({
  id: z.string(),
  at: time,
  class: z.string(),
  http_status: z.number().optional(),
  oauth_error: z.string().optional(),
  request_id: z.string().optional(),
  attempt: z.number(),
});

export const connection = resource(
  'connection',
  z.object({
    state: z.enum(CONNECTION_STATES),
    recovery: z.string().nullable(),
    reason: z.string().nullable(),
    title: z.string(),
    text: z.string(),
    next_action: z.string(),
    who: z.string(),
    since: time,
    provider: z.string().describe('Name of the preset'),
    environment: z.enum(['production', 'sandbox']),
    tenant_id: z.string().optional().describe('Tenant ID (your customer reference)'),
    grant_type: z.string(),
    generation: z.number(),
    issued_at: time.nullable(),
    expires_at: time.nullable(),
    refreshed_at: time.nullable().describe('Last success'),
    next_attempt_at: time.nullable().describe('Next refresh'),
    granted_at: time.nullable(),
    authorization_ends_at: time.optional().describe('The provider ends the authorization then, used or not'),
    ends_unused_at: time.optional().describe('The provider ends the authorization then, unless it is used'),
    consent_deadline: time.nullable(),
    frozen_at: time.nullable(),
    scope: z.string().describe('Granted'),
    needed_scope: z.string(),
    missing_scope: z.string().describe('Needed and not granted'),
    account_id: z.string().optional(),
    account_label: z.string().optional(),
    account_role: z.string().optional(),
    region: z.string().optional(),
    owner: z.string().optional().describe('E-mail address of the principal who answers for it; none for a machine'),
    redirect_uri: z.string().optional(),
    evidence: evidence.nullable(),
    last_error_class: z.string().nullable(),
    created_at: time,
  }),
);

export const connectionDocument = z.object({ data: connection });
export const connectionList = list(connection);

/** An empty filter filters nothing, and that is said. */
const empty = z.literal('');
const moment = z.iso
  .datetime({ offset: true })
  .refine((at) => Date.parse(at) > 0, 'Must be a time after 1970')
  .transform((at) => new Date(at).toISOString());

export const connectionFilters = {
  'filter[state]': z.union([z.enum(CONNECTION_STATES), empty]).optional(),
  'filter[who]': z
    .union([z.enum(WHO_ACTS), empty])
    .optional()
    .describe('Who must act'),
  'filter[provider]': idFilter,
  'filter[environment]': z.union([z.enum(['production', 'sandbox']), empty]).optional(),
  'filter[expires_before]': z.union([moment, empty]).optional().describe('Access that ends before this time'),
  'filter[owner]': textFilter,
  'filter[account]': textFilter.describe('Id or label of the account at the provider'),
  'filter[tenant_id]': textFilter,
  'filter[integration]': idFilter,
};

export const connectionQuery = z.strictObject({ ...page, ...connectionFilters });
export const inventoryQuery = z.strictObject(connectionFilters);

/** Null takes it away. */
const changes = z.strictObject({ region: text(64).nullish(), account_role: text(120).nullish() });
export const changeConnection = input('connection', changes);
