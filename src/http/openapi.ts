/** The contract as OpenAPI 3.1, made from the zod schemas of the routes. */
import fastifySwagger from '@fastify/swagger';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { App } from './deps';
import { JSON_API, JSON_PLAIN } from './media';

type Transform = typeof jsonSchemaTransform;

const MEDIA_TYPES = [JSON_API, JSON_PLAIN];

/** Registered before the routes it describes: those under /v2. */
export function openApi(app: App): void {
  app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'durable-oauth', version: '2' },
      components: {
        securitySchemes: { basic: { type: 'http', scheme: 'basic' }, bearer: { type: 'http', scheme: 'bearer' } },
      },
      security: [{ basic: [] }, { bearer: [] }],
    },
    transform: ({ schema, url, route, ...rest }): ReturnType<Transform> => {
      const { permission } = route.config ?? {};
      const described = { ...schema, consumes: MEDIA_TYPES, produces: MEDIA_TYPES, 'x-permission': permission };
      return jsonSchemaTransform({ schema: permission ? described : { hide: true }, url, route, ...rest });
    },
  });
}

export function openApiRoute(app: App): void {
  app.route({
    method: 'GET',
    url: '/openapi.json',
    config: { public: true },
    handler: async (_request, reply) => reply.type(JSON_PLAIN).serializer(JSON.stringify).send(app.swagger()),
  });
}
