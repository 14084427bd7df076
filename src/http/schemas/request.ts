/** A request sent through a connection, and its response. */
import { z } from 'zod';
import { isHeader } from '../../oauth/api-url';
import { escaped } from '../validation';
import { input, resource, text } from './document';

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
