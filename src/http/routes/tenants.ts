/** `/v2/tenants`: those the caller has rights in; new ones by installation operators. */
import { DurableOAuthError } from '../../errors';
import type { TenantRow } from '../../registry/contract-access';
import { toTenant } from '../access/access-resources';
import { auditEvent } from '../access/audit';
import { principalOf } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { requireMatch } from '../etag';
import { readPage, warningsAbout } from '../paging';
import { placesOf, rightsIn } from '../access/rights';
import { expectSameId } from '../same-id';
import { tenantPath } from '../schemas/document';
import { changeTenant, createTenant, tenantDocument, tenantList, tenantQuery } from '../schemas/tenant';
import { tenantsPath } from '../paths';

export function tenantRoutes(app: App, { registry: { tenants } }: AppDeps): void {
  const known = async (id: string): Promise<TenantRow> => {
    const row = await tenants.get(id);
    if (row === undefined) throw new DurableOAuthError('NOT_FOUND');
    return row;
  };
  const read = async (id: string): Promise<{ data: ReturnType<typeof toTenant> }> => ({
    data: toTenant(await known(id)),
  });

  app.route({
    method: 'GET',
    url: '/tenants',
    config: { permission: 'tenants.get' },
    schema: { querystring: tenantQuery, response: { 200: tenantList } },
    handler: async (request) => {
      const principal = principalOf(request);
      const places = placesOf(principal).filter((place) => rightsIn(principal, place).has('tenants.get'));
      const among = places.includes(null) ? undefined : places.filter((place) => place !== null);
      const { rows, links } = await readPage('/v2/tenants', request.query, (page) => tenants.list(among, page));
      return { data: rows.map(toTenant), links, meta: warningsAbout({}) };
    },
  });

  app.route({
    method: 'POST',
    url: '/tenants',
    config: { permission: 'tenants.create', everywhere: true },
    schema: { body: createTenant, response: { 201: tenantDocument } },
    handler: async (request, reply) => {
      const { id, attributes } = request.body.data;
      await tenants.create(id, attributes.name, auditEvent(request, 'tenant.created', attributes));
      return reply
        .code(201)
        .header('location', tenantsPath(id))
        .send(await read(id));
    },
  });

  app.route({
    method: 'GET',
    url: '/tenants/:tenant',
    config: { permission: 'tenants.get', conditional: true },
    schema: { params: tenantPath, response: { 200: tenantDocument } },
    handler: ({ params: { tenant } }) => read(tenant),
  });

  app.route({
    method: 'PATCH',
    url: '/tenants/:tenant',
    config: { permission: 'tenants.edit' },
    schema: { params: tenantPath, body: changeTenant, response: { 200: tenantDocument } },
    handler: async (request) => {
      const { tenant } = request.params;
      const { attributes } = request.body.data;
      expectSameId(request.body, tenant);
      const row = await known(tenant);
      const base = requireMatch(request, toTenant(row)) ? row : undefined;
      await tenants.rename(tenant, attributes.name, auditEvent(request, 'tenant.changed', attributes), base);
      return read(tenant);
    },
  });
}
