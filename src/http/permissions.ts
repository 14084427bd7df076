/** Permissions: what a route demands and what a key holds. */

/** Every permission a route may demand. */
export const PERMISSIONS = [
  'tenants.oauth_clients.get',
  'tenants.oauth_clients.create',
  'tenants.oauth_clients.edit',
  'tenants.oauth_clients.delete',
  'tenants.components.create',
  'tenants.components.get',
  'tenants.components.edit',
  'tenants.components.delete',
  'tenants.flows.create',
  'tenants.flows.get',
  'tenants.flows.edit',
  'tenants.flows.delete',
  'tenants.integrations.create',
  'tenants.integrations.get',
  'tenants.connections.get',
  'tenants.connections.edit',
  'tenants.connections.create_consent_link',
  'tenants.connections.refresh',
  'tenants.connections.test',
  'tenants.connections.revoke',
  'tenants.connections.request',
  'tenants.connections.get_token',
  'tenants.connections.import',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the caller's key must hold. A route declares this or `public`. */
    permission?: Permission;
    /** Answers anybody: pages, health, public keys. */
    public?: true;
    /** Status of a missing attribute where a requirement demands another than MEMBER_MISSING's own. */
    missingAttribute?: 422;
  }
}

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
