/** The redirect URI: takes the provider's answer and sends the browser on, with nothing secret in the URL. */
import { redirectPath } from '../integrations/redirect-uri';
import type { App, AppDeps } from '../deps';

export function callbackPages(app: App, { consents, config }: AppDeps): void {
  const path = redirectPath(config.callbackBase);
  for (const url of [path, `${path.replace(/\/$/, '')}/:contextId`]) {
    app.route({
      method: 'GET',
      url,
      exposeHeadRoute: false,
      config: { public: true },
      handler: async (request, reply) => {
        const { status, location } = await consents.callback(request.url, request.headers.cookie);
        return reply.redirect(location, status);
      },
    });
  }
}
