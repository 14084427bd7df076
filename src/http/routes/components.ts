/** `/v2/tenants/{T}/components`: upload a component.json, list, read, change who has access, remove. */
import { newId } from '../../client/connections';
import { DurableOAuthError } from '../../errors';
import { auditEvent } from '../access/audit';
import { FILE_BODY_LIMIT, readFile } from '../components/component-file';
import { ownComponent, toComponent } from '../components/component-resources';
import type { App, AppDeps } from '../deps';
import { requireMatch } from '../etag';
import { readPage } from '../paging';
import { ProblemError } from '../problem';
import { expectSameId } from '../same-id';
import {
  changeComponent,
  componentDocument,
  componentList,
  componentQuery,
  uploadComponent,
  uploadedDocument,
} from '../schemas/component';
import { noContent, resourcePath, tenantPath } from '../schemas/document';
import { componentPath } from '../paths';

const PATH = '/tenants/:tenant/components';

export function componentRoutes(app: App, { registry, effects }: AppDeps): void {
  app.route({
    method: 'POST',
    url: PATH,
    config: { permission: 'tenants.components.create' },
    bodyLimit: FILE_BODY_LIMIT,
    schema: { params: tenantPath, body: uploadComponent, response: { 201: uploadedDocument } },
    handler: async (request, reply) => {
      const { tenant } = request.params;
      const { id: given, attributes } = request.body.data;
      if (given !== undefined) {
        throw new ProblemError([{ code: 'MEMBER_INVALID', detail: 'Ids of components are ours', pointer: '/data/id' }]);
      }
      const { file, manifest, warnings } = readFile(attributes.file);
      const id = newId('cp');
      const { access, team } = attributes;
      const event = auditEvent(request, 'component.created', { component: id, access });
      await registry.components.create({
        tenant,
        id,
        title: manifest.title ?? id,
        access,
        team,
        file,
        manifest,
        event,
      });
      const data = toComponent(await ownComponent(registry, tenant, id), tenant);
      return reply
        .code(201)
        .header('location', componentPath(tenant, id))
        .send({ data, meta: { warnings: [...warnings] } });
    },
  });

  app.route({
    method: 'GET',
    url: PATH,
    config: { permission: 'tenants.components.get' },
    schema: { params: tenantPath, querystring: componentQuery, response: { 200: componentList } },
    handler: async ({ params: { tenant }, query }) => {
      const { rows, links } = await readPage(`/v2/tenants/${tenant}/components`, query, (page) =>
        registry.components.list(tenant, page),
      );
      return { data: rows.map((row) => toComponent(row, tenant)), links, meta: {} };
    },
  });

  app.route({
    method: 'GET',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.components.get', conditional: true },
    schema: { params: resourcePath, response: { 200: componentDocument } },
    handler: async ({ params: { tenant, id } }) => {
      const row = await registry.components.get(tenant, id);
      if (row === undefined) throw new DurableOAuthError('NOT_FOUND');
      return { data: toComponent(row, tenant) };
    },
  });

  app.route({
    method: 'PATCH',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.components.edit' },
    schema: { params: resourcePath, body: changeComponent, response: { 200: componentDocument } },
    handler: async (request) => {
      const { tenant, id } = request.params;
      expectSameId(request.body, id);
      const row = await ownComponent(registry, tenant, id);
      const base = requireMatch(request, toComponent(row, tenant)) ? row : undefined;
      const { access, team = null } = request.body.data.attributes;
      const event = auditEvent(request, 'component.access_changed', { component: id, access });
      await registry.components.setAccess(tenant, id, access, team, event, base);
      void effects.drain().catch(() => undefined);
      return { data: toComponent(await ownComponent(registry, tenant, id), tenant) };
    },
  });

  app.route({
    method: 'DELETE',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.components.delete' },
    schema: { params: resourcePath, response: { 204: noContent } },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      const event = auditEvent(request, 'component.removed', { component: id });
      await registry.components.remove(tenant, id, event);
      void effects.drain().catch(() => undefined);
      return reply.code(204).send(null);
    },
  });
}
