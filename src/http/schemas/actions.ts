/** What is done with a connection: revoke, refresh or test it, send a request through it, hand out its access token. */
import { z } from 'zod';
import { isHeader } from '../../oauth/api-url';
import { escaped } from '../validation';
import { TEST_OUTCOME_NAMES, TEST_TARGETS } from '../../client/test-connection';
import { REFRESH_OUTCOME_NAMES } from '../../connection/refresh-outcome';
import { CONNECTION_STATES } from '../../connection/types';
import { input, resource, text, time } from './document';

export const revoke = input('revocation', z.strictObject({ reason: text(500).optional() }).default({}));

/** The impact instead, and nothing is done. */
export const revocationQuery = z.strictObject({
  preview: z.enum(['true', 'false']).default('false').describe('true: only say what it would do'),
});

export const revocationDocument = z.object({
  data: resource(
    'revocation',
    z.object({
      title: z.string(),
      text: z.string(),
      by: z.string(),
      reason: z.string(),
      frozen_at: time,
      provider: z.string(),
      provider_at: time.optional(),
      destroyed_at: time.optional(),
    }),
  ),
});

/** Neither has anything to say. */
export const refresh = input('refresh', z.strictObject({}).default({}));
export const test = input('test', z.strictObject({}).default({}));

export const refreshDocument = z.object({
  data: resource(
    'refresh',
    z.object({
      outcome: z.enum(REFRESH_OUTCOME_NAMES),
      text: z.string(),
      title: z.string().describe('How the connection is'),
      next_action: z.string(),
      state: z.enum(CONNECTION_STATES),
      generation: z.number(),
      expires_at: time.nullable(),
      next_attempt_at: time.nullable(),
    }),
  ),
});

export const testDocument = z.object({
  data: resource(
    'test',
    z.object({
      outcome: z.enum(TEST_OUTCOME_NAMES),
      text: z.string(),
      asked: z.enum(TEST_TARGETS),
      http_status: z.number().optional(),
      code: z.string().optional().describe('Why nothing was sent'),
    }),
  ),
});

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const headers = z.record(z.string(), z.string().max(8192)).superRefine((given, context) => {
  for (const [name, value] of Object.entries(given)) {
    if (isHeader(name, value)) continue;
    // The framework makes the pointer by joining the path as it is.
    context.addIssue({ code: 'custom', path: [escaped(name)], message: 'Must be a header of HTTP, in one line' });
  }
});

export const sendRequest = input(
  'request',
  z.strictObject({
    method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
    path: z.string().max(8192),
    query: z.record(z.string(), z.union([scalar, z.array(scalar)])).optional(),
    headers: headers.optional(),
    body: z.unknown().optional(),
    idempotency_key: text(255).optional(),
  }),
);
export type RequestAttributes = z.output<typeof sendRequest>['data']['attributes'];

export const responseDocument = z.object({
  data: resource(
    'request',
    z.object({ status: z.number(), headers: z.record(z.string(), z.string()), body: z.unknown() }),
  ),
});

export type ResponseAttributes = z.output<typeof responseDocument>['data']['attributes'];

/** As components of elastic.io read it: of what a provider says besides, only what is listed here. */
export const secretDocument = z.object({
  data: resource(
    'secret',
    z.object({
      name: z.string(),
      type: z.literal('oauth2'),
      state: z.enum(['ready', 'error']),
      error: z.string().optional().describe('What is wrong and what to do; with it there is no access token'),
      credentials: z.object({
        access_token: z.string().optional(),
        token_type: z.string().optional(),
        expires_in: z.number().int().optional().describe('Seconds left; absent when the provider did not say'),
        scope: z.string(),
        undefined_params: z.object({ instance_url: z.string().describe('Origin of the API base URL') }),
      }),
    }),
  ),
});

export const accessTokenDocument = z.object({
  data: resource(
    'access-token',
    z.object({
      access_token: z.string(),
      token_type: z.string(),
      expires_at: time.nullable(),
      api_base_url: z.string(),
    }),
  ),
});
