/** `POST /v2/tenants/{T}/connections/{id}/tests`: one harmless request through the connection, its outcome in words. */
import { describeTest, testConnection } from '../../client/test-connection';
import { DurableOAuthError } from '../../errors';
import { callerOf } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { languageOf } from '../language';
import { resourcePath } from '../schemas/document';
import { appOf } from '../integrations/integration-resource';
import { connectionPath } from '../paths';
import { test, testDocument } from '../schemas/test';

const PER_MINUTE = 30;

/** None where token routes are off. */
export function testRoutes(app: App, deps: AppDeps): void {
  const { registry, catalogue, tokens, apiCaller: api, authorizationServer, config } = deps;
  if (!config.tokenRoutes || tokens === undefined || api === undefined || authorizationServer === undefined) return;
  const ports = { tokens, api, authorizationServer, catalogue };
  app.route({
    method: 'POST',
    url: '/tenants/:tenant/connections/:id/tests',
    config: { permission: 'tenants.connections.test', rateLimit: { max: PER_MINUTE, timeWindow: '1 minute' } },
    schema: {
      summary: 'Test a connection: one harmless question, and the outcome in words',
      params: resourcePath,
      body: test.nullish(),
      response: { 200: testDocument },
    },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      const context = await registry.connections.context({ tenant, connection: id });
      if (context === undefined) throw new DurableOAuthError('NOT_FOUND');
      const { outcome, asked, httpStatus: http_status, code } = await testConnection(ports, context);
      const facts = { outcome, asked, http_status, code };
      await registry.events.append(tenant, id, { type: 'connection.tested', ...callerOf(request), facts });
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      const text = describeTest(outcome, appOf(context.integration, catalogue, context.provider), lang);
      const relationships = { connection: { links: { related: connectionPath(tenant, id) } } };
      return { data: { type: 'test' as const, id: request.id, attributes: { ...facts, text }, relationships } };
    },
  });
}
