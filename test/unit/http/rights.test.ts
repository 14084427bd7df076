import fc from 'fast-check';
import { isServicePermission, PERMISSIONS, permits } from '../../../src/http/access/permissions';
import {
  holdsSomewhere,
  isLetIn,
  notToConfer,
  notToPutInKey,
  placesOf,
  rightsIn,
  type Holder,
} from '../../../src/http/access/rights';
import { permissionsOf, ROLE_NAMES, ROLES } from '../../../src/http/access/roles';

const place = fc.constantFrom('acme', 'other', null);
const permission = fc.constantFrom(...PERMISSIONS);
const grant = fc.oneof(
  fc.record({ tenant: place, role: fc.constantFrom(...ROLE_NAMES), permission: fc.constant(null) }),
  fc.record({ tenant: place, role: fc.constant(null), permission }),
);
const scopes = fc.array(fc.oneof(permission, fc.constantFrom('tenants.*', 'tenants.*.get', 'nonsense')));
const holder: fc.Arbitrary<Holder> = fc.record({ grants: fc.array(grant, { maxLength: 4 }), scopes });

const having = (role: string, tenant: string | null = 'acme', ...held: string[]): Holder => ({
  grants: [{ tenant, role, permission: null }, ...held.map((one) => ({ tenant, role: null, permission: one }))],
  scopes: ['tenants.*'],
});

describe('rights', () => {
  it('are what is granted there or everywhere, and what the scopes let through', () => {
    fc.assert(
      fc.property(holder, place, permission, (who, where, asked) => {
        const granted = who.grants
          .filter(({ tenant }) => tenant === where || tenant === null)
          .some((one) => one.permission === asked || permissionsOf(one.role ?? '').includes(asked));
        return rightsIn(who, where).has(asked) === (granted && permits(who.scopes, asked));
      }),
    );
  });

  it('in every tenant are rights in each, and in none but those where something was granted', () => {
    fc.assert(
      fc.property(holder, permission, (who, asked) => {
        if (rightsIn(who, null).has(asked)) expect(rightsIn(who, 'acme').has(asked)).toBe(true);
        expect(holdsSomewhere(who, asked)).toBe(placesOf(who).some((one) => rightsIn(who, one).has(asked)));
        expect(isLetIn(who, 'never-was')).toBe(placesOf(who).includes(null));
      }),
    );
  });

  it('of a role that this version does not know are none', () => {
    expect(rightsIn(having('emperor'), 'acme').size).toBe(0);
    expect(rightsIn(having('constructor'), 'acme').size).toBe(0);
  });
});

describe('what is handed on', () => {
  it('is held by whoever does it', () => {
    fc.assert(
      fc.property(holder, place, fc.array(permission), (who, where, asked) => {
        if (notToConfer(who, where, asked) !== undefined) return;
        const rights = rightsIn(who, where);
        expect(asked.filter((one) => !rights.has(one))).toEqual([]);
      }),
    );
  });

  it('002-12 holds no service permission but by an operator, even for one who has it', () => {
    const service = PERMISSIONS.filter(isServicePermission);
    expect(service).toHaveLength(4);
    expect(notToConfer(having('operator'), 'acme', service)).toBeUndefined();
    expect(notToConfer(having('tenant_admin', 'acme', ...service), 'acme', service)).toBe(service[0]);
    expect(notToConfer(having('operator', 'other'), 'acme', service)).toBe(service[0]);
    expect(notToConfer(having('operator', null), 'acme', service)).toBeUndefined();
  });

  it('in a key gives its maker no right that the maker lacks, in any tenant', () => {
    fc.assert(
      fc.property(holder, fc.array(grant, { maxLength: 4 }), scopes, (maker, grants, asked) => {
        if (notToPutInKey(maker, 'acme', { grants }, asked) !== undefined) return;
        for (const where of ['acme', 'other', null]) {
          const own = rightsIn(maker, where);
          expect([...rightsIn({ grants, scopes: asked }, where)].filter((one) => !own.has(one))).toEqual([]);
        }
      }),
    );
  });
});

describe('the roles', () => {
  it('never include a service permission or an access token, but the operator', () => {
    for (const role of ROLE_NAMES.filter((one) => one !== 'operator')) {
      const held = permissionsOf(role);
      expect([role, held.filter(isServicePermission), held.includes('tenants.connections.get_token')]).toEqual([
        role,
        [],
        false,
      ]);
      expect(new Set(held).size).toBe(held.length);
    }
    expect(ROLES.operator.permissions).toEqual(PERMISSIONS);
  });

  it('support, finance and partner write no configuration', () => {
    const acts = ['create_consent_link', 'confirm_consent', 'refresh', 'test', 'get'];
    for (const role of ['support', 'finance', 'partner'] as const) {
      expect(permissionsOf(role).filter((one) => !acts.includes(one.split('.').at(-1) ?? ''))).toEqual([]);
    }
  });
});
