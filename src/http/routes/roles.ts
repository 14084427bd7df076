/** `GET /v2/roles` and `GET /v2/permissions`: the matrix. Service permissions are shown to operators only. */
import { isOperator } from '../access/rights';
import { principalOf } from '../access/auth';
import type { App } from '../deps';
import { isServicePermission, PERMISSIONS, type Permission } from '../access/permissions';
import { permissionsOf, ROLE_NAMES, ROLES } from '../access/roles';
import { permissionList, roleList } from '../schemas/role';
import type { FastifyRequest } from 'fastify';

export function roleRoutes(app: App): void {
  app.route({
    method: 'GET',
    url: '/roles',
    config: { permission: 'tenants.role_grants.get' },
    schema: { response: { 200: roleList } },
    handler: async (request) => {
      const shown = shownTo(request);
      const data = ROLE_NAMES.map((id) => {
        const { meaning } = ROLES[id];
        const permissions = permissionsOf(id).filter(shown);
        return { type: 'role' as const, id, attributes: { meaning, permissions } };
      });
      return { data };
    },
  });

  app.route({
    method: 'GET',
    url: '/permissions',
    config: { permission: 'tenants.role_grants.get' },
    schema: { response: { 200: permissionList } },
    handler: async (request) => {
      const data = PERMISSIONS.filter(shownTo(request)).map((id) => {
        const roles = ROLE_NAMES.filter((role) => permissionsOf(role).includes(id));
        return { type: 'permission' as const, id, attributes: { roles } };
      });
      return { data };
    },
  });
}

const shownTo = (request: FastifyRequest): ((permission: Permission) => boolean) =>
  isOperator(principalOf(request)) ? () => true : (permission) => !isServicePermission(permission);
