/** What anybody may read: whether this process lives and can work, and the workers' public keys. */
import { z } from 'zod';
import type { App, AppDeps } from '../deps';

/** Members a public key of ours may show (RFC 7517, RFC 7518 section 6.2.1). */
const publicKey = z.object({
  kty: z.string(),
  crv: z.string(),
  x: z.string(),
  y: z.string().optional(),
  kid: z.string(),
  alg: z.string().optional(),
  use: z.string().optional(),
});
const health = z.object({ status: z.literal('ok') });

export function publicRoutes(app: App, { registry, publicKeys }: AppDeps): void {
  app.route({
    method: 'GET',
    url: '/.well-known/jwks.json',
    config: { public: true },
    schema: { response: { 200: z.object({ keys: z.array(publicKey) }) } },
    handler: async (_request, reply) => {
      const keys = z.array(publicKey).parse(await publicKeys.publicKeys());
      return reply.type('application/jwk-set+json').header('cache-control', 'public, max-age=300').send({ keys });
    },
  });

  app.route({
    method: 'GET',
    url: '/healthz',
    config: { public: true },
    schema: { response: { 200: health } },
    handler: async () => ({ status: 'ok' as const }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    config: { public: true },
    schema: { response: { 200: health } },
    handler: async () => {
      await registry.ping();
      return { status: 'ok' as const };
    },
  });
}
