/** `POST /v2/tenants/{T}/connections/{id}/requests`: an authorised request to the API behind the connection. */
import type { TokenReader } from '../../client/contract';
import type { ApiCaller } from '../../oauth/contract';
import { sendAuthorised } from '../authorised-request';
import type { App, AppDeps } from '../deps';
import { responseDocument, sendRequest } from '../schemas/actions';
import { resourcePath } from '../schemas/document';

const BODY_LIMIT = 1024 * 1024;

export function requestRoutes(
  app: App,
  { catalogue, registry }: AppDeps,
  tokens: TokenReader,
  apiCaller: ApiCaller,
): void {
  app.route({
    method: 'POST',
    url: '/tenants/:tenant/connections/:id/requests',
    bodyLimit: BODY_LIMIT,
    config: { permission: 'tenants.connections.request' },
    schema: { params: resourcePath, body: sendRequest, response: { 200: responseDocument } },
    handler: async (request) => {
      const { tenant, id } = request.params;
      const ask = request.body.data.attributes;
      const attributes = await sendAuthorised(
        { tokens, apiCaller, catalogue, connections: registry.connections },
        { tenant, connection: id },
        ask,
      );
      return { data: { type: 'request' as const, id: request.id, attributes } };
    },
  });
}
