/** What a revocation would do. */
import { z } from 'zod';
import { resource } from './document';

const flow = z.object({
  id: z.string(),
  name: z.string(),
  status: z.enum(['draft', 'running', 'stopped']),
  schedule: z.string().nullable(),
});

export const impactDocument = z.object({
  data: resource(
    'impact',
    z.object({
      stops: z.string(),
      stays: z.string(),
      reconnect: z.string(),
      fallback: z.enum(['pause', 'skip', 'fail']),
      flows: z.array(flow).describe('Whose current version includes the connection'),
      waiting: z.number().describe('Steps of flows that wait for the connection now'),
      who_can_reconnect: z
        .array(z.string())
        .describe('E-mail addresses of the principals who may create a consent link'),
    }),
  ),
});
