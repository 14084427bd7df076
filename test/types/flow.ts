/** Compiled, never run: what a flow author's editor says. */
import { connection, path, whenConnected } from 'durable-oauth/workflow';
import type { ApiResponse, ConnectionApi } from 'durable-oauth/workflow';
import { Secret } from '../../src/vault/secret';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** The type parameter is the claim; the values are only there to be used. */
declare function holds<Claim extends true>(...values: readonly unknown[]): Claim;

interface Order {
  readonly id: string;
}

export async function flow(): Promise<void> {
  const shop = connection('acme/cn_7q4', { whenConsentNeeded: { waitAtMost: '14 days' } });
  const order = await shop.get<Order>(path`/orders/${7}`, { query: { since: '2026-01-01', ids: [1, 2] } });
  holds<Equal<typeof order, ApiResponse<Order>>>(order);
  holds<Equal<typeof order.body, Order>>();

  // A flow that parks or fails always gets an answer; one that skips may get none.
  holds<Equal<ReturnType<typeof shop.get<Order>>, Promise<ApiResponse<Order>>>>();
  const skipping = connection('acme/cn_7q4', { whenConsentNeeded: 'skip' });
  holds<Equal<typeof skipping, ConnectionApi<undefined>>>();
  const maybe = await skipping.get<Order>('/orders/7');
  holds<Equal<typeof maybe, ApiResponse<Order> | undefined>>();
  // @ts-expect-error a skipped request has no body
  void maybe.body;

  // @ts-expect-error an answer is unknown until the author says what it is
  void (await shop.get('/orders')).body.id;
  const head = await shop.head('/orders');
  holds<Equal<typeof head.body, null>>(head);

  await shop.post('/orders', { body: { id: '7', lines: [{ sku: 'a', count: 1 }] }, idempotencyKey: '7' });
  // @ts-expect-error a read has no body
  await shop.get('/orders', { body: {} });
  // @ts-expect-error a read needs no key
  await shop.get('/orders', { idempotencyKey: '7' });
  // @ts-expect-error a secret does not fit into a request
  await shop.post('/orders', { body: { token: new Secret('x') } });
  // @ts-expect-error nor into a path
  void path`/orders/${new Secret('x')}`;
  // @ts-expect-error no such method
  await shop.request({ method: 'TRACE', path: '/orders' });
  // @ts-expect-error no such fallback
  connection('acme/cn_7q4', { whenConsentNeeded: 'ignore' });
  // @ts-expect-error no such duration
  connection('acme/cn_7q4', { whenConsentNeeded: { waitAtMost: 'a while' } });

  const exported = await whenConnected('acme/cn_7q4', async () => 3);
  holds<Equal<typeof exported, number>>(exported);
}
