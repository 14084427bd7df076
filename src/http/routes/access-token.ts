/**
 * `GET /v2/tenants/{T}/connections/{id}/access-token`: the newest access token together with the API base URL. Own
 * permission, audited, rate limited per API key, never cached. The refresh token is not in it.
 */
import type { Caller, FreshToken } from '../../client/contract';
import type { ConnectionRef } from '../../connection/types';
import type { Registry } from '../../registry/contract';
import { callerOf } from '../access/auth';
import type { App, AppDeps } from '../deps';
import { resourcePath } from '../schemas/document';
import { accessTokenDocument } from '../schemas/access-token';

const PATH = '/tenants/:tenant/connections/:id/access-token';
/** What components of elastic.io call (workspace-secrets.ts); a workspace is a tenant. */
export const SECRET_PATH = '/workspaces/:tenant/secrets/:id';
/** The only routes whose answer holds a token. A test searches the answers of all others. */
export const TOKEN_BEARING_ROUTES: readonly string[] = [PATH, SECRET_PATH, `${SECRET_PATH}/refresh`].map(
  (path) => `/v2${path}`,
);

/** Of one API key at each of them. */
export const TOKENS_PER_MINUTE = 120;

/** Audit first: a token whose reading cannot be recorded is not handed out. */
export async function recordReading(
  { events }: Pick<Registry, 'events'>,
  ref: ConnectionRef,
  { generation }: Pick<FreshToken, 'generation'>,
  caller: Caller,
): Promise<void> {
  await events.append(ref.tenant, ref.connection, { type: 'access_token.read', ...caller, facts: { generation } });
}

/** None where token routes are off. */
export function accessTokenRoutes(app: App, { registry, tokens, config }: AppDeps): void {
  if (!config.tokenRoutes || tokens === undefined) return;
  app.route({
    method: 'GET',
    url: PATH,
    exposeHeadRoute: false,
    config: {
      permission: 'tenants.connections.get_token',
      failures: [409],
      rateLimit: { max: TOKENS_PER_MINUTE, timeWindow: '1 minute' },
    },
    schema: { params: resourcePath, response: { 200: accessTokenDocument } },
    handler: async (request) => {
      const ref = { tenant: request.params.tenant, connection: request.params.id };
      const token = await tokens.read(ref);
      await recordReading(registry, ref, token, callerOf(request));
      return {
        data: {
          type: 'access-token' as const,
          id: ref.connection,
          attributes: {
            access_token: token.accessToken.reveal(),
            token_type: token.tokenType,
            expires_at: token.expiresAt,
            api_base_url: token.apiBaseUrl,
          },
        },
      };
    },
  });
}
