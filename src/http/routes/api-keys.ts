/** `/v2/tenants/{T}/principals/{id}/api-keys`: made for a principal of the tenant, shown once, revoked. */
import { DurableOAuthError } from '../../errors';
import type { Registry } from '../../registry/contract';
import type { ApiKeyRow } from '../../registry/contract-access';
import { toApiKey } from '../access/access-resources';
import { createApiKey } from '../access/api-keys';
import { auditEvent } from '../access/audit';
import { principalOf, type Principal } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { readPage, warningsAbout } from '../paging';
import { ProblemError } from '../problem';
import { notToPutInKey } from '../access/rights';
import { apiKeyList, apiKeyPath, apiKeyQuery, createKey, newKeyDocument } from '../schemas/api-key';
import { noContent, resourcePath } from '../schemas/document';

const PATH = '/tenants/:tenant/principals/:id/api-keys';

interface Owner {
  readonly tenant: string;
  readonly id: string;
}

export function apiKeyRoutes(app: App, { registry }: AppDeps): void {
  app.route({
    method: 'GET',
    url: PATH,
    config: { permission: 'tenants.api_keys.get' },
    schema: { params: resourcePath, querystring: apiKeyQuery, response: { 200: apiKeyList } },
    handler: async ({ params: { tenant, id }, query }) => {
      await findOwner(registry, { tenant, id });
      const path = `/v2/tenants/${tenant}/principals/${id}/api-keys`;
      const { rows, links } = await readPage(path, query, (page) => registry.apiKeys.list(tenant, id, page));
      return { data: rows.map(toApiKey), links, meta: warningsAbout({}) };
    },
  });

  app.route({
    method: 'POST',
    url: PATH,
    config: { permission: 'tenants.api_keys.create' },
    schema: { params: resourcePath, body: createKey, response: { 201: newKeyDocument } },
    handler: async (request, reply) => {
      const { params: owner, body } = request;
      const { scopes, label, expires_at: expiresAt } = body.data.attributes;
      await findOwner(registry, owner);
      refusePast(expiresAt);
      await refuseMoreThanHeld(registry, principalOf(request), owner, scopes);
      const { key, prefix, hash } = createApiKey();
      const made = { tenant: owner.tenant, principal: owner.id, prefix, hash, scopes, label, expiresAt };
      const facts = { principal: owner.id, api_key: prefix, scopes, expires_at: expiresAt };
      const row = await registry.apiKeys.create(made, auditEvent(request, 'api_key.created', facts));
      return reply.code(201).send({ data: withKey(row, key.reveal()) });
    },
  });

  app.route({
    method: 'DELETE',
    url: `${PATH}/:prefix`,
    config: { permission: 'tenants.api_keys.delete' },
    schema: { params: apiKeyPath, response: { 204: noContent } },
    handler: async (request, reply) => {
      const { tenant, id, prefix } = request.params;
      const event = auditEvent(request, 'api_key.revoked', { principal: id, api_key: prefix });
      await registry.apiKeys.revoke(tenant, id, prefix, event);
      return reply.code(204).send(null);
    },
  });
}

/** @throws NOT_FOUND */
async function findOwner({ principals }: Registry, { tenant, id }: Owner): Promise<void> {
  if ((await principals.get(tenant, id)) === undefined) throw new DurableOAuthError('NOT_FOUND');
}

function refusePast(expiresAt: string | undefined): void {
  if (expiresAt === undefined || Date.parse(expiresAt) > Date.now()) return;
  const pointer = '/data/attributes/expires_at';
  throw new ProblemError([{ code: 'MEMBER_INVALID', detail: 'Must be in the future', pointer }]);
}

/** @throws FORBIDDEN, naming the permission */
async function refuseMoreThanHeld(
  { roleGrants }: Registry,
  maker: Principal,
  { tenant, id }: Owner,
  scopes: readonly string[],
): Promise<void> {
  const permission = notToPutInKey(maker, tenant, { grants: await roleGrants.ofPrincipal(tenant, id) }, scopes);
  if (permission === undefined) return;
  const detail = 'A key carries no right that its maker may not hand on';
  throw new ProblemError([{ code: 'FORBIDDEN', detail, pointer: '/data/attributes/scopes', meta: { permission } }]);
}

function withKey(row: ApiKeyRow, key: string) {
  const shown = toApiKey(row);
  return { ...shown, attributes: { ...shown.attributes, key } };
}
