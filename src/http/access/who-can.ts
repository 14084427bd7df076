/** Who may do something in a tenant: the roles that hold the permission there, and the people who have one of them. */
import type { Registry } from '../../registry/contract';
import type { Permission } from './permissions';
import { permissionsOf } from './roles';

export async function whoCan(
  { roleGrants }: Pick<Registry, 'roleGrants'>,
  tenant: string,
  permission: Permission,
): Promise<readonly string[]> {
  const holders = await roleGrants.holders(tenant);
  const may = holders.filter(({ role, permission: single }) =>
    role === null ? single === permission : permissionsOf(role).includes(permission),
  );
  return [...new Set(may.map(({ email }) => email))];
}
