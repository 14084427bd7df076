/** A refresh of a connection's tokens, by hand. */
import { z } from 'zod';
import { REFRESH_OUTCOME_NAMES } from '../../connection/refresh-outcome';
import { CONNECTION_STATES } from '../../connection/types';
import { input, resource, time } from './document';

/** It has nothing to say. */
export const refresh = input('refresh', z.strictObject({}).default({}));

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
