/** The filters of a list of connections, as the registry takes them. */
import type { z } from 'zod';
import type { ConnectionFilter } from '../../registry/contract';
import type { inventoryQuery } from '../schemas/connection';

export function filterOf(query: z.output<typeof inventoryQuery>): ConnectionFilter {
  return {
    state: query['filter[state]'] || undefined,
    who: query['filter[who]'] || undefined,
    preset: query['filter[provider]'] || undefined,
    environment: query['filter[environment]'] || undefined,
    expiresBefore: query['filter[expires_before]'] || undefined,
    owner: query['filter[owner]'] || undefined,
    account: query['filter[account]'] || undefined,
    customerReference: query['filter[tenant_id]'] || undefined,
    integration: query['filter[integration]'] || undefined,
  };
}
