/** `GET /v2/tenants/{T}/connections/{id}/impact`: what a revocation, or access that ends, would stop. */
import { DurableOAuthError } from '../../errors';
import type { App, AppDeps } from '../deps';
import { impactOf } from '../connections/impact';
import { languageOf } from '../language';
import { resourcePath } from '../schemas/document';
import { impactDocument } from '../schemas/impact';

export function impactRoutes(app: App, deps: AppDeps): void {
  app.route({
    method: 'GET',
    url: '/tenants/:tenant/connections/:id/impact',
    config: { permission: 'tenants.connections.get' },
    schema: { params: resourcePath, response: { 200: impactDocument } },
    handler: async (request, reply) => {
      const { tenant, id: connection } = request.params;
      const context = await deps.registry.connections.context({ tenant, connection });
      if (context === undefined) throw new DurableOAuthError('NOT_FOUND');
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      return impactOf(deps, context, lang);
    },
  });
}
