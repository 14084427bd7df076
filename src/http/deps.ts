/** What the HTTP layer stands on: ports only. Built by src/compose.ts, faked by tests. */
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connections, Consents, OAuthClients, TokenReader } from '../client/contract';
import type { ApiCaller, AuthorizationServer } from '../oauth/contract';
import type { Catalogue } from '../providers/preset';
import type { Registry } from '../registry/contract';
import type { Secret } from '../vault/secret';
import type { EventStreamOptions } from './event-stream';

export interface AppConfig {
  /** Where browsers reach the pages; no slash at the end. */
  readonly publicUrl: string;
  /** The redirect URI to register, byte for byte; integrations with typed endpoints add a context id. */
  readonly callbackBase: string;
  readonly brand: string;
  /** Exact origins a person may be sent back to after a consent. */
  readonly returnOrigins: readonly string[];
  /** Whether endpoints may be on this machine or in private networks, and http on loopback. */
  readonly allowPrivateNetworks: boolean;
  /** Whether the routes that use or hand out access tokens exist; they need `tokens` and `apiCaller`. */
  readonly tokenRoutes: boolean;
  /** Whether components of elastic.io may read their secrets here; that needs `tokenRoutes`. */
  readonly elasticioSecrets: boolean;
  /** Requests of one API key per minute and process. */
  readonly ratePerMinute: number;
}

export interface AppDeps {
  readonly connections: Connections;
  readonly consents: Consents;
  readonly oauthClients: OAuthClients;
  /** What follows a change: done right after it, and by a worker when this process is gone by then. */
  readonly effects: { drain(): Promise<number> };
  readonly tokens?: TokenReader;
  readonly apiCaller?: ApiCaller;
  readonly authorizationServer?: Pick<AuthorizationServer, 'identify'>;
  readonly registry: Registry;
  readonly catalogue: Catalogue;
  /** An HMAC by a key of the vault, the same in every process. @throws VAULT_UNAVAILABLE */
  readonly fingerprint: (text: Secret) => Promise<string>;
  /** Public envelope keys, for whoever seals a code on its own. */
  readonly publicKeys: { publicKeys(): Promise<readonly Readonly<Record<string, unknown>>[]> };
  readonly config: AppConfig;
  readonly eventStream?: EventStreamOptions;
  readonly log: FastifyBaseLogger;
}

/** The Fastify instance as routes see it: types follow from the zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;
