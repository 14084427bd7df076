import type { Registry } from '../../../src/registry/contract';
import { onlyTenants } from '../../../src/registry/only-tenants';

const row = { state: 'active' };
const registry = {
  connections: { get: () => Promise.resolve(row), context: () => Promise.resolve(row) },
} as unknown as Registry;

it('serves the tenants it was given, and refuses others without asking the registry', async () => {
  const { connections } = onlyTenants(registry, ['acme']);
  const [own, foreign] = [
    { tenant: 'acme', connection: 'cn_1' },
    { tenant: 'other', connection: 'cn_1' },
  ];
  await expect(connections.get(own)).resolves.toBe(row);
  await expect(connections.context(own)).resolves.toBe(row);
  // Not NOT_FOUND: a run that hears it would end, although another worker serves the tenant.
  await expect(connections.get(foreign)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(connections.context(foreign)).rejects.toMatchObject({ code: 'FORBIDDEN' });
});

it('serves all without a list', () => {
  expect(onlyTenants(registry, undefined)).toBe(registry);
});
