import fc from 'fast-check';
import { permits, PERMISSIONS } from '../../../src/http/access/permissions';

const permission = fc.constantFrom(...PERMISSIONS);

describe('permissions', () => {
  it('cover what they name, and what their stars stand for', () => {
    expect(permits(['tenants.connections.get'], 'tenants.connections.get')).toBe(true);
    expect(permits(['tenants.*.get'], 'tenants.connections.get')).toBe(true);
    expect(permits(['tenants.*'], 'tenants.connections.get')).toBe(true);
    expect(permits(['*'], 'tenants.connections.get')).toBe(true);
  });

  it.each([
    [[]],
    [['']],
    [['tenants']],
    [['tenants.connections']],
    [['tenants.connections.get.more']],
    [['tenants.connections.get.*']],
    [['tenants.connections.g*']],
    [['*.get']],
    [['Tenants.connections.get']],
  ])('%j does not cover another', (held) => {
    expect(permits(held, 'tenants.connections.get')).toBe(false);
  });

  it('without a star cover nothing but themselves', () => {
    fc.assert(fc.property(permission, permission, (held, asked) => permits([held], asked) === (held === asked)));
  });

  it('are never lost by holding more', () => {
    const held = fc.array(fc.oneof(permission, fc.constant('tenants.*'), fc.string()));
    fc.assert(
      fc.property(
        held,
        fc.string(),
        permission,
        (some, more, asked) => !permits(some, asked) || permits([...some, more], asked),
      ),
    );
  });
});
