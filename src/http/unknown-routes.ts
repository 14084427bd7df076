/** What no route answers: 405 with Allow where another method would be (RFC 9110 section 15.5.6), else 404. */
import type { App } from './deps';
import { sendProblems } from './problems';

interface Known {
  readonly pattern: RegExp;
  readonly method: string;
}

/** Registered before the routes it has to know: those under /v2; pages say nothing to who guesses. */
export function answerUnknownRoutes(app: App): void {
  const known: Known[] = [];
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.permission === undefined && !url.startsWith('/v2/')) return;
    const pattern = new RegExp(`^${url.replace(/:\w+/g, '[^/]+')}/?$`);
    known.push(...[method].flat().map((one) => ({ pattern, method: one })));
  });
  // Not a handler: those come after the body, which nobody will read.
  app.addHook('preParsing', async (request, reply) => {
    if (!request.is404) return undefined;
    const path = request.url.split('?')[0] ?? '';
    const allowed = known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    if (allowed.length === 0) return sendProblems(request, reply, 404, [{ code: 'NOT_FOUND' }]);
    reply.header('allow', [...new Set(allowed)].sort().join(', '));
    return sendProblems(request, reply, 405, [{ code: 'METHOD_NOT_ALLOWED' }]);
  });
}
