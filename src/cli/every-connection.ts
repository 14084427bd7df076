/** All connections of the installation with what they need, page by page: for tools that look at the whole. */
import type { ConnectionContext, Registry } from '../registry/contract';

const PAGE = 200;

/** @param tenants default: all */
export async function* everyConnection(
  registry: Registry,
  tenants?: readonly string[],
): AsyncGenerator<ConnectionContext> {
  for (const tenant of tenants ?? (await registry.tenants.ids())) {
    for (let after: string | undefined; ;) {
      const rows = await registry.connections.list(tenant, { size: PAGE, after });
      yield* await registry.connections.contexts(tenant, rows);
      if (rows.length < PAGE) break;
      after = rows.at(-1)?.id;
    }
  }
}
