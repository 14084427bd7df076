/** A component of elastic.io on real parts: its own way of reading tokens, judged by the provider's ledger. */
import { pino } from 'pino';
import { createEnsureFresh } from '../../src/client/connections';
import { createTokenReader } from '../../src/client/token-reader';
import { issueKey } from '../../src/cli/create-key';
import type { Ports } from '../../src/compose';
import type { ConnectionRef } from '../../src/connection/types';
import { buildApp } from '../../src/http/app';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { Harness, RUNS } from '../support/harness';
import { caller, saved } from '../support/scenes';

interface Secret {
  readonly state: 'ready' | 'error';
  readonly error?: string;
  readonly credentials: {
    readonly access_token?: string;
    readonly undefined_params: { readonly instance_url: string };
  };
}

/** What the Salesforce component of elastic.io does, with nothing of ours in it. */
class Component {
  readonly #url: string;
  readonly #authorization: string;
  /** What it called, in order. */
  readonly calls: string[] = [];

  constructor(env: { apiUri: string; workspace: string; username: string; key: string }, secret: string) {
    this.#url = `${env.apiUri}/v2/workspaces/${env.workspace}/secrets/${secret}`;
    this.#authorization = `Basic ${Buffer.from(`${env.username}:${env.key}`).toString('base64')}`;
  }

  getSecret = (): Promise<Secret> => this.#call('GET', '');
  refreshSecret = (): Promise<Secret> => this.#call('POST', '/refresh');

  /** Reads the secret again when the API refuses it, and has it refreshed only if it is still the same. */
  async orders(): Promise<number> {
    let { credentials } = await this.getSecret();
    let status = await this.#orders(credentials);
    for (let retries = 2; status === 401 && retries > 0; retries -= 1) {
      const { access_token: before } = credentials;
      ({ credentials } = await this.getSecret());
      if (credentials.access_token === before) ({ credentials } = await this.refreshSecret());
      status = await this.#orders(credentials);
    }
    return status;
  }

  async #orders({ access_token, undefined_params }: Secret['credentials']): Promise<number> {
    this.calls.push('API');
    const headers = { authorization: `Bearer ${access_token}` };
    return (await fetch(`${undefined_params.instance_url}/api/orders?page=1`, { headers })).status;
  }

  async #call(method: 'GET' | 'POST', path: string): Promise<Secret> {
    this.calls.push(method);
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: this.#authorization,
        accept: 'application/json, text/plain, */*',
        'x-request-id': 'f:flow;s:step_1;m:',
        ...(method === 'POST' && { 'content-type': 'application/json' }),
      },
      body: method === 'POST' ? '{}' : undefined,
    });
    if (!answer.ok) throw new Error(`Request failed with status code ${answer.status}`);
    const { data } = (await answer.json()) as { data: { attributes: Secret } };
    return data.attributes;
  }
}

describe.each(RUNS)('a component of elastic.io ($run)', ({ tuning, maxCachedWorkflows }) => {
  let provider: ScriptedProvider;
  let harness: Harness;
  /** Two servers, which remember and share nothing with each other. */
  let servers: readonly { readonly app: ReturnType<typeof buildApp>; readonly apiUri: string }[];
  let key: string;
  /** Milliseconds by which the next answers are older than they are. */
  let backdate = 0;

  const older = (ports: Ports): Ports => {
    const { authorizationServer: server } = ports;
    const refresh: typeof server.refresh = async (target, token) => {
      const shift = backdate;
      const back = (text: string): string => new Date(Date.parse(text) - shift).toISOString();
      const answer = await server.refresh(target, token);
      return { ...answer, issuedAt: back(answer.issuedAt), expiresAt: answer.expiresAt && back(answer.expiresAt) };
    };
    return { ...ports, authorizationServer: { ...server, refresh } };
  };

  beforeAll(async () => {
    provider = await startScriptedProvider({
      clients: { crm: { secret: 'crm-secret-canary', rotation: { mode: 'until_used' } } },
      tokenLifetime: 3600,
    });
    harness = await Harness.start({
      tuning,
      maxCachedWorkflows,
      decorate: older,
      secrets: () => provider.issuedSecrets(),
      config: { elasticioSecrets: true },
    });
    servers = await Promise.all([server(), server()]);
    const { parts, tenant } = harness;
    key = await issueKey(parts.registry, {
      tenant,
      email: 'component@acme.example',
      scopes: ['tenants.connections.get_token'],
    });
    harness.tripwire.watch([key]);
  }, 120_000);
  afterEach(async () => {
    backdate = 0;
    provider.assertLedger();
    await harness.judge();
  });
  afterAll(async () => {
    for (const { app } of servers ?? []) await app.close();
    await harness?.stop();
    await provider?.stop();
  });

  async function server(): Promise<(typeof servers)[number]> {
    const { parts } = harness;
    const ensureFresh = createEnsureFresh(parts.temporal, tuning);
    const connections = { ...parts.connections, ensureFresh };
    const app = buildApp({
      ...parts,
      connections,
      tokens: createTokenReader({ ...parts, connections, countCheck: () => undefined }),
      config: { ...parts.config, callbackBase: parts.config.callbackUrl },
      log: pino({ level: 'silent' }),
    });
    return { app, apiUri: await app.listen({ host: '127.0.0.1', port: 0 }) };
  }

  /** With a token that is old enough to be refreshed on a caller's word. */
  async function connected(): Promise<{ ref: ConnectionRef; component: Component; elsewhere: Component }> {
    backdate = 600_000;
    const ref = await saved(harness, {
      at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
      clientSecret: 'crm-secret-canary',
      refreshToken: provider.issueRefreshToken('crm'),
      change: {
        client_id: 'crm',
        grant_type: 'refresh_token',
        endpoints: provider.endpoints,
        rotation: 'until_used',
      },
    });
    backdate = 0;
    const env = { workspace: harness.tenant, username: 'component@acme.example', key };
    const [component, elsewhere] = servers.map(({ apiUri }) => new Component({ ...env, apiUri }, ref.connection));
    return { ref, component: component!, elsewhere: elsewhere! };
  }

  /** By the owner of the account: this one access token, nothing else. */
  async function revokeAtProvider(accessToken: string): Promise<void> {
    const answer = await fetch(provider.endpoints.revocation, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('crm:crm-secret-canary').toString('base64')}` },
      body: new URLSearchParams({ token: accessToken }),
    });
    expect(answer.status).toBe(200);
  }

  it('calls the API with the token of its secret', async () => {
    const { component } = await connected();
    expect(await component.orders()).toBe(200);
    expect(component.calls).toEqual(['GET', 'API']);
  });

  it('has a token renewed that the API refuses', async () => {
    const { component } = await connected();
    const requests = provider.tokenRequests();
    const { credentials } = await component.getSecret();
    await revokeAtProvider(credentials.access_token ?? '');
    expect(await component.orders()).toBe(200);
    expect(component.calls).toEqual(['GET', 'GET', 'API', 'GET', 'POST', 'API']);
    expect(provider.tokenRequests()).toBe(requests + 1);
  });

  it('100 refresh calls within 10 s are one token request, and each has the new token, whatever the server', async () => {
    const { component, elsewhere } = await connected();
    const requests = provider.tokenRequests();
    const { credentials: before } = await component.getSecret();
    // Remembered by the other server, too.
    expect((await elsewhere.getSecret()).credentials).toMatchObject({ access_token: before.access_token });
    const wave = () =>
      Array.from({ length: 25 }, () => [component, elsewhere].map((one) => one.refreshSecret())).flat();
    // Again when the first ones are long answered.
    const secrets = [...(await Promise.all(wave())), ...(await Promise.all(wave()))];
    expect(secrets).toHaveLength(100);
    expect(provider.tokenRequests()).toBe(requests + 1);
    const tokens = new Set(secrets.map(({ credentials }) => credentials.access_token));
    expect([tokens.size, tokens.has(before.access_token)]).toEqual([1, false]);
  });

  it('is told in words that its connection was revoked, and sends nothing to the provider', async () => {
    const { ref, component } = await connected();
    await harness.parts.connections.revoke(ref, 'test over', caller);
    const requests = provider.tokenRequests();
    for (const secret of [await component.getSecret(), await component.refreshSecret()]) {
      expect(secret).toMatchObject({ state: 'error', error: expect.stringMatching(/\w/) });
      expect(secret.credentials).not.toHaveProperty('access_token');
    }
    expect(provider.tokenRequests()).toBe(requests);
  });
});
