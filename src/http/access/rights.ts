/**
 * What a principal may do where: (roles and single permissions granted in the tenant, or in every tenant) ∩ the scopes of
 * the API key used. And what it may hand on.
 */
import type { RoleGrantRow } from '../../registry/contract-access';
import { coveredBy, isServicePermission, permits, PERMISSIONS, type Permission } from './permissions';
import { permissionsOf } from './roles';

type Grant = Pick<RoleGrantRow, 'tenant' | 'role' | 'permission'>;

/** A tenant; null = every one. */
export type Place = string | null;

export interface Holder {
  readonly grants: readonly Grant[];
  /** Of the API key. */
  readonly scopes: readonly string[];
}

const grantsIn = ({ grants }: Pick<Holder, 'grants'>, place: Place): readonly Grant[] =>
  grants.filter(({ tenant }) => tenant === null || tenant === place);

/** Whether the holder has any grant there: to all others the tenant is one that is not there. */
export const isLetIn = (holder: Holder, tenant: string): boolean => grantsIn(holder, tenant).length > 0;

/** Where the holder has grants. */
export const placesOf = ({ grants }: Pick<Holder, 'grants'>): readonly Place[] => [
  ...new Set(grants.map(({ tenant }) => tenant)),
];

export function rightsIn(holder: Holder, place: Place): ReadonlySet<Permission> {
  const granted = grantsIn(holder, place).flatMap(({ role, permission }): readonly string[] =>
    role === null ? [permission ?? ''] : permissionsOf(role),
  );
  const right = (permission: Permission): boolean => granted.includes(permission) && permits(holder.scopes, permission);
  return new Set(PERMISSIONS.filter(right));
}

/** Whether the holder has the right in one tenant at least. */
export const holdsSomewhere = (holder: Holder, permission: Permission): boolean =>
  placesOf(holder).some((place) => rightsIn(holder, place).has(permission));

/** Whether the holder has the role operator there; undefined = in one tenant at least. */
export const isOperator = (holder: Holder, place?: Place): boolean =>
  (place === undefined ? holder.grants : grantsIn(holder, place)).some(({ role }) => role === 'operator');

/**
 * Nobody confers a right they lack; and service permissions are conferred by operators only, whoever else holds one.
 * @returns the first permission that the holder may not hand on there
 */
export function notToConfer(holder: Holder, place: Place, permissions: readonly Permission[]): Permission | undefined {
  const rights = rightsIn(holder, place);
  return permissions.find(
    (permission) => !rights.has(permission) || (isServicePermission(permission) && !isOperator(holder, place)),
  );
}

/**
 * Whoever makes a key has it in hand. So its scopes are rights of the maker in the tenant, and whatever its owner may do
 * with it in other tenants the maker may do there as well.
 * @returns the first permission that the maker may not put into the key
 */
export function notToPutInKey(
  maker: Holder,
  tenant: string,
  owner: Pick<Holder, 'grants'>,
  scopes: readonly string[],
): Permission | undefined {
  const elsewhere = placesOf(owner)
    .filter((place) => place !== tenant)
    .map((place) => notToConfer(maker, place, [...rightsIn({ grants: owner.grants, scopes }, place)]));
  return [notToConfer(maker, tenant, scopes.flatMap(coveredBy)), ...elsewhere].find(Boolean);
}
