/** An event: what happened, who did it, in which trace. */
import { z } from 'zod';
import { list, page, resource, time } from './document';

export const event = resource(
  'event',
  z.object({
    event_type: z.string(),
    at: time,
    by: z.string(),
    trace_id: z.string(),
    facts: z.record(z.string(), z.unknown()).optional(),
  }),
);
export const eventList = list(event);

const sort = z.enum(['at', '-at']).optional().describe('`at`, as without it: oldest first; `-at`: newest first');
const filterType = z.string().max(100).optional();
export const connectionEventQuery = z.strictObject({ ...page, sort, 'filter[type]': filterType });
export const eventQuery = z.strictObject({
  ...page,
  sort,
  'filter[type]': filterType,
  'filter[connection]': z.string().max(64).optional(),
});
