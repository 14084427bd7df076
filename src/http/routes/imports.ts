/** `POST /v2/tenants/{T}/imports`: tokens that another program refreshed so far become connections. */
import { callerOf } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { importAll, toSaveRequests } from '../integrations/imports';
import { languageOf } from '../language';
import { ProblemError } from '../problem';
import { tenantPath } from '../schemas/document';
import { importConnections, importDocument } from '../schemas/import';

const MAX_BYTES = 1024 * 1024;
const STOP_FIRST =
  'Stop the program that refreshes these tokens now, and say so with true: two that refresh one token end the access';

export function importRoutes(app: App, deps: AppDeps): void {
  app.route({
    method: 'POST',
    url: '/tenants/:tenant/imports',
    bodyLimit: MAX_BYTES,
    config: { permission: 'tenants.connections.import', missingAttribute: 422 },
    schema: {
      summary: 'Import tokens that another program refreshed so far',
      params: tenantPath,
      body: importConnections,
      response: { 200: importDocument, 202: importDocument },
    },
    handler: async (request, reply) => {
      const { attributes } = request.body.data;
      const lang = languageOf(request.headers['accept-language']);
      const caller = callerOf(request);
      if (!attributes.dry_run && !attributes.old_refresher_stopped) {
        throw new ProblemError([
          { code: 'MEMBER_INVALID', detail: STOP_FIRST, pointer: '/data/attributes/old_refresher_stopped' },
        ]);
      }
      const saves = await toSaveRequests(attributes, request.params.tenant, lang, caller, deps);
      const entries = await importAll(deps, saves, attributes, caller, lang);
      const { dry_run } = attributes;
      const data = { type: 'import' as const, id: request.id, attributes: { dry_run, entries } };
      return reply.code(dry_run ? 200 : 202).send({ data });
    },
  });
}
