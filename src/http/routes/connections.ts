/** `/v2/tenants/{T}/connections`: list, read. The registry's reading, in words. */
import type { Lang } from '../../connection/reasons';
import { DurableOAuthError } from '../../errors';
import type { ConnectionRow } from '../../registry/contract';
import type { App, AppDeps } from '../deps';
import { languageOf } from '../language';
import { readPage, warningsAbout } from '../paging';
import { toConnection } from '../resources';
import { connectionDocument, connectionList, connectionQuery } from '../schemas/connection';
import { resourcePath, tenantPath } from '../schemas/document';

type Resource = ReturnType<typeof toConnection>;

const PATH = '/tenants/:tenant/connections';

export function connectionRoutes(app: App, deps: AppDeps): void {
  const { registry, catalogue } = deps;

  app.route({
    method: 'GET',
    url: PATH,
    config: { permission: 'tenants.connections.get' },
    schema: { params: tenantPath, querystring: connectionQuery, response: { 200: connectionList } },
    handler: async (request, reply) => {
      const { query, params } = request;
      const filter = {
        state: query['filter[state]'] || undefined,
        integration: query['filter[integration]'] || undefined,
        customerReference: query['filter[tenant_id]'] || undefined,
      };
      const { rows, links } = await readPage(`/v2/tenants/${params.tenant}/connections`, query, (page) =>
        registry.connections.list(params.tenant, page, filter),
      );
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      return { data: await inWords(deps, rows, lang), links, meta: warningsAbout(query) };
    },
  });

  app.route({
    method: 'GET',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.connections.get', conditional: true },
    schema: { params: resourcePath, response: { 200: connectionDocument } },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      const context = await registry.connections.context({ tenant, connection: id });
      if (context === undefined) throw new DurableOAuthError('NOT_FOUND');
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      return { data: toConnection(context, catalogue, lang) };
    },
  });
}

async function inWords(
  { registry, catalogue }: AppDeps,
  rows: readonly ConnectionRow[],
  lang: Lang,
): Promise<Resource[]> {
  const refs = rows.map(({ tenant, id }) => ({ tenant, connection: id }));
  const contexts = await Promise.all(refs.map((ref) => registry.connections.context(ref)));
  // Removed between the two reads: no longer there to be shown.
  return contexts.flatMap((context) => (context ? [toConnection(context, catalogue, lang)] : []));
}
