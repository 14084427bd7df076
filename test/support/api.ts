/** A scripted API on a real socket, and connections to it whose tokens the test hands out. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DefaultLogger } from '@temporalio/worker';
import type { ApiPorts } from '../../src/client/call-api';
import type { FreshToken, TokenReader } from '../../src/client/contract';
import type { IntegrationSettings } from '../../src/connection/messages';
import { createApiCaller } from '../../src/oauth/api-caller';
import { createCatalogue } from '../../src/providers/catalogue';
import type { PresetInput } from '../../src/providers/preset';
import type { ConnectionContext, ConnectionRow } from '../../src/registry/contract';
import { Secret } from '../../src/vault/secret';
import { settings } from './settings';

export const REF = 'acme/cn_7q4';

/** For mocked activities: the SDK prints every failure, and failures are what most of these tests are about. */
export const quiet = { logger: new DefaultLogger('ERROR') };

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Close the socket instead of answering: the request has come, and its outcome is lost. */
  readonly hangUp?: boolean;
}

export interface ScriptedApi {
  readonly url: string;
  readonly seen: Seen[];
  /** Called once per request. */
  script: (request: Seen) => ScriptedAnswer;
  close(): Promise<void>;
}

export async function scriptedApi(script: ScriptedApi['script'] = () => json({})): Promise<ScriptedApi> {
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const seen = { method: req.method ?? '', url: req.url ?? '', headers: req.headers, body };
      api.seen.push(seen);
      const answer = api.script(seen);
      if (answer.hangUp) req.socket.destroy();
      else res.writeHead(answer.status ?? 200, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const api: ScriptedApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    script,
    close: () => new Promise((closed) => server.close(() => closed())),
  };
  return api;
}

export const json = (body: unknown, status = 200): ScriptedAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** Hands out tokens one after the other; a refused one is followed by the next, and the last one stays. */
export class ScriptedReader implements TokenReader {
  readonly tokens: readonly string[];
  readonly refused: number[] = [];
  reads = 0;
  /** Thrown by the next read instead of an answer. */
  failure: Error | undefined;
  #generation = 1;

  constructor(...tokens: string[]) {
    this.tokens = tokens;
  }

  async read(...[, { refused } = {}]: Parameters<TokenReader['read']>): Promise<FreshToken> {
    this.reads += 1;
    if (refused !== undefined) this.refused.push(refused);
    if (this.failure) throw this.failure;
    if (refused === this.#generation && this.tokens[refused] !== undefined) this.#generation += 1;
    return {
      accessToken: new Secret(this.tokens[this.#generation - 1] ?? ''),
      tokenType: 'Bearer',
      expiresAt: null,
      generation: this.#generation,
      grant: 'gr_1',
      audience: [],
      apiBaseUrl: 'https://api.test',
      preset: 'generic',
    };
  }
}

/** Ports to the API, real but for the token reader and the registry. */
export function portsTo(
  apiBaseUrl: string,
  tokens: TokenReader,
  change: { settings?: Partial<IntegrationSettings>; preset?: Partial<PresetInput> } = {},
): ApiPorts {
  const at = { issuer: 'https://login.test', apiUrl: apiBaseUrl };
  const integration = { settings: settings(at, change.settings) };
  const { api_base_url } = integration.settings;
  return {
    // The token is for the API that there is.
    tokens: { read: async (...asked) => ({ ...(await tokens.read(...asked)), apiBaseUrl: api_base_url }) },
    api: createApiCaller({ allowPrivateNetworks: true }),
    catalogue: createCatalogue([{ name: 'generic', title: 'Generic', ...change.preset }]),
    connections: {
      context: async ({ connection }) => (connection === 'cn_7q4' ? ({ integration } as ConnectionContext) : undefined),
    },
  };
}

/** A row as far as parking looks at it. */
export const rowIn = (state: ConnectionRow['state'], frozenAt: string | null = null): ConnectionRow =>
  ({ state, frozenAt }) as ConnectionRow;
