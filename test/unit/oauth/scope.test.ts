import { missingScope } from '../../../src/oauth/scope';

describe('the missing scope', () => {
  it.each([
    ['read write', 'read', true, 'write'],
    ['read write', 'write read', true, ''],
    ['read write', '', false, 'read write'],
    ['', 'anything', true, ''],
    ['read offline_access', 'read', true, ''],
    ['read offline_access', 'read', false, 'offline_access'],
  ])('of "%s" needed and "%s" granted (refreshable: %s) is "%s"', (needed, granted, refreshable, missing) => {
    expect(missingScope(needed, granted, refreshable)).toBe(missing);
  });
});
