/** `/v2/tenants/{T}/integrations`: save (validate, store, register), list, read, change, delete. */
import { DurableOAuthError } from '../../errors';
import { displayName } from '../../providers/resolve';
import type { IntegrationAndSecret } from '../../registry/contract';
import { callerOf, demand } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { changeSettings, metaOfChange } from '../integrations/change-integration';
import { deleteIntegration } from '../integrations/delete-integration';
import { requireMatch } from '../etag';
import { languageOf } from '../language';
import { readPage, warningsAbout } from '../paging';
import { failedSave, refuseTaken, RUNNING_RETRY_AFTER_SECONDS, savedAnswer, toSaveRequest } from '../integrations/save';
import { expectSameId } from '../same-id';
import { noContent, resourcePath, tenantPath } from '../schemas/document';
import {
  changedDocument,
  changeIntegration,
  integrationDocument,
  integrationList,
  integrationQuery,
  runningDocument,
  savedDocument,
  saveIntegration,
} from '../schemas/integration';
import { toIntegration } from '../integrations/integration-resource';
import { integrationPath } from '../paths';

const PATH = '/tenants/:tenant/integrations';
const running = (integration: string): { meta: { status: 'saving'; integration: string } } => ({
  meta: { status: 'saving', integration },
});

export function integrationRoutes(app: App, deps: AppDeps): void {
  const { connections, registry } = deps;

  const shown = async (row: IntegrationAndSecret): Promise<ReturnType<typeof toIntegration>> => {
    const own = await registry.connections.list(row.tenant, { size: 10 }, { integration: row.id });
    const ids = own.map((connection) => connection.id);
    return toIntegration(row, ids);
  };

  app.route({
    method: 'POST',
    url: PATH,
    config: { permission: 'tenants.integrations.create', missingAttribute: 422 },
    schema: { params: tenantPath, body: saveIntegration, response: { 201: savedDocument, 202: runningDocument } },
    handler: async (request, reply) => {
      const lang = languageOf(request.headers['accept-language']);
      const caller = callerOf(request);
      const { save, preset } = await toSaveRequest(request.body, request.params.tenant, lang, caller, deps);
      await refuseTaken(deps, save);
      const outcome = await connections.save(save, callerOf(request));
      if (outcome.kind === 'failed') throw failedSave(outcome, displayName(save.settings, preset), lang);
      reply.header('location', integrationPath(save.tenant, save.integration));
      if (outcome.kind === 'saved') {
        return reply.code(201).send(await savedAnswer(deps, save, outcome.connection, callerOf(request)));
      }
      return reply.code(202).header('retry-after', RUNNING_RETRY_AFTER_SECONDS).send(running(save.integration));
    },
  });

  app.route({
    method: 'GET',
    url: PATH,
    config: { permission: 'tenants.integrations.get' },
    schema: { params: tenantPath, querystring: integrationQuery, response: { 200: integrationList } },
    handler: async ({ params: { tenant }, query }) => {
      const customerReference = query['filter[tenant_id]'] || undefined;
      const preset = query['filter[provider]'] || undefined;
      const { rows, links } = await readPage(`/v2/tenants/${tenant}/integrations`, query, (page) =>
        registry.integrations.list(tenant, page, { customerReference, preset }),
      );
      return { data: rows.map((row) => toIntegration(row)), links, meta: warningsAbout(query) };
    },
  });

  app.route({
    method: 'GET',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.integrations.get', conditional: true, failures: [409, 422, 502] },
    schema: { params: resourcePath, response: { 200: integrationDocument, 202: runningDocument } },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      const row = await registry.integrations.get(tenant, id);
      if (row) return { data: await shown(row) };
      // Deleted: what a save of it did is over.
      if (await registry.integrations.isTaken(tenant, id)) throw new DurableOAuthError('NOT_FOUND');
      const save = await connections.saveStatus(tenant, id);
      if (save?.kind === 'failed') throw failedSave(save, undefined, languageOf(request.headers['accept-language']));
      if (save?.kind !== 'running') throw new DurableOAuthError('NOT_FOUND');
      return reply.code(202).header('retry-after', RUNNING_RETRY_AFTER_SECONDS).send(running(id));
    },
  });

  app.route({
    method: 'PATCH',
    url: `${PATH}/:id`,
    config: {
      permission: 'tenants.integrations.edit',
      besides: ['tenants.integrations.edit_endpoints', 'tenants.oauth_clients.edit'],
    },
    schema: {
      params: resourcePath,
      body: changeIntegration,
      response: { 200: changedDocument, 202: runningDocument },
    },
    handler: async (request, reply) => {
      const { params, body } = request;
      expectSameId(body, params.id);
      const changed = await changeSettings(deps, params, body.data.attributes, {
        caller: callerOf(request),
        lang: languageOf(request.headers['accept-language']),
        demand: (permission) => demand(request, permission),
        match: async (row) => void requireMatch(request, await shown(row)),
      });
      if (changed === undefined) {
        reply.header('location', integrationPath(params.tenant, params.id));
        return reply.code(202).header('retry-after', RUNNING_RETRY_AFTER_SECONDS).send(running(params.id));
      }
      // What follows need not be waited for, and is not lost when nobody does.
      void deps.effects.drain().catch(() => undefined);
      return { data: await shown(changed.row), meta: metaOfChange(changed) };
    },
  });

  app.route({
    method: 'DELETE',
    url: `${PATH}/:id`,
    config: { permission: 'tenants.integrations.delete' },
    schema: { params: resourcePath, response: { 204: noContent } },
    handler: async (request, reply) => {
      await deleteIntegration(deps, request.params, callerOf(request));
      return reply.code(204).send(null);
    },
  });
}
