/** One harmless request through a connection. */
import { z } from 'zod';
import { TEST_OUTCOME_NAMES, TEST_TARGETS } from '../../client/test-connection';
import { input, resource } from './document';

/** It has nothing to say. */
export const test = input('test', z.strictObject({}).default({}));

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
