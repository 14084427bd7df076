/** `POST /v2/tenants/{T}/connections/{id}/refreshes`: a newer access token now, if one may be had; never shown. */
import { healthOfRow } from '../../client/connections';
import { describeRefresh, refreshOutcome } from '../../connection/refresh-outcome';
import { DurableOAuthError } from '../../errors';
import { callerOf } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { languageOf } from '../language';
import { resourcePath } from '../schemas/document';
import { appOf } from '../integrations/integration-resource';
import { connectionPath } from '../paths';
import { refresh, refreshDocument } from '../schemas/refresh';

const PER_MINUTE = 60;

export function refreshRoutes(app: App, { connections, registry, catalogue }: AppDeps): void {
  app.route({
    method: 'POST',
    url: '/tenants/:tenant/connections/:id/refreshes',
    config: { permission: 'tenants.connections.refresh', rateLimit: { max: PER_MINUTE, timeWindow: '1 minute' } },
    schema: {
      summary: 'Refresh a connection now',
      params: resourcePath,
      body: refresh.nullish(),
      response: { 200: refreshDocument },
    },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      const ref = { tenant, connection: id };
      const before = await registry.connections.context(ref);
      if (before === undefined) throw new DurableOAuthError('NOT_FOUND');
      const { connection: row } = before;
      if (row.frozenAt !== null) throw new DurableOAuthError('NOT_CONNECTED', 'The connection was revoked');
      const ask = { generation: row.generation, why: 'asked' } as const;
      const caller = callerOf(request);
      // Before it is asked: what happened and cannot be told would be answered as if it had not.
      const facts = { generation: row.generation };
      await registry.events.append(tenant, id, { type: 'connection.refresh_asked', ...caller, facts });
      const answer = await connections.ensureFresh(ref, ask, caller);
      const outcome = refreshOutcome(row.generation, answer, new Date());
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      const health = healthOfRow((await registry.connections.context(ref)) ?? before, catalogue, lang);
      const attributes = {
        outcome,
        text: describeRefresh(outcome, appOf(before.integration, catalogue, before.provider), answer.expiresAt, lang),
        title: health.title,
        next_action: health.nextAction,
        state: answer.state,
        generation: answer.generation,
        expires_at: answer.expiresAt,
        next_attempt_at: answer.nextAttemptAt ?? null,
      };
      const relationships = { connection: { links: { related: connectionPath(tenant, id) } } };
      return { data: { type: 'refresh' as const, id, attributes, relationships } };
    },
  });
}
