/** A role grant: what a principal, of this tenant or of another one, may do in this tenant. */
import { z } from 'zod';
import { PERMISSIONS } from '../access/permissions';
import { ROLE_NAMES } from '../access/roles';
import { id, list, page, resource, time } from './document';

const attributes = z
  .strictObject({
    role: z.enum(ROLE_NAMES).optional(),
    permission: z.enum(PERMISSIONS).optional(),
    /** Home of the principal; this tenant when absent. */
    principal_tenant: id.optional(),
  })
  .refine(({ role, permission }) => (role === undefined) !== (permission === undefined), {
    message: 'Either a role or a permission',
  });

const principal = z.object({ data: z.object({ type: z.literal('principal'), id }) });

export const createRoleGrant = z.object({
  data: z.object({ type: z.literal('role-grant'), attributes, relationships: z.object({ principal }) }),
});
export type RoleGrantInput = z.output<typeof createRoleGrant>['data'];

export const roleGrant = resource(
  'role-grant',
  z.object({
    role: z.string().nullable(),
    permission: z.string().nullable(),
    principal_tenant: z.string(),
    granted_by: z.string(),
    granted_at: time,
  }),
);
export const roleGrantDocument = z.object({ data: roleGrant });
export const roleGrantList = list(roleGrant);
export const roleGrantQuery = z.strictObject(page);
