/** `POST /v2/tenants/{T}/connections/{id}/consent-links`: a link that lets a person grant access, or renew it. */
import { DurableOAuthError } from '../../errors';
import { callerOf, principalOf } from '../access/auth';
import { confirmerHashOf, createConsentLink } from '../connections/consent-links';
import type { App, AppDeps } from '../deps';
import { consentLinkDocument, createConsentLink as body, type ConsentLinkAttributes } from '../schemas/consent-link';
import { resourcePath } from '../schemas/document';

export function consentLinkRoutes(app: App, deps: AppDeps): void {
  app.route({
    method: 'POST',
    url: '/tenants/:tenant/connections/:id/consent-links',
    config: { permission: 'tenants.connections.create_consent_link' },
    schema: { params: resourcePath, body: body.nullish(), response: { 201: consentLinkDocument } },
    handler: async (request, reply) => {
      const ref = { tenant: request.params.tenant, connection: request.params.id };
      const context = await deps.registry.connections.context(ref);
      // One whose integration was deleted is never connected again.
      if (context === undefined || context.unusable === 'integration_gone') throw new DurableOAuthError('NOT_FOUND');
      const { grant_type } = context.integration.settings;
      if (grant_type !== 'authorization_code') {
        throw new DurableOAuthError('MEMBER_INVALID', 'This connection needs nobody to consent', { grant_type });
      }
      const asked: ConsentLinkAttributes = request.body?.data.attributes ?? { mode: 'link' };
      const confirmerHash = await confirmerHashOf(deps.consents, ref, principalOf(request), asked);
      const data = await createConsentLink(deps, ref, callerOf(request), { ...asked, confirmerHash });
      return reply.code(201).send({ data });
    },
  });
}
