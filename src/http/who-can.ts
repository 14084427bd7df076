/** Who may do something in a tenant: the principals whose API key, in force, permits it. */
import type { Registry } from '../registry/contract';
import { permits, type Permission } from './permissions';

export async function whoCan(
  { apiKeys }: Pick<Registry, 'apiKeys'>,
  tenant: string,
  permission: Permission,
): Promise<readonly string[]> {
  const holders = await apiKeys.holders(tenant);
  return [...new Set(holders.filter((key) => permits(key.permissions, permission)).map(({ email }) => email))];
}
