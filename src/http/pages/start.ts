/** `/oauth/start/{link}`: who asks for what; a POST starts one attempt. A GET changes nothing, so previews cannot use a link up. */
import { z } from 'zod';
import { sha256 } from '../../client/cookies';
import type { SetCookie } from '../../client/contract';
import type { ConsentLinkRow, ConnectionContext } from '../../registry/contract';
import { minute, plain, wordReason } from '../../connection/wording';
import { DurableOAuthError } from '../../errors';
import type { App, AppDeps } from '../deps';
import { languageOf } from '../language';
import { markup } from './html';
import { saying, sendPage, type Page, type Said } from './page';
import { permissionList } from './parts';
import { problemPage } from './problem';
import { appOf } from '../integrations/integration-resource';

const MAX_ATTEMPTS = 10;
const params = z.object({ link: z.string() });

interface Offer {
  readonly link: ConsentLinkRow;
  readonly context: ConnectionContext;
  readonly app: string;
  readonly tenant: string;
}

export function startPages(app: App, deps: AppDeps): void {
  const { consents, config } = deps;

  app.route({
    method: 'GET',
    url: '/oauth/start/:link',
    config: { public: true },
    schema: { params },
    handler: async (request, reply) => {
      const said = saying(languageOf(request.headers['accept-language']), config.brand);
      const offer = await offerOf(deps, request.params.link);
      const expired = Date.parse(offer.link.expiresAt) <= Date.now();
      return sendPage(reply, expired ? 410 : 200, said, expired ? expiredPage(said, offer) : startPage(said, offer));
    },
  });

  app.route({
    method: 'POST',
    url: '/oauth/start/:link',
    config: { public: true },
    schema: { params },
    handler: async (request, reply) => {
      // A page of somebody else must not press the button unseen. Our own form sends no Origin (no-referrer).
      if ((request.headers['sec-fetch-site'] ?? 'same-origin') !== 'same-origin')
        throw new DurableOAuthError('NOT_FOUND');
      const lang = languageOf(request.headers['accept-language']);
      const { location, cookie } = await consents.begin(request.params.link, lang);
      return reply.header('set-cookie', cookieText(cookie)).redirect(location, 303);
    },
  });
}

/** Sent back on the redirect from the provider, which is a navigation from another site: SameSite=Lax, not Strict. */
function cookieText({ name, value, maxAgeSeconds, secure }: SetCookie): string {
  return `${name}=${value}; Max-Age=${maxAgeSeconds}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
}

/** @throws NOT_FOUND for a link that starts nothing and never will */
async function offerOf(deps: AppDeps, token: string): Promise<Offer> {
  const { registry, catalogue } = deps;
  const link = await registry.consentLinks.findByHash(sha256(token));
  if (link === undefined || link.completedAt !== null || link.attempts >= MAX_ATTEMPTS)
    throw new DurableOAuthError('NOT_FOUND');
  const context = await registry.connections.context({ tenant: link.tenant, connection: link.connection });
  if (context === undefined) throw new DurableOAuthError('NOT_FOUND');
  const tenant = await registry.tenants.get(link.tenant);
  return {
    link,
    context,
    app: plain(appOf(context.integration, catalogue, context.provider)),
    tenant: plain(tenant?.name ?? link.tenant),
  };
}

function startPage({ say }: Said, { link, context, app, tenant }: Offer): Page {
  const { scope, redirect_uri } = context.integration.settings;
  // In mode `link` the person comes back to us first, to confirm.
  const onward = link.mode === 'link' || link.returnTo === null ? undefined : plain(new URL(link.returnTo).host);
  return {
    title: say('startTitle', { app }),
    leaves: true,
    body: markup`<p>${say('startLead', { app, tenant, requester: plain(link.createdBy) })}</p>
      <h2>${say('permissions')}</h2>
      ${permissionList(scope, say('permissionsLead', { app }), say('noPermissions'))}
      <p>${say('startPassword', { app, host: hostOf(context) })}</p>
      ${onward === undefined ? undefined : markup`<p>${say('startOnward', { next: onward })}</p>`}
      <form method="post"><button type="submit">${say('startButton', { app })}</button></form>
      <div class="aside">
        <p>${say('linkExpires', { until: minute(link.expiresAt) })}</p>
        <label for="redirect-uri">${say('uriLabel')}</label>
        <input id="redirect-uri" readonly value="${redirect_uri}" aria-describedby="redirect-uri-hint" />
        <p id="redirect-uri-hint">${say('uriHint', { app })}</p>
      </div>`,
  };
}

/** Where the button leads, whatever the integration is called. */
function hostOf({ integration }: ConnectionContext): string | undefined {
  const { authorization } = integration.settings.endpoints;
  return authorization === undefined ? undefined : plain(new URL(authorization).host);
}

function expiredPage(said: Said, { link, app }: Offer): Page {
  const values = { app, expired_on: minute(link.expiresAt) };
  return problemPage(said, wordReason('CONSENT_NOT_COMPLETED', said.lang, values, { detail: 'expired' }), values);
}
