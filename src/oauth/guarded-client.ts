/**
 * The one door outwards: https (loopback and private networks by configuration only), the address that was checked is the
 * address that is connected, no redirect followed, size and time bounded, no proxy out of the environment.
 */
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import axios from 'axios';
import type { OAuthFailureFacts } from './contract';
import { checkEndpointSyntax } from './endpoint-policy';
import { OAuthFailure } from './failure';
import { createGuardedAgents, isRefusedAddress, type GuardOptions } from './guarded-agents';

export interface GuardedRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Wall clock for the whole exchange, milliseconds. */
  readonly deadlineMs: number;
  readonly maxBytes: number;
  /** Origins this request's secret was entered for; compared before a socket is opened. */
  readonly audience?: readonly string[];
  /** Repeating is harmless: a lost answer is TRANSIENT, not AMBIGUOUS. */
  readonly repeatable?: boolean;
  /** Named in failures: "Refreshing a token set". */
  readonly attempted: string;
}

export interface GuardedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body is missing: the connection ended or the deadline came before it was whole, or it is above `maxBytes`. */
  readonly cut?: 'lost' | 'too_large';
}

export type GuardedClient = (request: GuardedRequest) => Promise<GuardedAnswer>;

/** What is known of a request on its way. */
interface Wire {
  /** A connection stands, so bytes may have been sent. */
  open: boolean;
}

/**
 * @returns a function that sends one request and answers whatever came back, redirects and errors included
 *
 * It throws `OAuthFailure` and nothing else: BLOCKED (URL, audience or address not allowed; nothing sent), TRANSIENT (no
 * connection; nothing sent), AMBIGUOUS (sent, and no answer).
 */
export function createGuardedClient(options: GuardOptions): GuardedClient {
  const agents = createGuardedAgents(options);
  // An instance of our own: interceptors of whoever shares this axios would see the credentials.
  const client = axios.create();
  return async (request) => {
    refuseTarget(request, options);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), request.deadlineMs);
    const wire: Wire = { open: false };
    try {
      const answer = await client.request<Readable>({
        method: request.method,
        url: request.url,
        headers: { 'user-agent': 'durable-oauth', accept: 'application/json', ...request.headers },
        data: request.body,
        ...agents,
        adapter: 'http',
        transport: transportOf(request.url, wire),
        proxy: false,
        maxRedirects: 0,
        maxBodyLength: Infinity,
        responseType: 'stream',
        transformRequest: [(data: unknown) => data],
        validateStatus: () => true,
        signal: deadline.signal,
      });
      return {
        status: answer.status,
        headers: plainHeaders(answer.headers),
        ...(await read(answer.data, request.maxBytes)),
      };
    } catch (error) {
      // The error itself, which holds the request with its credentials, ends here.
      throw new OAuthFailure(request.attempted, factsOf(error, wire, request));
    } finally {
      clearTimeout(timer);
    }
  };
}

function refuseTarget({ url, audience, attempted }: GuardedRequest, options: GuardOptions): void {
  const wrong = checkEndpointSyntax(url, options) !== undefined;
  if (!wrong && (audience === undefined || audience.includes(new URL(url).origin))) return;
  throw new OAuthFailure(attempted, { class: 'BLOCKED', code: 'ENDPOINT_BLOCKED', sent: false });
}

/** Node writes nothing of a request before the connection, with TLS and a valid certificate, stands. */
function transportOf(url: string, wire: Wire): object {
  const secure = new URL(url).protocol === 'https:';
  return {
    request(options: https.RequestOptions, onResponse: (response: http.IncomingMessage) => void): http.ClientRequest {
      const request = (secure ? https : http).request(options, onResponse);
      request.once('socket', (socket) => {
        if (socket.connecting) socket.once(secure ? 'secureConnect' : 'connect', () => (wire.open = true));
        else wire.open = !socket.destroyed;
      });
      return request;
    },
  };
}

async function read(stream: Readable, maxBytes: number): Promise<Pick<GuardedAnswer, 'body' | 'cut'>> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) return { body: '', cut: 'too_large' };
      chunks.push(chunk);
    }
  } catch {
    return { body: '', cut: 'lost' };
  }
  return { body: new TextDecoder().decode(Buffer.concat(chunks)) };
}

function factsOf(error: unknown, wire: Wire, { repeatable = false }: GuardedRequest): OAuthFailureFacts {
  if (isRefusedAddress(error)) return { class: 'BLOCKED', code: 'ENDPOINT_BLOCKED', sent: false };
  if (!wire.open || repeatable) return { class: 'TRANSIENT', code: 'PROVIDER_UNREACHABLE', sent: wire.open };
  return { class: 'AMBIGUOUS', code: 'REFRESH_OUTCOME_UNKNOWN', sent: true };
}

function plainHeaders(headers: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(', ') : String(value)]),
  );
}
