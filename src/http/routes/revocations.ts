/**
 * `POST /v2/tenants/{T}/connections/{id}/revocations`: freeze at once, revoke at the provider (RFC 7009), destroy.
 * Repeatable: a second one answers with what has been done since.
 */
import { describeRevocation } from '../../connection/revocation-text';
import { DurableOAuthError } from '../../errors';
import { callerOf } from '../auth';
import type { App, AppDeps } from '../deps';
import { languageOf } from '../language';
import { appOf, toRevocation } from '../resources';
import { revocationDocument, revoke } from '../schemas/actions';
import { resourcePath } from '../schemas/document';

export function revocationRoutes(app: App, { connections, registry, catalogue }: AppDeps): void {
  app.route({
    method: 'POST',
    url: '/tenants/:tenant/connections/:id/revocations',
    config: { permission: 'tenants.connections.revoke', idempotency: false },
    schema: {
      summary: 'Revoke a connection',
      params: resourcePath,
      body: revoke.nullish(),
      response: { 200: revocationDocument },
    },
    handler: async (request, reply) => {
      const ref = { tenant: request.params.tenant, connection: request.params.id };
      const context = await registry.connections.context(ref);
      if (context === undefined) throw new DurableOAuthError('NOT_FOUND');
      const { fallback } = context.integration.settings.policy;
      const reason = request.body?.data.attributes.reason ?? 'asked by API';
      const tombstone = await connections.revoke(ref, reason, callerOf(request));
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      const said = describeRevocation(
        tombstone,
        appOf(context.integration, catalogue, context.provider),
        fallback,
        lang,
      );
      return { data: toRevocation(ref, tombstone, said) };
    },
  });
}
