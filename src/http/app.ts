/** The HTTP application: REST under /v2, the public pages, and what anybody may read. Listens nowhere by itself. */
import fastifyHelmet from '@fastify/helmet';
import fastifyRateLimit from '@fastify/rate-limit';
import Fastify, { LogController, type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { randomBytes } from 'node:crypto';
import { DurableOAuthError } from '../errors';
import { auditReasons } from './access/audit';
import { guard } from './access/auth';
import type { App, AppDeps } from './deps';
import { acceptBodies, answerType, bareMediaType } from './media';
import { entityTags } from './etag';
import { idempotency } from './idempotency';
import { openApi, openApiRoute } from './openapi/openapi';
import { pages } from './pages';
import { answerProblems } from './problems';
import { limitRate } from './rate-limit';
import { accessTokenRoutes } from './routes/access-token';
import { apiKeyRoutes } from './routes/api-keys';
import { componentEnvRoutes } from './routes/component-env-vars';
import { componentVersionRoutes } from './routes/component-versions';
import { componentRoutes } from './routes/components';
import { connectionRoutes } from './routes/connections';
import { confirmationRoutes } from './routes/confirmations';
import { consentLinkRoutes } from './routes/consent-links';
import { eventRoutes } from './routes/events';
import { flowVersionRoutes } from './routes/flow-versions';
import { flowRoutes } from './routes/flows';
import { grantTypeRoutes } from './routes/grant-types';
import { impactRoutes } from './routes/impact';
import { importRoutes } from './routes/imports';
import { integrationRoutes } from './routes/integrations';
import { inventoryRoutes } from './routes/inventory';
import { oauthClientRoutes } from './routes/oauth-clients';
import { principalRoutes } from './routes/principals';
import { providerRoutes } from './routes/providers';
import { publicRoutes } from './routes/public';
import { refreshRoutes } from './routes/refreshes';
import { requestRoutes } from './routes/requests';
import { revocationRoutes } from './routes/revocations';
import { roleGrantRoutes } from './routes/role-grants';
import { roleRoutes } from './routes/roles';
import { tenantRoutes } from './routes/tenants';
import { testRoutes } from './routes/tests';
import { workspaceSecretRoutes } from './routes/workspace-secrets';
import { answerUnknownRoutes } from './unknown-routes';
import { refuseUnprintable } from './validation';

/** What /v2 consists of, a line per resource. */
const RESOURCES: readonly ((app: App, deps: AppDeps) => void)[] = [
  tenantRoutes,
  principalRoutes,
  apiKeyRoutes,
  roleGrantRoutes,
  roleRoutes,
  componentRoutes,
  componentVersionRoutes,
  componentEnvRoutes,
  flowRoutes,
  flowVersionRoutes,
  oauthClientRoutes,
  providerRoutes,
  grantTypeRoutes,
  integrationRoutes,
  connectionRoutes,
  inventoryRoutes,
  importRoutes,
  consentLinkRoutes,
  confirmationRoutes,
  refreshRoutes,
  impactRoutes,
  revocationRoutes,
  testRoutes,
  accessTokenRoutes,
  workspaceSecretRoutes,
  requestRoutes,
  eventRoutes,
];

const BODY_LIMIT = 64 * 1024;
/** A context id is two ids and a dot. */
const MAX_PARAMETER = 200;
/** W3C Trace Context: `<version>-<trace id>-<parent id>-<flags>`. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Build the application over its ports. Every route declares a permission or that it is public; one without is refused.
 * Logs name routes by their pattern, for a path may hold the token of a consent link.
 */
export function buildApp(deps: AppDeps): FastifyInstance {
  const app = Fastify({
    loggerInstance: deps.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAMETER },
    genReqId: ({ headers }) => TRACEPARENT.exec(String(headers['traceparent']))?.[1] ?? randomBytes(16).toString('hex'),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.addHook('onRoute', ({ url, config }) => {
    if ((config?.permission === undefined) === (config?.public === undefined)) {
      throw new DurableOAuthError('CONFIGURATION_INVALID', 'A route declares a permission or that it is public', {
        url,
      });
    }
  });
  answerUnknownRoutes(app);
  app.addHook('onResponse', async (request, reply) => {
    const { method, id: traceId, routeOptions } = request;
    request.log.info({
      traceId,
      method,
      route: routeOptions.url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    });
  });
  app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], frameAncestors: ["'none'"] },
    },
    referrerPolicy: { policy: 'no-referrer' },
  });
  app.register(fastifyRateLimit, {
    global: false,
    // After the guard: limits belong to the API key, not to the address of a proxy.
    hook: 'preHandler',
    keyGenerator: ({ principal, ip }) => principal?.key ?? ip,
    errorResponseBuilder: () => new DurableOAuthError('TOO_MANY_REQUESTS'),
  });
  openApi(app);
  app.register(async (scope) => pages(scope.withTypeProvider<ZodTypeProvider>(), deps));
  app.register(async (scope) => api(scope.withTypeProvider<ZodTypeProvider>(), deps));
  acceptBodies(app);
  bareMediaType(app);
  answerProblems(app);
  return app;
}

function api(app: App, deps: AppDeps): void {
  publicRoutes(app, deps);
  openApiRoute(app);
  app.register(
    async (scope) => {
      const v2 = scope.withTypeProvider<ZodTypeProvider>();
      v2.addHook('onRequest', async (request, reply) => {
        reply.type(answerType(request)).header('cache-control', 'no-store').header('vary', 'accept, accept-language');
      });
      guard(v2, deps.registry);
      limitRate(v2, deps.config.ratePerMinute);
      entityTags(v2);
      refuseUnprintable(v2);
      auditReasons(v2);
      idempotency(v2, deps);
      for (const routes of RESOURCES) routes(v2, deps);
    },
    { prefix: '/v2' },
  );
}
