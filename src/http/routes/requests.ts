/** `POST /v2/tenants/{T}/connections/{id}/requests`: an authorised request to the API behind the connection. */
import { bodyOf, callApi, shownHeaders, written, type ApiCall, type ApiPorts } from '../../client/call-api';
import type { Fact } from '../../connection/types';
import { isDurableOAuthError } from '../../errors';
import type { ApiAnswer } from '../../oauth/contract';
import type { App, AppDeps } from '../deps';
import { ProblemError } from '../problem';
import { resourcePath } from '../schemas/document';
import { responseDocument, sendRequest, type RequestAttributes, type ResponseAttributes } from '../schemas/request';

const MAX_BYTES = 1024 * 1024;
const HTTP_MS = 30_000;
/** A client waits for the token, the answer and, after a refused token, both again. */
const BUDGET_MS = 60_000;

/** None where token routes are off. */
export function requestRoutes(app: App, { catalogue, registry, tokens, apiCaller, config }: AppDeps): void {
  if (!config.tokenRoutes || tokens === undefined || apiCaller === undefined) return;
  const ports: ApiPorts = { tokens, api: apiCaller, connections: registry.connections, catalogue };
  app.route({
    method: 'POST',
    url: '/tenants/:tenant/connections/:id/requests',
    bodyLimit: MAX_BYTES,
    config: { permission: 'tenants.connections.request', idempotency: false },
    schema: {
      summary: 'Send an authorised request to the API behind a connection',
      params: resourcePath,
      body: sendRequest,
      response: { 200: responseDocument },
    },
    handler: async (request) => {
      const { tenant, id } = request.params;
      const call = callOf(request.body.data.attributes);
      const answer = await callApi(ports, { tenant, connection: id }, call).catch(pointAtPath);
      const attributes = toAttributes(answer);
      return { data: { type: 'request' as const, id: request.id, attributes } };
    },
  });
}

function callOf({ idempotency_key: idempotencyKey, ...asked }: RequestAttributes): ApiCall {
  const limits = { timeoutMs: HTTP_MS, budgetMs: BUDGET_MS, maxBytes: MAX_BYTES };
  const { method, path, query, headers } = asked;
  // Read from JSON, so it is a fact.
  const body = asked.body as Fact;
  return { method, path, query, idempotencyKey, ...written({ method, headers, body, idempotencyKey }), ...limits };
}

function pointAtPath(error: unknown): never {
  if (!isDurableOAuthError(error, 'ORIGIN_NOT_ALLOWED')) throw error;
  throw new ProblemError([{ code: error.code, detail: error.message, pointer: '/data/attributes/path' }]);
}

const toAttributes = (answer: ApiAnswer): ResponseAttributes => ({
  status: answer.status,
  headers: shownHeaders(answer),
  body: bodyOf(answer),
});
