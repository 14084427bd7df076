/**
 * `POST /v2/tenants/{T}/connections/{id}/revocations`: freeze at once, revoke at the provider (RFC 7009), destroy.
 * Repeatable: a second one answers with what has been done since. With `?preview=true` nothing is done, and the answer is
 * the impact it would have.
 */
import { z } from 'zod';
import { describeRevocation } from '../../connection/revocation-text';
import { DurableOAuthError } from '../../errors';
import { callerOf } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { impactOf } from '../connections/impact';
import { languageOf } from '../language';
import { resourcePath } from '../schemas/document';
import { impactDocument } from '../schemas/impact';
import { toRevocation } from '../connections/revocation-resource';
import { appOf } from '../integrations/integration-resource';
import { revocationDocument, revocationQuery, revoke } from '../schemas/revocation';

export function revocationRoutes(http: App, deps: AppDeps): void {
  const { connections, registry, catalogue } = deps;
  http.route({
    method: 'POST',
    url: '/tenants/:tenant/connections/:id/revocations',
    config: { permission: 'tenants.connections.revoke', idempotency: false },
    schema: {
      summary: 'Revoke a connection',
      params: resourcePath,
      querystring: revocationQuery,
      body: revoke.nullish(),
      response: { 200: z.union([revocationDocument, impactDocument]) },
    },
    handler: async (request, reply) => {
      const ref = { tenant: request.params.tenant, connection: request.params.id };
      const context = await registry.connections.context(ref);
      if (context === undefined) throw new DurableOAuthError('NOT_FOUND');
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      if (request.query.preview === 'true') return impactOf(deps, context, lang);
      const { fallback } = context.integration.settings.policy;
      const caller = callerOf(request);
      const reason = request.body?.data.attributes.reason ?? caller.auditReason ?? 'asked by API';
      const tombstone = await connections.revoke(ref, reason, caller);
      const app = appOf(context.integration, catalogue, context.provider);
      const said = describeRevocation(tombstone, app, fallback, lang);
      return { data: toRevocation(ref, tombstone, said) };
    },
  });
}
