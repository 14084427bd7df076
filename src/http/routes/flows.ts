/** `/v2/tenants/{T}/flows`: what includes components and connections. They are registered here, and run elsewhere. */
import { newId } from '../../client/connections';
import { DurableOAuthError, isDurableOAuthError } from '../../errors';
import type { FlowRow } from '../../registry/contract-platform';
import { auditEvent } from '../access/audit';
import type { App, AppDeps } from '../deps';
import { atEntry, idsIn, toFlow } from '../components/flow-resources';
import { requireMatch } from '../etag';
import { readPage, warningsAbout } from '../paging';
import { ProblemError } from '../problem';
import { expectSameId } from '../same-id';
import { noContent, resourcePath, tenantPath } from '../schemas/document';
import { changeFlow, createFlow, flowDocument, flowList, flowQuery } from '../schemas/flow';
import { flowPath } from '../paths';

const PATH = '/tenants/:tenant/flows';

export function flowRoutes(app: App, { registry }: AppDeps): void {
  const known = async (tenant: string, id: string): Promise<FlowRow> => {
    const row = await registry.flows.get(tenant, id);
    if (row === undefined) throw new DurableOAuthError('NOT_FOUND');
    return row;
  };
  const found = async (tenant: string, id: string): Promise<{ data: ReturnType<typeof toFlow> }> => ({
    data: toFlow(await known(tenant, id)),
  });

  app.route({
    method: 'POST',
    url: PATH,
    config: { permission: 'tenants.flows.create' },
    schema: { params: tenantPath, body: createFlow, response: { 201: flowDocument } },
    handler: async (request, reply) => {
      const { tenant } = request.params;
      const { id = newId('fl'), attributes, relationships } = request.body.data;
      const event = auditEvent(request, 'flow.created', { flow: id });
      const included = { components: [], connections: [], ...idsIn(relationships) };
      try {
        await registry.flows.create({ tenant, id, ...attributes, ...included, event });
      } catch (error) {
        if (!isDurableOAuthError(error, 'ALREADY_EXISTS')) throw atEntry(error, relationships);
        throw new ProblemError([{ code: 'ALREADY_EXISTS', detail: 'A flow has this id', pointer: '/data/id' }]);
      }
      return reply
        .code(201)
        .header('location', flowPath(tenant, id))
        .send(await found(tenant, id));
    },
  });

  app.route({
    method: 'GET',
    url: PATH,
    config: { permission: 'tenants.flows.get' },
    schema: { params: tenantPath, querystring: flowQuery, response: { 200: flowList } },
    handler: async ({ params: { tenant }, query }) => {
      const filter = {
        component: query['filter[component]'] || undefined,
        connection: query['filter[connection]'] || undefined,
        status: query['filter[status]'] || undefined,
      };
      const { rows, links } = await readPage(`/v2/tenants/${tenant}/flows`, query, (page) =>
        registry.flows.list(tenant, page, filter),
      );
      return { data: rows.map(toFlow), links, meta: warningsAbout(query) };
    },
  });

  app.route({
    method: 'GET',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.flows.get', conditional: true },
    schema: { params: resourcePath, response: { 200: flowDocument } },
    handler: ({ params: { tenant, id } }) => found(tenant, id),
  });

  app.route({
    method: 'PATCH',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.flows.edit' },
    schema: { params: resourcePath, body: changeFlow, response: { 200: flowDocument } },
    handler: async (request) => {
      const { tenant, id } = request.params;
      expectSameId(request.body, id);
      const row = await known(tenant, id);
      const base = requireMatch(request, toFlow(row)) ? row : undefined;
      const { attributes, relationships } = request.body.data;
      const event = auditEvent(request, 'flow.changed', { flow: id });
      try {
        await registry.flows.change(tenant, id, { ...attributes, ...idsIn(relationships) }, event, base);
      } catch (error) {
        throw atEntry(error, relationships);
      }
      return found(tenant, id);
    },
  });

  app.route({
    method: 'DELETE',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.flows.delete' },
    schema: { params: resourcePath, response: { 204: noContent } },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      await registry.flows.remove(tenant, id, auditEvent(request, 'flow.removed', { flow: id }));
      return reply.code(204).send(null);
    },
  });
}
