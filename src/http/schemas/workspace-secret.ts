/** A connection as a secret of a workspace. */
import { z } from 'zod';
import { resource } from './document';

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
