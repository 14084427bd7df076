/** `/v2/tenants/{T}/principals`: the users and service accounts whose home the tenant is. */
import { randomBytes } from 'node:crypto';
import { idFrom } from '../../connection/ids';
import { DurableOAuthError } from '../../errors';
import type { PrincipalRow } from '../../registry/contract-access';
import { toPrincipal } from '../access/access-resources';
import { auditEvent } from '../access/audit';
import type { App, AppDeps } from '../deps';
import { requireMatch } from '../etag';
import { readPage, warningsAbout } from '../paging';
import { expectSameId } from '../same-id';
import { noContent, resourcePath, tenantPath } from '../schemas/document';
import {
  changePrincipal,
  createPrincipal,
  principalDocument,
  principalList,
  principalQuery,
} from '../schemas/principal';
import { principalPath } from '../paths';

const PATH = '/tenants/:tenant/principals';

export function principalRoutes(app: App, { registry: { principals } }: AppDeps): void {
  const known = async (tenant: string, id: string): Promise<PrincipalRow> => {
    const row = await principals.get(tenant, id);
    if (row === undefined) throw new DurableOAuthError('NOT_FOUND');
    return row;
  };
  const read = async (tenant: string, id: string): Promise<{ data: ReturnType<typeof toPrincipal> }> => ({
    data: toPrincipal(await known(tenant, id)),
  });

  app.route({
    method: 'GET',
    url: PATH,
    config: { permission: 'tenants.principals.get' },
    schema: { params: tenantPath, querystring: principalQuery, response: { 200: principalList } },
    handler: async ({ params: { tenant }, query }) => {
      const { rows, links } = await readPage(`/v2/tenants/${tenant}/principals`, query, (page) =>
        principals.list(tenant, page),
      );
      return { data: rows.map(toPrincipal), links, meta: warningsAbout({}) };
    },
  });

  app.route({
    method: 'POST',
    url: PATH,
    config: { permission: 'tenants.principals.create' },
    schema: { params: tenantPath, body: createPrincipal, response: { 201: principalDocument } },
    handler: async (request, reply) => {
      const { tenant } = request.params;
      const { attributes, id = idFrom('pr', randomBytes(17)) } = request.body.data;
      const event = auditEvent(request, 'principal.created', attributes);
      const row = await principals.create({ tenant, id, ...attributes }, event);
      return reply
        .code(201)
        .header('location', principalPath(tenant, row.id))
        .send({ data: toPrincipal(row) });
    },
  });

  app.route({
    method: 'GET',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.principals.get', conditional: true },
    schema: { params: resourcePath, response: { 200: principalDocument } },
    handler: ({ params: { tenant, id } }) => read(tenant, id),
  });

  app.route({
    method: 'PATCH',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.principals.edit' },
    schema: { params: resourcePath, body: changePrincipal, response: { 200: principalDocument } },
    handler: async (request) => {
      const { tenant, id } = request.params;
      expectSameId(request.body, id);
      const before = await known(tenant, id);
      const base = requireMatch(request, toPrincipal(before)) ? before : undefined;
      const { email } = request.body.data.attributes;
      const facts = { principal: id, email, email_before: before.email };
      await principals.changeEmail(tenant, id, email, auditEvent(request, 'principal.changed', facts), base);
      return read(tenant, id);
    },
  });

  app.route({
    method: 'DELETE',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.principals.delete' },
    schema: { params: resourcePath, response: { 204: noContent } },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      const { email } = await known(tenant, id);
      const facts = { principal: id, principal_tenant: tenant, email };
      await principals.remove(tenant, id, auditEvent(request, 'principal.removed', facts));
      return reply.code(204).send(null);
    },
  });
}
