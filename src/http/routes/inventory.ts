/** `GET /v2/tenants/{T}/connections.csv`: which accounts are connected, since when, by whom and with what permissions. */
import { z } from 'zod';
import { Readable } from 'node:stream';
import type { ConnectionContext, ConnectionFilter, Registry } from '../../registry/contract';
import { filterOf } from '../connections/connection-filter';
import { toConnection } from '../connections/connection-resource';
import { csvLine, type Cell } from '../connections/csv';
import type { App, AppDeps } from '../deps';
import { languageOf } from '../language';
import { inventoryQuery } from '../schemas/connection';
import { tenantPath } from '../schemas/document';

const PAGE = 200;

type Column = (shown: ReturnType<typeof toConnection>, context: ConnectionContext) => Cell;

const COLUMNS: Readonly<Record<string, Column>> = {
  connection: ({ id }) => id,
  integration: (_shown, { integration }) => integration.id,
  label: (_shown, { integration }) => integration.settings.label,
  provider: ({ attributes }) => attributes.provider,
  environment: ({ attributes }) => attributes.environment,
  account: ({ attributes }) => attributes.account_label,
  account_id: ({ attributes }) => attributes.account_id,
  account_role: ({ attributes }) => attributes.account_role,
  region: ({ attributes }) => attributes.region,
  owner: ({ attributes }) => attributes.owner,
  tenant_id: ({ attributes }) => attributes.tenant_id,
  connected_since: ({ attributes }) => attributes.granted_at,
  granted_scope: ({ attributes }) => attributes.scope,
  missing_scope: ({ attributes }) => attributes.missing_scope,
  state: ({ attributes }) => attributes.state,
  state_since: ({ attributes }) => attributes.since,
  reason: ({ attributes }) => attributes.reason,
  title: ({ attributes }) => attributes.title,
  who: ({ attributes }) => attributes.who,
  expires_at: ({ attributes }) => attributes.expires_at,
};

export function inventoryRoutes(app: App, { registry, catalogue }: AppDeps): void {
  app.route({
    method: 'GET',
    url: '/tenants/:tenant/connections.csv',
    exposeHeadRoute: false,
    config: { permission: 'tenants.connections.get' },
    schema: {
      operationId: 'exportConnections',
      summary: 'Export connections as CSV',
      tags: ['connections'],
      produces: ['text/csv'],
      params: tenantPath,
      querystring: inventoryQuery,
      response: { 200: z.unknown().describe('RFC 4180') },
    },
    handler: async (request, reply) => {
      const { tenant } = request.params;
      const lang = languageOf(request.headers['accept-language']);
      const pages = pagesOf(registry.connections, tenant, filterOf(request.query));
      // The first page before the status: from then on a failure can only cut the answer short.
      const first = await pages.next();
      reply.type('text/csv; charset=utf-8; header=present').header('content-language', lang);
      reply.header('content-disposition', `attachment; filename="connections-${tenant}.csv"`);
      return reply.send(Readable.from(lines(first, pages, (context) => toConnection(context, catalogue, lang))));
    },
  });
}

async function* pagesOf(
  connections: Registry['connections'],
  tenant: string,
  filter: ConnectionFilter,
): AsyncGenerator<readonly ConnectionContext[], undefined> {
  for (let after: string | undefined; ;) {
    const rows = await connections.list(tenant, { size: PAGE, after }, filter);
    yield await connections.contexts(tenant, rows);
    if (rows.length < PAGE) return undefined;
    after = rows.at(-1)?.id;
  }
}

async function* lines(
  first: IteratorResult<readonly ConnectionContext[], undefined>,
  pages: AsyncGenerator<readonly ConnectionContext[], undefined>,
  show: (context: ConnectionContext) => ReturnType<typeof toConnection>,
): AsyncGenerator<string> {
  yield csvLine(Object.keys(COLUMNS));
  for (let page = first; !page.done; page = await pages.next()) {
    yield page.value
      .map((context) => csvLine(Object.values(COLUMNS).map((column) => column(show(context), context))))
      .join('');
  }
}
