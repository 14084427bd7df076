/**
 * `GET /v2/workspaces/{W}/secrets/{id}` and `POST …/refresh`, as components of elastic.io call them: a workspace is a
 * tenant, a secret one of its connections. Own permission, audited, rate limited per API key, never cached. Neither a
 * refresh token nor an id token is in the answer. Off unless ELASTICIO_SECRETS is on.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { SECOND } from '../../connection/clocks';
import type { ConnectionRef } from '../../connection/types';
import { DurableOAuthError, isDurableOAuthError } from '../../errors';
import type { ConnectionContext } from '../../registry/contract';
import { callerOf } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { languageOf } from '../language';
import { resourcePath } from '../schemas/document';
import { brokenSecret, readySecret } from '../connections/workspace-secret';
import { recordReading, SECRET_PATH, TOKENS_PER_MINUTE } from './access-token';
import { secretDocument } from '../schemas/workspace-secret';

/** Components hang up after 10 s, and a refresh has had up to 3 of them. */
const READ_WITHIN_MS = 5 * SECOND;

/** None where they, or token routes, are off. */
export function workspaceSecretRoutes(app: App, { connections, registry, tokens, catalogue, config }: AppDeps): void {
  if (!config.elasticioSecrets || !config.tokenRoutes || tokens === undefined) return;
  const limits = {
    permission: 'tenants.connections.get_token',
    rateLimit: { max: TOKENS_PER_MINUTE, timeWindow: '1 minute' },
  } as const;
  const schema = { params: resourcePath, response: { 200: secretDocument } };
  const refOf = ({ tenant, id }: z.output<typeof resourcePath>): ConnectionRef => ({ tenant, connection: id });

  const contextOf = async (ref: ConnectionRef): Promise<ConnectionContext> => {
    const context = await registry.connections.context(ref);
    if (context === undefined) throw new DurableOAuthError('NOT_FOUND');
    return context;
  };

  /** @param before a generation whose successor is wanted, which is known to be there */
  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    ref: ConnectionRef,
    before?: number,
  ): Promise<z.output<typeof secretDocument>> => {
    try {
      const token = await tokens.read(ref, { refused: before, deadlineMs: READ_WITHIN_MS });
      const context = await contextOf(ref);
      await recordReading(registry, ref, token, callerOf(request));
      return { data: readySecret(context, token) };
    } catch (error) {
      const known = isDurableOAuthError(error, 'CONSENT_NEEDED') || isDurableOAuthError(error, 'NOT_CONNECTED');
      // Whatever passes by itself is a 503, which components try again.
      if (!known) throw error;
      const lang = languageOf(request.headers['accept-language']);
      reply.header('content-language', lang);
      return { data: brokenSecret(await contextOf(ref), error.code, catalogue, lang) };
    }
  };

  app.route({
    method: 'GET',
    url: SECRET_PATH,
    exposeHeadRoute: false,
    config: limits,
    schema,
    handler: async (request, reply) => answer(request, reply, refOf(request.params)),
  });

  app.route({
    method: 'POST',
    url: `${SECRET_PATH}/refresh`,
    // Repeatable by itself: what was just made is not made again. Components send an empty object, which says nothing.
    config: { ...limits, idempotency: false },
    schema,
    handler: async (request, reply) => {
      const ref = refOf(request.params);
      const { frozenAt, generation: known } = (await contextOf(ref)).connection;
      if (frozenAt !== null) return answer(request, reply, ref);
      const ask = { generation: known, why: 'asked' } as const;
      const { generation } = await connections.ensureFresh(ref, ask, callerOf(request));
      // Past what this process remembers; the newest generation itself is not doubted.
      return answer(request, reply, ref, generation - 1);
    },
  });
}
