/** A flow that makes one call through a connection. */
import { connection } from '../../src/flow';

export async function callOnce(ref: string): Promise<number> {
  return (await connection(ref).get('/orders')).status;
}
