/** `/v2/tenants/{T}/oauth-clients`: the OAuth client a tenant has for a component (seed 002). The secret is write-only. */
import { newId } from '../../client/connections';
import { DurableOAuthError, isDurableOAuthError } from '../../errors';
import type { ComponentClientRow } from '../../registry/contract-platform';
import { callerOf } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { requireMatch } from '../etag';
import {
  audienceFor,
  componentFor,
  endOAuthClient,
  refuseLegacy,
  saveOAuthClient,
  usedProblem,
  warningsFor,
} from '../components/oauth-clients';
import { warningsAbout } from '../paging';
import { ProblemError } from '../problem';
import { expectSameId } from '../same-id';
import { noContent, resourcePath, tenantPath } from '../schemas/document';
import {
  changeOAuthClient,
  createOAuthClient,
  oauthClientDocument,
  oauthClientList,
  oauthClientQuery,
  savingOAuthClient,
} from '../schemas/oauth-client';
import { toOAuthClient } from '../components/oauth-client-resource';
import { oauthClientPath } from '../paths';

const PATH = '/tenants/:tenant/oauth-clients';
const RETRY_AFTER_SECONDS = 5;
const saving = (id: string): { meta: { status: 'saving'; oauth_client: string } } => ({
  meta: { status: 'saving', oauth_client: id },
});

export function oauthClientRoutes(app: App, deps: AppDeps): void {
  const { registry, config } = deps;

  const known = async (tenant: string, id: string): Promise<ComponentClientRow> => {
    const row = await registry.oauthClients.getForComponent(tenant, id);
    if (row === undefined || row.legacy) throw new DurableOAuthError('NOT_FOUND');
    return row;
  };
  const shown = async (tenant: string, id: string): Promise<ReturnType<typeof toOAuthClient>> =>
    toOAuthClient(await known(tenant, id));

  app.route({
    method: 'POST',
    url: PATH,
    config: { permission: 'tenants.oauth_clients.create' },
    schema: {
      params: tenantPath,
      body: createOAuthClient,
      response: { 201: oauthClientDocument, 202: savingOAuthClient },
    },
    handler: async (request, reply) => {
      const { tenant } = request.params;
      const { data } = request.body;
      const component = await componentFor(registry, tenant, data.relationships.component.data.id);
      refuseLegacy(component);
      const id = data.id ?? newId('oc');
      if ((await registry.oauthClients.get(tenant, id)) !== undefined) {
        throw new ProblemError([
          { code: 'ALREADY_EXISTS', detail: 'An OAuth client has this id', pointer: '/data/id' },
        ]);
      }
      const { client_id: clientId, client_secret: clientSecret } = data.attributes;
      const audience = audienceFor(component, config.allowPrivateNetworks);
      const save = { tenant, client: id, component: component.id, clientId, clientSecret, audience, legacy: false };
      const outcome = await saveOAuthClient(deps, { ...save, update: false }, callerOf(request));
      reply.header('location', oauthClientPath(tenant, id));
      if (outcome === 'running') return reply.code(202).header('retry-after', RETRY_AFTER_SECONDS).send(saving(id));
      const warnings = warningsFor(request.body, component);
      const meta = warnings.length > 0 ? { warnings } : undefined;
      return reply.code(201).send({ data: await shown(tenant, id), meta });
    },
  });

  app.route({
    method: 'GET',
    url: PATH,
    config: { permission: 'tenants.oauth_clients.get' },
    schema: { params: tenantPath, querystring: oauthClientQuery, response: { 200: oauthClientList } },
    handler: async ({ params: { tenant }, query }) => {
      const component = query['filter[component]'] || undefined;
      const rows = await registry.oauthClients.listForComponents(tenant, { component });
      return { data: rows.map(toOAuthClient), meta: warningsAbout(query) };
    },
  });

  app.route({
    method: 'GET',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.oauth_clients.get', conditional: true },
    schema: { params: resourcePath, response: { 200: oauthClientDocument } },
    handler: async ({ params: { tenant, id } }) => ({ data: await shown(tenant, id) }),
  });

  app.route({
    method: 'PATCH',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.oauth_clients.edit' },
    schema: {
      params: resourcePath,
      body: changeOAuthClient,
      response: { 200: oauthClientDocument, 202: savingOAuthClient },
    },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      const { data } = request.body;
      const before = await known(tenant, id);
      const { secretId, suspendedAt } = before;
      const base = requireMatch(request, toOAuthClient(before)) ? { secretId, suspendedAt } : undefined;
      expectSameId(request.body, id);
      const component = await componentFor(registry, tenant, data.relationships.component.data.id);
      const { client_id: clientId, client_secret: clientSecret } = data.attributes;
      const audience = audienceFor(component, config.allowPrivateNetworks);
      const save = { tenant, client: id, component: component.id, clientId, clientSecret, audience, legacy: false };
      try {
        const outcome = await saveOAuthClient(deps, { ...save, update: true, base }, callerOf(request));
        if (outcome === 'running') {
          reply.header('location', oauthClientPath(tenant, id)).header('retry-after', RETRY_AFTER_SECONDS);
          return await reply.code(202).send(saving(id));
        }
      } catch (error) {
        if (isDurableOAuthError(error, 'IN_USE')) throw await usedProblem(registry, tenant, id);
        throw error;
      }
      return { data: await shown(tenant, id) };
    },
  });

  app.route({
    method: 'DELETE',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.oauth_clients.delete' },
    schema: { params: resourcePath, response: { 204: noContent } },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      await known(tenant, id);
      await endOAuthClient(deps, tenant, id, callerOf(request));
      return reply.code(204).send(null);
    },
  });
}
