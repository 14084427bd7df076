/** The registry's waiters in memory, by the port's rules. */
import { formatRef } from '../../src/connection/ids';
import type { Registry } from '../../src/registry/contract';

type Waiters = Registry['waiters'];
type Waiter = Parameters<Waiters['park']>[0];

export class MemoryWaiters implements Waiters {
  readonly rows = new Map<string, Waiter>();

  async park(waiter: Waiter): Promise<void> {
    this.rows.set(keyOf(waiter), waiter);
  }

  async list(...[ref]: Parameters<Waiters['list']>): ReturnType<Waiters['list']> {
    return [...this.rows.values()].filter((row) => formatRef(row) === formatRef(ref));
  }

  async remove(waiter: Waiter): Promise<void> {
    const row = this.rows.get(keyOf(waiter));
    if (row && Buffer.from(row.taskToken).equals(waiter.taskToken)) this.rows.delete(keyOf(waiter));
  }
}

const keyOf = ({ workflow, activity }: Waiter): string => `${workflow} ${activity}`;
