/** `/v2/tenants/{T}/components/{id}/versions`: upload a new component.json, list what there was, read one back. */
import { DurableOAuthError } from '../../errors';
import { auditEvent } from '../access/audit';
import { FILE_BODY_LIMIT, readFile } from '../components/component-file';
import { ownComponent, toComponent } from '../components/component-resources';
import type { App, AppDeps } from '../deps';
import { readPage } from '../paging';
import { expectSameId } from '../same-id';
import { addedVersion, componentFile, componentVersionList, uploadVersion } from '../schemas/component';
import { resourcePath, versionPath, versionQuery } from '../schemas/document';
import { componentPath } from '../paths';

const PATH = '/tenants/:tenant/components/:id/versions';
const TYPE = 'component-version' as const;

export function componentVersionRoutes(app: App, { registry, effects }: AppDeps): void {
  app.route({
    method: 'POST',
    url: PATH,
    config: { permission: 'tenants.components.edit' },
    bodyLimit: FILE_BODY_LIMIT,
    schema: { params: resourcePath, body: uploadVersion, response: { 201: addedVersion } },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      expectSameId(request.body, id);
      const { file, manifest, warnings } = readFile(request.body.data.attributes.file);
      const event = auditEvent(request, 'component.version_added', { component: id });
      const title = manifest.title ?? id;
      const { originChanged, version } = await registry.components.addVersion({
        tenant,
        id,
        title,
        file,
        manifest,
        event,
      });
      void effects.drain().catch(() => undefined);
      const data = toComponent(await ownComponent(registry, tenant, id), tenant);
      reply.code(201).header('location', `${componentPath(tenant, id)}/versions/${version}`);
      return { data, meta: { warnings: [...warnings], clients_suspended: originChanged } };
    },
  });

  app.route({
    method: 'GET',
    url: PATH,
    config: { permission: 'tenants.components.get' },
    schema: { params: resourcePath, querystring: versionQuery, response: { 200: componentVersionList } },
    handler: async ({ params: { tenant, id }, query }) => {
      const path = `${componentPath(tenant, id)}/versions`;
      const { rows, links } = await readPage(path, query, async (page) => {
        const versions = await registry.components.versions(tenant, id, page);
        return versions.map((row) => ({ ...row, id: String(row.version) }));
      });
      const data = rows.map(({ version, createdBy, createdAt }) => ({
        type: TYPE,
        id: `${id}.${version}`,
        attributes: { version, created_by: createdBy, created_at: createdAt },
        links: { self: `${path}/${version}` },
      }));
      return { data, links, meta: {} };
    },
  });

  app.route({
    method: 'GET',
    url: `${PATH}/:version`,
    config: { permission: 'tenants.components.get' },
    schema: { params: versionPath, response: { 200: componentFile } },
    handler: async ({ params: { tenant, id, version } }) => {
      const file = await registry.components.file(tenant, id, version);
      if (file === undefined) throw new DurableOAuthError('NOT_FOUND');
      return { data: { type: TYPE, id: `${id}.${version}`, attributes: { version, file } } };
    },
  });
}
