/** The HTTP application over a real registry; what is behind Temporal, the vault and the provider is told what to answer. */
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import pino from 'pino';
import { issueKey, type KeyOrder } from '../../src/cli/create-key';
import { confirmerHash } from '../../src/client/confirmers';
import { sha256 } from '../../src/client/cookies';
import type {
  Caller,
  ChangeIntegrationRequest,
  ChangeOutcome,
  Confirmation,
  Confirmer,
  Connections,
  Consents,
  ConsentView,
  OAuthClients,
  SaveOAuthClientRequest,
  SaveOutcome,
  SaveRequest,
} from '../../src/client/contract';
import type { AboutConnection, ConsentReading, FreshAnswer, Tombstone } from '../../src/connection/messages';
import type { ConnectionRef } from '../../src/connection/types';
import { DurableOAuthError, isDurableOAuthError } from '../../src/errors';
import { createFingerprint } from '../../src/fingerprint';
import { buildApp } from '../../src/http/app';
import type { AppConfig, AppDeps } from '../../src/http/deps';
import type { Permission } from '../../src/http/access/permissions';
import type { ApiAnswer, ApiCaller, ApiRequest, OAuthClientTarget } from '../../src/oauth/contract';
import { createCatalogue } from '../../src/providers/catalogue';
import type { Registration, Registry } from '../../src/registry/contract';
import { openRegistry } from '../../src/registry/open';
import { createMemoryVault } from '../../src/vault/memory';
import type { Secret } from '../../src/vault/secret';
import { testDatabase } from '../support/database';
import { tenantGuard } from '../support/tenant-guard';
import { FakeTokens } from './fake-tokens';

export { ACCESS_TOKEN } from './fake-tokens';

export const CALLBACK = 'https://oauth2.integrations.acme.test/callback';
export const CATALOGUE = createCatalogue([
  {
    name: 'crm',
    title: 'Blue CRM',
    endpoints: { authorization: 'https://crm.test/auth', token: 'https://crm.test/token' },
    api_base_url: 'https://api.crm.test/v1',
    scope: { default: 'contacts.read' },
  },
]);

/** Saves into the registry, as the workflow behind the port does. */
export class FakeConnections implements Connections {
  readonly saves: SaveRequest[] = [];
  readonly callers: Caller[] = [];
  readonly revocations: string[] = [];
  readonly retired: string[] = [];
  outcome: SaveOutcome | DurableOAuthError | undefined;
  status: SaveOutcome | undefined;
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  async save(request: SaveRequest, caller: Caller): Promise<SaveOutcome> {
    this.saves.push(request);
    this.callers.push(caller);
    if (this.outcome instanceof DurableOAuthError) throw this.outcome;
    if (this.outcome) return this.outcome;
    const connection = request.integration.replace(/^(in_)?/, 'cn_');
    await seedConnection(this.#registry, request, connection);
    return { kind: 'saved', integration: request.integration, connection };
  }

  /** What is to begin later, and when. */
  readonly later: { request: SaveRequest; delayMs: number }[] = [];
  laterFailures: (DurableOAuthError | undefined)[] = [];

  async saveLater(request: SaveRequest, delayMs: number): Promise<void> {
    const failure = this.laterFailures.shift();
    if (failure) throw failure;
    this.later.push({ request, delayMs });
  }

  async saveStatus(): Promise<SaveOutcome | undefined> {
    return this.status;
  }

  async revoke(ref: ConnectionRef, reason: string, { by }: Caller): Promise<Tombstone> {
    this.revocations.push(`${ref.tenant}/${ref.connection}`);
    const event = { type: 'connection.frozen', by, traceId: 'test' };
    return { v: 1, by, reason, frozenAt: await this.#registry.connections.freeze(ref, event), provider: 'pending' };
  }

  /** What was asked of it, and what it answers. */
  readonly asked: { ref: ConnectionRef; ask: unknown; caller: Caller }[] = [];
  fresh: Partial<FreshAnswer> | DurableOAuthError = {};

  async ensureFresh(ref: ConnectionRef, ask: { generation: number }, caller: Caller): Promise<FreshAnswer> {
    this.asked.push({ ref, ask, caller });
    if (this.fresh instanceof DurableOAuthError) throw this.fresh;
    const { generation } = ask;
    return { v: 1, state: 'active', generation, expiresAt: null, grant: 'gr_1', ...this.fresh };
  }

  async retire(tenant: string, integration: string): Promise<boolean> {
    this.retired.push(`${tenant}/${integration}`);
    return true;
  }

  nudge = unused;
  describe = unused;
}

/** Writes the rows that the workflow's activities write; no vault is behind it. */
export class FakeOAuthClients implements OAuthClients {
  readonly saves: SaveOAuthClientRequest[] = [];
  readonly retired: string[] = [];
  readonly changes: ChangeIntegrationRequest[] = [];
  outcome: Awaited<ReturnType<OAuthClients['save']>> | undefined;
  changeOutcome: ChangeOutcome | DurableOAuthError | undefined;
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  async save(request: SaveOAuthClientRequest, { by, traceId }: Caller): ReturnType<OAuthClients['save']> {
    this.saves.push(request);
    if (this.outcome) return this.outcome;
    const { tenant, client: id, component, clientId, legacy, update, base } = request;
    const { oauthClients } = this.#registry;
    const secret = { id: `sec_${this.saves.length}`, fingerprint: 'cafe0123' };
    try {
      if (update) await oauthClients.prepareChange({ tenant, id, secret: secret.id, base });
      else await oauthClients.reserve({ tenant, id, component, clientId, secret: secret.id, legacy });
      const event = { type: 'oauth_client.changed', by, traceId };
      await oauthClients.publish({ tenant, id, component, clientId, secret, base, event });
      return 'saved';
    } catch (error) {
      if (isDurableOAuthError(error)) return { failed: error.code };
      throw error;
    }
  }

  async change(request: ChangeIntegrationRequest, { by, traceId }: Caller): Promise<ChangeOutcome> {
    if (this.changeOutcome instanceof DurableOAuthError) throw this.changeOutcome;
    if (this.changeOutcome) return this.changeOutcome;
    const { tenant, integration, from, base, to } = request;
    const secret = { id: `sec_change_${this.changes.push(request)}`, fingerprint: 'cafe0123' };
    const event = { type: 'integration.changed', by, traceId };
    const written = await this.#registry.integrations.change(tenant, integration, { from, base, to, secret, event });
    return written ? { kind: 'changed', proven: 'token', ...written } : { kind: 'failed', code: 'PRECONDITION_FAILED' };
  }

  async retire(tenant: string, client: string): Promise<boolean> {
    this.retired.push(`${tenant}/${client}`);
    return true;
  }
}

export class FakeConsents implements Consents {
  view: ConsentView | undefined;
  failure: DurableOAuthError | undefined;
  readonly begun: { token: string; lang: string }[] = [];
  readonly callbacks: { url: string; cookie: string | undefined }[] = [];
  readonly confirmed: string[] = [];

  async begin(token: string, lang: string): ReturnType<Consents['begin']> {
    if (this.failure) throw this.failure;
    this.begun.push({ token, lang });
    const cookie = { name: '__Host-doc-abcd1234', value: 'hash.secret', maxAgeSeconds: 1200, secure: true };
    return { location: 'https://crm.test/auth?client_id=app&state=s%20t', cookie };
  }

  async callback(url: string, cookie: string | undefined): ReturnType<Consents['callback']> {
    if (this.failure) throw this.failure;
    this.callbacks.push({ url, cookie });
    return { status: 303, location: 'https://connect.test/oauth/confirm?c=abcd1234' };
  }

  async describe(attempt: string, cookie: string | undefined): Promise<ConsentView | undefined> {
    return attempt === 'abcd1234' && cookie?.includes('doc-abcd1234') ? this.view : undefined;
  }

  async confirm(attempt: string, cookie: string | undefined, csrf: string): Promise<ConsentView | undefined> {
    const view = await this.describe(attempt, cookie);
    if (view === undefined || csrf !== view.csrf) return undefined;
    this.confirmed.push(attempt);
    return view;
  }

  /** What was confirmed by applications, and how that ends. */
  readonly confirmations: Confirmation[] = [];
  reading: ConsentReading | undefined;

  confirmerHash(ref: ConnectionRef, confirmer: Confirmer): Promise<string> {
    return confirmerHash(async (id) => sha256(id.reveal()), ref, confirmer);
  }

  async confirmFor(confirmation: Confirmation): Promise<ConsentReading | undefined> {
    if (this.failure) throw this.failure;
    this.confirmations.push(confirmation);
    return this.reading;
  }
}

export class FakeApi implements ApiCaller {
  readonly sent: { request: ApiRequest; token: string }[] = [];
  answers: (ApiAnswer | Error)[] = [];

  async send(request: ApiRequest, { value }: { value: Secret }): Promise<ApiAnswer> {
    this.sent.push({ request, token: value.reveal() });
    const answer = this.answers.shift();
    if (answer instanceof Error) throw answer;
    return answer ?? { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' };
  }
}

export class FakeIdentity {
  readonly asked: { target: OAuthClientTarget; token: string }[] = [];
  failure: Error | undefined;

  async identify(target: OAuthClientTarget, token: Secret): Promise<{ id: string; label: string }> {
    this.asked.push({ target, token: token.reveal() });
    if (this.failure) throw this.failure;
    return { id: 'acct-1', label: 'ann@shop.test' };
  }
}

/** A route as the application registers it. */
export interface AppRoute {
  readonly method: string;
  readonly url: string;
  readonly permission?: Permission;
  readonly everywhere?: true;
}

export interface TestApp {
  readonly app: FastifyInstance;
  readonly registry: Registry;
  readonly databaseUrl: string;
  readonly connections: FakeConnections;
  readonly consents: FakeConsents;
  readonly oauthClients: FakeOAuthClients;
  readonly tokens: FakeTokens;
  readonly api: FakeApi;
  readonly identity: FakeIdentity;
  readonly routes: readonly AppRoute[];
  /** Everything that was logged. */
  readonly logged: string[];
  /** An Authorization header for a new key of an operator of the tenant, which is made when it is not there. */
  bearer(tenant: string, ...scopes: string[]): Promise<string>;
  /** As `bearer`, for whom the test says; the e-mail follows from the first role. */
  bearerOf(order: Order): Promise<string>;
  stop(): Promise<void>;
}

export async function startTestApp(
  config: Partial<AppConfig> = {},
  {
    catalogue = CATALOGUE,
    fingerprint = createFingerprint(createMemoryVault()),
    ...more
  }: Partial<Pick<AppDeps, 'eventStream' | 'catalogue' | 'fingerprint'>> = {},
): Promise<TestApp> {
  const database = await testDatabase();
  const registry = await openRegistry({ url: database.url, plugins: [tenantGuard()] });
  const [connections, consents, oauthClients, tokens, api, identity] = [
    new FakeConnections(registry),
    new FakeConsents(),
    new FakeOAuthClients(registry),
    new FakeTokens(registry.connections),
    new FakeApi(),
    new FakeIdentity(),
  ];
  const logged: string[] = [];
  const app = buildApp({
    connections,
    consents,
    oauthClients,
    effects: { drain: async () => 0 },
    tokens,
    apiCaller: api,
    authorizationServer: identity,
    registry,
    catalogue,
    fingerprint,
    publicKeys: {
      publicKeys: async () => [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'ek_1', d: 'private-part' }],
    },
    config: {
      publicUrl: 'https://connect.test',
      callbackBase: CALLBACK,
      brand: 'Acme Inc',
      returnOrigins: ['https://flows.test'],
      allowPrivateNetworks: false,
      tokenRoutes: true,
      elasticioSecrets: true,
      ratePerMinute: 100_000,
      ...config,
    },
    ...more,
    log: pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) }),
  });
  const routes: AppRoute[] = [];
  app.addHook('onRoute', ({ method, url, config: { permission, everywhere } = {} }) => {
    for (const one of [method].flat()) routes.push({ method: one, url, permission, everywhere });
  });
  await app.ready();
  return {
    app,
    routes,
    registry,
    databaseUrl: database.url,
    connections,
    consents,
    oauthClients,
    tokens,
    api,
    identity,
    logged,
    bearer: (tenant, ...scopes) => bearerOf(registry, { tenant, roles: ['operator'], scopes }),
    bearerOf: (order) => bearerOf(registry, order),
    async stop() {
      await app.close();
      await registry.close();
      await database.stop();
    },
  };
}

export type Order = Omit<KeyOrder, 'email'> & { readonly email?: string };

async function bearerOf(registry: Registry, order: Order): Promise<string> {
  const { tenant, roles: [role = 'ops'] = [] } = order;
  const email = `${role === 'operator' ? 'ops' : role}@${tenant}.test`;
  if ((await registry.tenants.get(tenant)) === undefined) await registry.tenants.create(tenant, `${tenant} Ltd`);
  return `Bearer ${await issueKey(registry, { email, ...order })}`;
}

export async function seedConnection(
  registry: Registry,
  {
    tenant,
    integration,
    settings,
    about,
  }: Pick<SaveRequest, 'tenant' | 'integration' | 'settings'> & { readonly about?: AboutConnection },
  connection: string,
  change: Partial<Registration> = {},
): Promise<void> {
  const consent = settings.grant_type === 'authorization_code';
  await registry.integrations.register({
    tenant,
    integration,
    connection,
    client: { id: connection.replace(/^cn_/, 'oc_'), label: settings.label, secretId: null },
    settings,
    grant: consent ? null : 'gr_1',
    state: consent ? 'pending_consent' : 'active',
    nextAttemptAt: null,
    consentDeadline: consent ? '2030-01-01T00:00:00.000Z' : undefined,
    about,
    event: { type: 'integration.saved', by: 'ops@test', traceId: 'test' },
    ...change,
  });
}

/** One request with a JSON body. */
export function call(
  { app }: Pick<TestApp, 'app'>,
  method: NonNullable<InjectOptions['method']>,
  url: string,
  options: { auth?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<LightMyRequestResponse> {
  const { auth, body, headers } = options;
  return app.inject({
    method,
    url,
    headers: {
      ...(auth !== undefined && { authorization: auth }),
      ...(body !== undefined && { 'content-type': 'application/vnd.api+json' }),
      ...headers,
    },
    payload: body === undefined ? undefined : JSON.stringify(body),
  });
}

async function unused(): Promise<never> {
  throw new Error('not used by the HTTP layer');
}
