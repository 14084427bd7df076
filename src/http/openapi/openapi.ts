/** The contract as OpenAPI 3.1, made from the zod schemas of the routes. */
import fastifySwagger from '@fastify/swagger';
import type { RouteOptions } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { App } from '../deps';
import { JSON_API, JSON_PLAIN } from '../media';
import { z } from 'zod';
import { auditReasonHeader } from '../access/audit';
import { examplesOf } from '../examples';
import { failuresOf, takesIfMatch } from './openapi-failures';
import { finish } from './openapi-finish';
import { namesOf } from './operations';

type Transform = typeof jsonSchemaTransform;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Statuses of failures that the method alone does not suggest; the contract names them. */
    failures?: readonly number[];
  }
}

/** Registered before the routes it describes: those under /v2. */
export function openApi(app: App): void {
  app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'durable-oauth',
        version: '2',
        description: 'OAuth 2.0 connections that do not silently die. JSON:API documents, also as plain JSON.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          basic: { type: 'http', scheme: 'basic', description: 'E-mail of the principal, and its API key' },
          bearer: { type: 'http', scheme: 'bearer', description: 'API key' },
        },
      },
      security: [{ basic: [] }, { bearer: [] }],
    },
    transform: ({ schema, url, route, ...rest }): ReturnType<Transform> => {
      if (!url.startsWith('/v2/')) return jsonSchemaTransform({ schema: { hide: true }, url, route, ...rest });
      const described = { ...namesOf(String(route.method), url), ...schema, ...extras(route) };
      return jsonSchemaTransform({ schema: described, url, route, ...rest });
    },
    transformObject: (document) => ('openapiObject' in document ? finish(document.openapiObject) : {}),
  });
}

function extras(route: RouteOptions): Record<string, unknown> {
  const { permission } = route.config ?? {};
  const types = [JSON_API, JSON_PLAIN];
  return {
    consumes: types,
    produces: route.schema?.produces ?? types,
    headers: headersOf(route),
    ...(permission === undefined ? { security: [] } : { 'x-permission': permission }),
    'x-examples': examplesOf(route.schema?.body),
    'x-failures': failuresOf(route),
  };
}

/** What the hooks read, so that no route has to say it. */
function headersOf(route: RouteOptions): z.ZodType | undefined {
  const { method, config = {} } = route;
  const headers: Record<string, z.ZodType> = {};
  if (method === 'POST' && config.idempotency !== false) {
    const description = 'Makes the request repeatable for 24 hours: the same key with the same body does nothing again';
    headers['Idempotency-Key'] = z.string().min(1).max(255).optional().describe(description);
  }
  if (config.conditional) {
    headers['If-None-Match'] = z.string().optional().describe('Answers 304 while this ETag is current');
  }
  if (takesIfMatch(route)) {
    headers['If-Match'] = z.string().optional().describe('Answers 412 unless this ETag is current');
  }
  if (method !== 'GET' && method !== 'HEAD') headers['Audit-Reason'] = auditReasonHeader;
  return Object.keys(headers).length === 0 ? undefined : z.object(headers);
}

export function openApiRoute(app: App): void {
  app.route({
    method: 'GET',
    url: '/openapi.json',
    config: { public: true },
    handler: async (_request, reply) => reply.type(JSON_PLAIN).serializer(JSON.stringify).send(app.swagger()),
  });
}
