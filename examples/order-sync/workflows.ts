import { setCurrentDetails, sleep } from '@temporalio/workflow';
import { connection, path } from 'durable-oauth/workflow';

interface OrdersPage {
  readonly page: number;
  readonly orders: readonly { readonly id: string }[];
  /** A full page never changes again. */
  readonly full: boolean;
}

export interface OrderSync {
  /** `<tenant>/<connection>` */
  readonly connection: string;
  /** How many pages to read in all; the last one is read again until it is full. */
  readonly rounds: number;
  readonly secondsBetween: number;
}

/**
 * Read a shop's orders page by page and acknowledge each of them once. No token, no refresh, no lock: while access has to
 * be consented anew, the flow waits at the very request it had come to.
 */
export async function orderSyncWorkflow(input: OrderSync): Promise<{ acknowledged: string[]; page: number }> {
  const shop = connection(input.connection);
  const acknowledged = new Set<string>();
  let page = 1;
  for (let round = 1; round <= input.rounds; round++) {
    const { body } = await shop.get<OrdersPage>('/orders', { query: { page } });
    for (const { id } of body.orders) {
      if (acknowledged.has(id)) continue;
      await shop.post(path`/orders/${id}/ack`, { idempotencyKey: id });
      acknowledged.add(id);
    }
    if (body.full) page += 1;
    setCurrentDetails(`Round ${round} of ${input.rounds}, page ${page}: ${acknowledged.size} orders acknowledged`);
    await sleep(input.secondsBetween * 1_000, { summary: 'Until the next page' });
  }
  return { acknowledged: [...acknowledged], page };
}
