/** An access token handed out. */
import { z } from 'zod';
import { resource, time } from './document';

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
