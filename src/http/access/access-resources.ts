/** Tenants, principals, keys, grants and events as resources. No mapping names a hash. */
import type { z } from 'zod';
import type { EventRow } from '../../registry/contract';
import type { ApiKeyRow, PrincipalRow, RoleGrantRow, TenantRow } from '../../registry/contract-access';
import type { apiKeyList } from '../schemas/api-key';
import type { event } from '../schemas/event';
import type { principal } from '../schemas/principal';
import type { roleGrant } from '../schemas/role-grant';
import type { tenant } from '../schemas/tenant';
import { connectionPath, principalPath, tenantsPath } from '../paths';

export const toTenant = ({ id, name, createdAt }: TenantRow): z.output<typeof tenant> => ({
  type: 'tenant',
  id,
  attributes: { name, created_at: createdAt },
  links: { self: tenantsPath(id) },
});

export const toPrincipal = (row: PrincipalRow): z.output<typeof principal> => ({
  type: 'principal',
  id: row.id,
  attributes: { email: row.email, kind: row.kind, created_at: row.createdAt },
  relationships: { 'api-keys': { links: { related: `${principalPath(row.tenant, row.id)}/api-keys` } } },
  links: { self: principalPath(row.tenant, row.id) },
});

export const toApiKey = (row: ApiKeyRow): z.output<typeof apiKeyList>['data'][number] => ({
  type: 'api-key',
  id: row.prefix,
  attributes: {
    label: row.label,
    scopes: [...row.scopes],
    created_at: row.createdAt,
    expires_at: row.expiresAt,
    last_used_at: row.lastUsedAt,
  },
});

export const toRoleGrant = (row: RoleGrantRow): z.output<typeof roleGrant> => ({
  type: 'role-grant',
  id: row.id,
  attributes: {
    role: row.role,
    permission: row.permission,
    principal_tenant: row.principalTenant,
    granted_by: row.grantedBy,
    granted_at: row.grantedAt,
  },
  relationships: {
    principal: {
      links: { related: principalPath(row.principalTenant, row.principal) },
      data: { type: 'principal', id: row.principal },
    },
  },
});

export const toEvent = (tenantId: string, row: EventRow): z.output<typeof event> => ({
  type: 'event',
  id: row.id,
  attributes: {
    event_type: row.type,
    at: row.at,
    by: row.by,
    trace_id: row.traceId,
    facts: row.facts,
  },
  ...(row.connection !== null && {
    relationships: {
      connection: {
        links: { related: connectionPath(tenantId, row.connection) },
        data: { type: 'connection', id: row.connection },
      },
    },
  }),
});
