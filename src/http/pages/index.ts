/** The public pages, in one scope: forms in, HTML out, headers of oauth.md 6. */
import fastifyFormbody from '@fastify/formbody';
import { ERRORS, isDurableOAuthError } from '../../errors';
import type { App, AppDeps } from '../deps';
import { languageOf } from '../language';
import { problemsOf } from '../problems';
import { statusOf } from '../problem';
import { callbackPages } from './callback';
import { confirmPages } from './confirm';
import { saying, sendPage } from './page';
import { busyPage, deadLinkPage, neutralPage } from './problem';
import { startPages } from './start';

export function pages(app: App, deps: AppDeps): void {
  app.removeAllContentTypeParsers();
  app.register(fastifyFormbody, { bodyLimit: 16 * 1024 });
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.setErrorHandler((error, request, reply) => {
    const said = saying(languageOf(request.headers['accept-language']), deps.config.brand);
    if (isDurableOAuthError(error, 'NOT_FOUND')) return sendPage(reply, 404, said, deadLinkPage(said));
    const status = Math.min(...problemsOf(error, request).map(statusOf));
    if (status < ERRORS.INTERNAL.status) return sendPage(reply, status, said, neutralPage(said));
    if (status === 503) reply.header('retry-after', 30);
    return sendPage(reply, status, said, busyPage(said, request.id));
  });
  startPages(app, deps);
  callbackPages(app, deps);
  confirmPages(app, deps);
}
