/** The shipped roles: the one table of what each may do. `docs/permissions.md` shows it. */
import { isServicePermission, PERMISSIONS, type Permission } from './permissions';

interface RoleRow {
  /** One line, for people. */
  readonly meaning: string;
  readonly permissions: readonly Permission[];
}

/** What there is and how it is, without any credential. */
const METADATA = [
  'tenants.get',
  'tenants.components.get',
  'tenants.flows.get',
  'tenants.providers.get',
  'tenants.integrations.get',
  'tenants.connections.get',
  'tenants.events.get',
] as const satisfies readonly Permission[];

const ofTheTenant = (permission: Permission): boolean =>
  !isServicePermission(permission) && !['tenants.create', 'tenants.connections.get_token'].includes(permission);

export const ROLES = {
  operator: { meaning: 'Runs durable-oauth: everything.', permissions: PERMISSIONS },
  tenant_admin: {
    meaning: 'Runs the tenant: everything in it but OAuth clients and access tokens.',
    permissions: PERMISSIONS.filter(ofTheTenant),
  },
  support: {
    meaning: 'Finds out what is wrong and has consent renewed: no credentials, no tokens, no configuration.',
    permissions: [
      ...METADATA,
      'tenants.principals.get',
      'tenants.role_grants.get',
      'tenants.connections.create_consent_link',
      'tenants.connections.confirm_consent',
      'tenants.connections.refresh',
      'tenants.connections.test',
    ],
  },
  finance: { meaning: 'Reads metadata, connections, flows and events.', permissions: METADATA },
  agency: {
    meaning: 'Runs integrations and connections for the tenant: no principals, no roles, no tokens.',
    permissions: [
      ...METADATA,
      'tenants.integrations.create',
      'tenants.integrations.edit',
      'tenants.connections.edit',
      'tenants.connections.create_consent_link',
      'tenants.connections.confirm_consent',
      'tenants.connections.refresh',
      'tenants.connections.test',
      'tenants.connections.revoke',
      'tenants.connections.request',
    ],
  },
  partner: {
    meaning: 'Sees that integrations, connections and flows exist and how they are.',
    permissions: ['tenants.integrations.get', 'tenants.connections.get', 'tenants.flows.get'],
  },
} as const satisfies Readonly<Record<string, RoleRow>>;

export type Role = keyof typeof ROLES;
export const ROLE_NAMES = Object.keys(ROLES) as [Role, ...Role[]];

/** A role that this version does not know permits nothing. */
export function permissionsOf(role: string): readonly Permission[] {
  return Object.hasOwn(ROLES, role) ? ROLES[role as Role].permissions : [];
}
