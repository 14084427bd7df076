/** `/v2/tenants/{T}/flows/{id}/versions`: what a flow included before; an old version counts as use until it is removed. */
import { auditEvent } from '../access/audit';
import type { App, AppDeps } from '../deps';
import { toFlowVersion } from '../components/flow-resources';
import { readPage } from '../paging';
import { noContent, resourcePath, versionPath, versionQuery } from '../schemas/document';
import { flowVersionList } from '../schemas/flow';
import { flowPath } from '../paths';

const PATH = '/tenants/:tenant/flows/:id/versions';

export function flowVersionRoutes(app: App, { registry }: AppDeps): void {
  app.route({
    method: 'GET',
    url: PATH,
    config: { permission: 'tenants.flows.get' },
    schema: { params: resourcePath, querystring: versionQuery, response: { 200: flowVersionList } },
    handler: async ({ params: { tenant, id }, query }) => {
      const { rows, links } = await readPage(`${flowPath(tenant, id)}/versions`, query, async (page) => {
        const versions = await registry.flows.versions(tenant, id, page);
        return versions.map((row) => ({ ...row, id: String(row.version) }));
      });
      return { data: rows.map(toFlowVersion), links, meta: {} };
    },
  });

  app.route({
    method: 'DELETE',
    url: `${PATH}/:version`,
    config: { permission: 'tenants.flows.delete' },
    schema: { params: versionPath, response: { 204: noContent } },
    handler: async (request, reply) => {
      const { tenant, id, version } = request.params;
      const event = auditEvent(request, 'flow.version_removed', { flow: id, version });
      await registry.flows.removeVersion(tenant, id, version, event);
      return reply.code(204).send(null);
    },
  });
}
