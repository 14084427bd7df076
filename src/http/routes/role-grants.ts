/** `/v2/tenants/{T}/role-grants`: who may do what in the tenant. Nobody confers a right they lack. */
import { randomBytes } from 'node:crypto';
import { idFrom } from '../../connection/ids';
import type { RoleGrantRow } from '../../registry/contract-access';
import { toRoleGrant } from '../access/access-resources';
import { auditEvent } from '../access/audit';
import { callerOf, principalOf, type Principal } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { readPage, warningsAbout } from '../paging';
import { ProblemError } from '../problem';
import { notToConfer } from '../access/rights';
import { ROLES } from '../access/roles';
import { noContent, resourcePath, tenantPath } from '../schemas/document';
import {
  createRoleGrant,
  roleGrantDocument,
  roleGrantList,
  roleGrantQuery,
  type RoleGrantInput,
} from '../schemas/role-grant';

const PATH = '/tenants/:tenant/role-grants';

type Asked = Omit<RoleGrantRow, 'grantedBy' | 'grantedAt'> & { readonly tenant: string };

export function roleGrantRoutes(app: App, { registry: { principals, roleGrants } }: AppDeps): void {
  app.route({
    method: 'GET',
    url: PATH,
    config: { permission: 'tenants.role_grants.get' },
    schema: { params: tenantPath, querystring: roleGrantQuery, response: { 200: roleGrantList } },
    handler: async ({ params: { tenant }, query }) => {
      const { rows, links } = await readPage(`/v2/tenants/${tenant}/role-grants`, query, (page) =>
        roleGrants.list(tenant, page),
      );
      return { data: rows.map(toRoleGrant), links, meta: warningsAbout({}) };
    },
  });

  app.route({
    method: 'POST',
    url: PATH,
    config: { permission: 'tenants.role_grants.create' },
    schema: { params: tenantPath, body: createRoleGrant, response: { 201: roleGrantDocument } },
    handler: async (request, reply) => {
      const { id, ...asked } = toGrant(request.params.tenant, request.body.data);
      refuseMoreThanHeld(principalOf(request), request.body.data, asked.tenant);
      if ((await principals.get(asked.principalTenant, asked.principal)) === undefined) throw nobody();
      const facts = { role_grant: id, principal: asked.principal, principal_tenant: asked.principalTenant };
      const event = auditEvent(request, 'role_grant.created', { ...facts, ...request.body.data.attributes });
      const row = await roleGrants.create({ id, ...asked, grantedBy: callerOf(request).by }, event);
      return reply.code(201).send({ data: toRoleGrant(row) });
    },
  });

  app.route({
    method: 'DELETE',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.role_grants.delete' },
    schema: { params: resourcePath, response: { 204: noContent } },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      await roleGrants.remove(tenant, id, auditEvent(request, 'role_grant.removed', { role_grant: id }));
      return reply.code(204).send(null);
    },
  });
}

function toGrant(tenant: string, { attributes, relationships }: RoleGrantInput): Asked {
  const { role = null, permission = null, principal_tenant: principalTenant = tenant } = attributes;
  const id = idFrom('rg', randomBytes(17));
  return { id, tenant, principalTenant, principal: relationships.principal.data.id, role, permission };
}

/** @throws FORBIDDEN, naming the permission */
function refuseMoreThanHeld(granter: Principal, { attributes }: RoleGrantInput, tenant: string): void {
  const { role, permission } = attributes;
  const asked = role === undefined ? [permission ?? []].flat() : ROLES[role].permissions;
  const lacking = notToConfer(granter, tenant, asked);
  if (lacking === undefined) return;
  const pointer = `/data/attributes/${role === undefined ? 'permission' : 'role'}`;
  const detail = 'Nobody confers a right that they may not hand on';
  throw new ProblemError([{ code: 'FORBIDDEN', detail, pointer, meta: { permission: lacking } }]);
}

const nobody = (): ProblemError =>
  new ProblemError([
    { code: 'NOT_FOUND', detail: 'There is no such principal', pointer: '/data/relationships/principal/data/id' },
  ]);
