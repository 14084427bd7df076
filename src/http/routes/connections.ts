/** `/v2/tenants/{T}/connections`: list, read, change what the tenant says of the account. The registry's reading, in words. */
import { DurableOAuthError } from '../../errors';
import type { ConnectionRow } from '../../registry/contract';
import { auditEvent } from '../access/audit';
import { filterOf } from '../connections/connection-filter';
import { toConnection } from '../connections/connection-resource';
import type { App, AppDeps } from '../deps';
import { requireMatch } from '../etag';
import { languageOf } from '../language';
import { readPage, warningsAbout } from '../paging';
import { expectSameId } from '../same-id';
import { changeConnection, connectionDocument, connectionList, connectionQuery } from '../schemas/connection';
import { resourcePath, tenantPath } from '../schemas/document';

const PATH = '/tenants/:tenant/connections';

export function connectionRoutes(app: App, { registry, catalogue }: AppDeps): void {
  /** @throws NOT_FOUND */
  async function read(
    { tenant, id }: { readonly tenant: string; readonly id: string },
    lang: ReturnType<typeof languageOf>,
  ): Promise<{ row: ConnectionRow; data: ReturnType<typeof toConnection> }> {
    const [context, flows] = await Promise.all([
      registry.connections.context({ tenant, connection: id }),
      registry.flows.dependingOn(tenant, id),
    ]);
    if (context === undefined) throw new DurableOAuthError('NOT_FOUND');
    return { row: context.connection, data: toConnection(context, catalogue, lang, flows) };
  }

  app.route({
    method: 'GET',
    url: PATH,
    config: { permission: 'tenants.connections.get' },
    schema: { params: tenantPath, querystring: connectionQuery, response: { 200: connectionList } },
    handler: async (request, reply) => {
      const { query, params } = request;
      const { rows, links } = await readPage(`/v2/tenants/${params.tenant}/connections`, query, (page) =>
        registry.connections.list(params.tenant, page, filterOf(query)),
      );
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      const contexts = await registry.connections.contexts(params.tenant, rows);
      const data = contexts.map((context) => toConnection(context, catalogue, lang));
      return { data, links, meta: warningsAbout(query) };
    },
  });

  app.route({
    method: 'GET',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.connections.get', conditional: true },
    schema: { params: resourcePath, response: { 200: connectionDocument } },
    handler: async (request, reply) => {
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      const { data } = await read(request.params, lang);
      return { data };
    },
  });

  app.route({
    method: 'PATCH',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.connections.edit' },
    schema: { params: resourcePath, body: changeConnection, response: { 200: connectionDocument } },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      expectSameId(request.body, id);
      const { region, account_role: accountRole } = request.body.data.attributes;
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      const { row, data: before } = await read(request.params, lang);
      const base = requireMatch(request, before) ? row : undefined;
      const event = auditEvent(request, 'connection.changed', {});
      await registry.connections.change({ tenant, connection: id }, { region, accountRole }, event, base);
      const { data } = await read(request.params, lang);
      return { data };
    },
  });
}
