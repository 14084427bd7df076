import { AsyncLocalStorage } from 'node:async_hooks';
import axios, { AxiosError } from 'axios';
import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { callApi, type ApiCall, type ApiPorts } from '../src/client/call-api';
import { parseRef } from '../src/connection/ids';
import { METHODS, type Method } from '../src/connection/requests';
import { DurableOAuthError } from '../src/errors';
import type { ApiAnswer } from '../src/oauth/contract';
import { behindBoundary } from './failure';

const HTTP_MS = 30_000;
const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/** What the interceptor gives to the activity it runs: of this worker, so that two workers in a process do not mix. */
const reach = new AsyncLocalStorage<ApiPorts>();

/** Fits `interceptors.activity` of a worker; it leaves inputs and results alone. */
export type ConnectionInterceptor = () => {
  readonly inbound: { execute<Input>(input: Input, next: (input: Input) => Promise<unknown>): Promise<unknown> };
};

/** Make `withConnection` work in the activities of a worker. `DurableOAuthPlugin` adds it by itself. */
export function connectionInterceptor(ports: ApiPorts): ConnectionInterceptor {
  const inbound: ReturnType<ConnectionInterceptor>['inbound'] = {
    execute: (input, next) => reach.run(ports, () => next(input)),
  };
  return () => ({ inbound });
}

/**
 * Call an API from an activity of your own.
 *
 * ```ts
 * const labels = await withConnection('acme/cn_7q4', async (http) => (await http.get('/labels')).data);
 * ```
 *
 * `http` is an ordinary axios instance below the connection's API base URL. Each request asks for the newest access token;
 * one 401 that blames the token is followed by a refresh and, where harmless, one repetition. The token is added behind
 * axios: neither a response nor an `AxiosError` holds it. Text and JSON only, at most 10 MiB, no redirects, 30 s.
 *
 * When the connection waits for people, the request fails with CONSENT_NEEDED (benign) or NOT_CONNECTED; neither is retried:
 * call the activity through `whenConnected` and the flow parks. Also fails with TOKEN_NOT_FRESH, ORIGIN_NOT_ALLOWED,
 * REQUEST_OUTCOME_UNKNOWN (a write without `Idempotency-Key`), PROVIDER_UNREACHABLE.
 *
 * @param ref `<tenant>/<connection>`
 */
export async function withConnection<T>(ref: string, use: (http: AxiosInstance) => Promise<T>): Promise<T> {
  const send = await behindBoundary(async () => {
    const ports = reach.getStore();
    if (!ports)
      throw new DurableOAuthError('CONFIGURATION_INVALID', 'withConnection needs DurableOAuthPlugin in this worker');
    const name = parseRef(ref);
    return (call: ApiCall): Promise<ApiAnswer> => callApi(ports, name, call);
  });
  // The author's own errors pass as they are: only the sending is ours.
  return use(
    axios.create({ adapter: async (config) => settled(config, await behindBoundary(() => send(callOf(config)))) }),
  );
}

function callOf(config: InternalAxiosRequestConfig): ApiCall {
  const method = (config.method ?? 'get').toUpperCase();
  const { data, responseType = 'text' } = config as { data?: unknown; responseType?: string };
  const text = typeof data === 'string' || data === undefined || data === null;
  if (!isMethod(method) || !text || !['text', 'json'].includes(responseType)) {
    throw new DurableOAuthError('SYNTAX_INVALID', 'withConnection sends and receives text and JSON only', { method });
  }
  const headers = Object.entries(config.headers.toJSON()).map(([name, value]) => [name.toLowerCase(), String(value)]);
  const sent = Object.fromEntries(headers) as Record<string, string>;
  return {
    method,
    path: axios.getUri({
      url: config.url,
      params: config.params as unknown,
      paramsSerializer: config.paramsSerializer,
    }),
    idempotencyKey: sent['idempotency-key'],
    headers: sent,
    body: data ?? undefined,
    timeoutMs: config.timeout || HTTP_MS,
    budgetMs: Infinity,
    maxBytes: MAX_ANSWER_BYTES,
  };
}

const isMethod = (method: string): method is Method => (METHODS as readonly string[]).includes(method);

/** As the adapters of axios do, but the response knows nothing of the request that carried the token. */
function settled(config: InternalAxiosRequestConfig, { status, headers, body }: ApiAnswer): AxiosResponse {
  const response: AxiosResponse = { status, statusText: '', headers, data: body, config };
  if (!config.validateStatus || config.validateStatus(status)) return response;
  const code = status < 500 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE;
  throw new AxiosError(`Request failed with status code ${status}`, code, config, undefined, response);
}
