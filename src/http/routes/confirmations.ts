/**
 * `POST /v2/tenants/{T}/connections/{id}/confirmations`: the application that a browser was sent on to says whose consent it
 * was (modes `session` and `handback`). A right code from another confirmer ends the consent: 409; one that lacks the end user
 * of a `handback`, or names one in a `session`, changes nothing: 422. Repeatable: a second request answers with the same outcome.
 */
import { DurableOAuthError } from '../../errors';
import { callerOf, principalOf } from '../access/auth';
import { failedConfirmation, otherMode, toConfirmation } from '../connections/confirmation';
import type { App, AppDeps } from '../deps';
import { languageOf } from '../language';
import { confirmationDocument, createConfirmation } from '../schemas/confirmation';
import { resourcePath } from '../schemas/document';

const RETRY_AFTER_SECONDS = 2;

export function confirmationRoutes(app: App, { consents, registry }: AppDeps): void {
  app.route({
    method: 'POST',
    url: '/tenants/:tenant/connections/:id/confirmations',
    config: { permission: 'tenants.connections.confirm_consent', idempotency: false },
    schema: {
      summary: 'Confirm a consent of a connection',
      params: resourcePath,
      body: createConfirmation,
      response: { 201: confirmationDocument, 202: confirmationDocument },
    },
    handler: async (request, reply) => {
      const ref = { tenant: request.params.tenant, connection: request.params.id };
      if ((await registry.connections.get(ref)) === undefined) throw new DurableOAuthError('NOT_FOUND');
      const { consent, confirmation_code: code, end_user_id: endUserId } = request.body.data.attributes;
      const confirmer = endUserId === undefined ? { principal: principalOf(request) } : { endUserId };
      const confirmation = { ref, consent, code, confirmer };
      const reading = await consents.confirmFor(confirmation, callerOf(request)).catch(otherMode);
      if (reading === undefined) throw new DurableOAuthError('NOT_FOUND', 'No consent waits for this code');
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      if (reading.stage === 'failed') throw failedConfirmation(reading, lang);
      const connected = reading.stage === 'connected';
      if (!connected) reply.header('retry-after', RETRY_AFTER_SECONDS);
      return reply.code(connected ? 201 : 202).send({ data: toConfirmation(ref, consent, reading) });
    },
  });
}
