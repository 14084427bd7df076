/** A connection as it is shown: the registry's row in words, never a token. */
import { z } from 'zod';
import { CONNECTION_STATES } from '../../connection/types';
import { idFilter, list, page, resource, textFilter, time } from './document';

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
    grant_type: z.string(),
    generation: z.number(),
    expires_at: time.nullable(),
    refreshed_at: time.nullable(),
    next_attempt_at: time.nullable(),
    granted_at: time.nullable(),
    consent_deadline: time.nullable(),
    frozen_at: time.nullable(),
    scope: z.string(),
    account_label: z.string().optional(),
    redirect_uri: z.string().optional(),
    evidence: evidence.nullable(),
    created_at: time,
  }),
);

export const connectionDocument = z.object({ data: connection });
export const connectionList = list(connection);

export const connectionQuery = z.strictObject({
  ...page,
  'filter[state]': z.union([z.enum(CONNECTION_STATES), z.literal('')]).optional(),
  'filter[integration]': idFilter,
  'filter[tenant_id]': textFilter,
});
