/** What the tests of tenants, principals, keys and grants send. */
import { call, type TestApp } from './support';

export interface Made {
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** POST that must make something. */
export async function make(t: TestApp, auth: string, path: string, data: unknown): Promise<Made> {
  const answer = await call(t, 'POST', path, { auth, body: { data } });
  expect([path, answer.statusCode, answer.statusCode === 201 ? '' : answer.body]).toEqual([path, 201, '']);
  return answer.json().data;
}

export const principal = (email: string, kind?: string): unknown => ({
  type: 'principal',
  attributes: { email, kind },
});

export const roleGrant = (principalId: string, attributes: unknown): unknown => ({
  type: 'role-grant',
  attributes,
  relationships: { principal: { data: { type: 'principal', id: principalId } } },
});

export const apiKey = (scopes: readonly string[], more: object = {}): unknown => ({
  type: 'api-key',
  attributes: { scopes, ...more },
});

/** A service account of the tenant with a key; `auth` is its Authorization header. */
export async function makeAccount(
  t: TestApp,
  admin: string,
  tenant: string,
  email: string,
  scopes: readonly string[],
): Promise<{ id: string; prefix: string; auth: string }> {
  const path = `/v2/tenants/${tenant}/principals`;
  const { id } = await make(t, admin, path, principal(email, 'service_account'));
  const { id: prefix, attributes } = await make(t, admin, `${path}/${id}/api-keys`, apiKey(scopes));
  return { id, prefix, auth: `Bearer ${String(attributes['key'])}` };
}

export async function eventsOf(t: TestApp, tenant: string): Promise<{ type: string; by: string; facts: unknown }[]> {
  const rows = await t.registry.events.list(tenant, undefined, { size: 1000 });
  return rows.map(({ type, by, facts }) => ({ type, by, facts }));
}
