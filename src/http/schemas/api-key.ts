/** An API key: shown whole in the answer to its creation, and never again. */
import { z } from 'zod';
import { coveredBy } from '../access/permissions';
import { input, list, page, resource, tenantPath, text, time } from './document';

const scope = text(100).refine((pattern) => coveredBy(pattern).length > 0, 'No permission has this name or pattern');

export const createKey = input(
  'api-key',
  z.strictObject({
    label: text(120).optional(),
    scopes: z.array(scope).min(1).max(100),
    expires_at: z.iso.datetime({ offset: true }).optional(),
  }),
);

const shown = z.object({
  label: z.string(),
  scopes: z.array(z.string()),
  created_at: time,
  expires_at: time.nullable(),
  last_used_at: time.nullable(),
});

export const apiKeyPath = tenantPath.extend({ id: z.string(), prefix: z.string() });
export const apiKeyList = list(resource('api-key', shown));
export const newKeyDocument = z.object({ data: resource('api-key', shown.extend({ key: z.string() })) });
export const apiKeyQuery = z.strictObject(page);
