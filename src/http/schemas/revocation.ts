/** A connection's grant taken back. */
import { z } from 'zod';
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
