/** Permissions: what a route demands, a role gives and the scopes of a key let through. */

/** Every permission a route may demand. */
export const PERMISSIONS = [
  'tenants.get',
  'tenants.create',
  'tenants.edit',
  'tenants.principals.get',
  'tenants.principals.create',
  'tenants.principals.edit',
  'tenants.principals.delete',
  'tenants.api_keys.get',
  'tenants.api_keys.create',
  'tenants.api_keys.delete',
  'tenants.role_grants.get',
  'tenants.role_grants.create',
  'tenants.role_grants.delete',
  'tenants.oauth_clients.get',
  'tenants.oauth_clients.create',
  'tenants.oauth_clients.edit',
  'tenants.oauth_clients.delete',
  'tenants.components.get',
  'tenants.components.create',
  'tenants.components.edit',
  'tenants.components.delete',
  'tenants.flows.get',
  'tenants.flows.create',
  'tenants.flows.edit',
  'tenants.flows.delete',
  'tenants.providers.get',
  'tenants.providers.create',
  'tenants.providers.edit',
  'tenants.providers.delete',
  'tenants.integrations.get',
  'tenants.integrations.create',
  'tenants.integrations.edit',
  'tenants.integrations.edit_endpoints',
  'tenants.integrations.delete',
  'tenants.connections.get',
  'tenants.connections.edit',
  'tenants.connections.create_consent_link',
  'tenants.connections.confirm_consent',
  'tenants.connections.refresh',
  'tenants.connections.test',
  'tenants.connections.revoke',
  'tenants.connections.request',
  'tenants.connections.get_token',
  'tenants.connections.import',
  'tenants.events.get',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** Service permissions: conferred by operators only, and shown to nobody else. */
export const isServicePermission = (permission: Permission): boolean => permission.startsWith('tenants.oauth_clients.');

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What the caller must hold: in the tenant of the path; where the path has none, in one tenant at least. A route
     * declares this or `public`.
     */
    permission?: Permission;
    /** The permission must hold in every tenant: for installation operators. */
    everywhere?: true;
    /** What some of its requests need besides; the handler demands them. */
    besides?: readonly Permission[];
    /** Answers anybody: pages, health, public keys. */
    public?: true;
    /** Status of a missing attribute where a requirement demands another than MEMBER_MISSING's own. */
    missingAttribute?: 422;
  }
}

/** The permissions that a pattern stands for; none when it is neither a permission nor a pattern of some. */
export const coveredBy = (pattern: string): readonly Permission[] =>
  PERMISSIONS.filter((permission) => permits([pattern], permission));

/** Whether one of the held patterns covers the permission. */
export function permits(held: readonly string[], permission: string): boolean {
  return held.some((pattern) => covers(pattern.split('.'), permission.split('.')));
}

/** `*` stands for one segment; as the last segment for one or more. */
function covers(pattern: readonly string[], segments: readonly string[]): boolean {
  const open = pattern.at(-1) === '*';
  if (open ? segments.length < pattern.length : segments.length !== pattern.length) return false;
  return pattern.every((segment, index) => segment === '*' || segment === segments[index]);
}
