/** One authorised call of an API: what `sendRequest`, `withConnection` and the REST route have in common. */
import { formatRef } from '../connection/ids';
import { isRepeatable, mayFollowRefusal, type Query, type Sending } from '../connection/requests';
import type { ConnectionRef, Fact } from '../connection/types';
import { DurableOAuthError, isDurableOAuthError } from '../errors';
import { apiUrl, endpointsBelow, safeHeaders } from '../oauth/api-url';
import type { ApiAnswer, ApiCaller } from '../oauth/contract';
import { isOAuthFailure } from '../oauth/failure';
import type { Catalogue, Preset } from '../providers/preset';
import { presetOf } from '../providers/resolve';
import type { Registry } from '../registry/contract';
import type { FreshToken, TokenReader } from './contract';

export interface ApiPorts {
  readonly tokens: TokenReader;
  readonly api: ApiCaller;
  readonly connections: Pick<Registry['connections'], 'context'>;
  readonly catalogue: Catalogue;
}

export interface ApiCall extends Sending {
  /** Below the connection's API base URL, or an absolute URL of the same origin. */
  readonly path: string;
  readonly query?: Query;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds for one answer, and for everything together. */
  readonly timeoutMs: number;
  readonly budgetMs: number;
  readonly maxBytes: number;
}

/** A call with the place it goes to, checked. */
interface Addressed extends ApiCall {
  readonly ref: string;
  readonly url: string;
  readonly mayFollow: (url: string) => boolean;
  readonly preset: Preset;
}

type Headers = Readonly<Record<string, string>>;

/** What an author writes: a body as text or as a value. */
interface Written extends Sending {
  readonly headers?: Headers;
  readonly body?: Fact;
}

const TOKEN_WAIT_MS = 10_000;
/** With less time left than this, another request would only make an outcome unknown. */
const WORTH_SENDING_MS = 1_000;

/**
 * Ask the reader for a token, send, and return what the API answered, whatever its status.
 *
 * A 401 that blames the token is told to the reader, which refreshes; where a repetition is harmless, the request is sent
 * once more under the new token.
 *
 * @throws NOT_FOUND; ORIGIN_NOT_ALLOWED, before a token is asked for; REQUEST_OUTCOME_UNKNOWN when a write that may not be
 * repeated was sent and not answered; everything the reader and the API caller throw
 */
export async function callApi(ports: ApiPorts, ref: ConnectionRef, given: ApiCall): Promise<ApiAnswer> {
  const end = Date.now() + given.budgetMs;
  const left = (): number => end - Date.now();
  const read = (refused?: number): Promise<FreshToken> =>
    ports.tokens.read(ref, { refused, deadlineMs: Math.max(0, Math.min(TOKEN_WAIT_MS, left())) });

  const call = await addressed(ports, ref, given);
  const token = await read();
  const answer = await send(ports.api, call, token, left());
  if (!blamesToken(answer)) return answer;
  const newer = await afterRefusal(call, read(token.generation));
  const isNew = newer && (newer.grant !== token.grant || newer.generation !== token.generation);
  const worth = isNew && mayFollowRefusal(call) && left() > WORTH_SENDING_MS;
  return worth ? send(ports.api, call, newer, left()) : answer;
}

/** RFC 6750 section 3.1: `invalid_token`. Many APIs answer 401 without saying why; only another reason clears the token. */
export function blamesToken({ status, headers }: ApiAnswer): boolean {
  const reason = /\berror="?([a-z_]+)/i.exec(headers['www-authenticate'] ?? '')?.[1];
  return status === 401 && (reason === undefined || reason === 'invalid_token');
}

async function addressed(ports: ApiPorts, ref: ConnectionRef, call: ApiCall): Promise<Addressed> {
  const context = await ports.connections.context(ref);
  if (!context) throw new DurableOAuthError('NOT_FOUND', 'Call an API through a connection', { ...ref });
  const { api_base_url, endpoints, preset: name } = context.integration.settings;
  const preset = presetOf(ports.catalogue, name, context.provider);
  const denied = [...preset.denied_paths, ...endpointsBelow(api_base_url, endpoints)];
  const url = apiUrl(api_base_url, call.path, call.query, denied);
  const mayFollow = (to: string): boolean => isAllowed(() => apiUrl(api_base_url, to, undefined, denied));
  return { ...call, ref: formatRef(ref), url, mayFollow, preset };
}

function isAllowed(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (isDurableOAuthError(error, 'ORIGIN_NOT_ALLOWED')) return false;
    throw error;
  }
}

async function send(api: ApiCaller, call: Addressed, token: FreshToken, leftMs: number): Promise<ApiAnswer> {
  const { method, url, mayFollow, body, maxBytes, preset } = call;
  const coordinates = { connection: call.ref, method };
  if (leftMs < WORTH_SENDING_MS) throw new DurableOAuthError('TOKEN_NOT_FRESH', undefined, coordinates);
  // The reader may know the address of before, and the token is for that one.
  if (new URL(url).origin !== new URL(token.apiBaseUrl).origin) {
    throw new DurableOAuthError('TOKEN_NOT_FRESH', 'The address of the API is another since', coordinates);
  }
  const timeoutMs = Math.min(call.timeoutMs, leftMs);
  const request = { method, url, headers: safeHeaders(call.headers), body, timeoutMs, maxBytes, mayFollow };
  try {
    return await api.send(request, { value: token.accessToken, preset });
  } catch (error) {
    if (isAnswered(error)) throw error;
    if (!isRepeatable(call)) throw new DurableOAuthError('REQUEST_OUTCOME_UNKNOWN', undefined, coordinates);
    throw isOAuthFailure(error) ? new DurableOAuthError('PROVIDER_UNREACHABLE', undefined, coordinates) : error;
  }
}

/** Whether it is known what became of the request: it never left, or its answer came and was refused. */
function isAnswered(error: unknown): boolean {
  return isOAuthFailure(error) ? error.facts.class !== 'AMBIGUOUS' : isDurableOAuthError(error);
}

/**
 * @returns undefined when there is no newer token: the refused one may be too young to be replaced on a caller's word
 * @throws what the reader throws; for a write that is over, only that the connection waits for people
 */
async function afterRefusal(call: ApiCall, reading: Promise<FreshToken>): Promise<FreshToken | undefined> {
  try {
    return await reading;
  } catch (error) {
    const waits = isDurableOAuthError(error, 'CONSENT_NEEDED') || isDurableOAuthError(error, 'NOT_CONNECTED');
    if (isDurableOAuthError(error, 'TOKEN_NOT_FRESH') || (!waits && !mayFollowRefusal(call))) return undefined;
    throw error;
  }
}

/** The body as it goes out, and the headers that tell of it; a content type of the author's own wins. */
export function written({ headers = {}, body, idempotencyKey }: Written): Pick<ApiCall, 'headers' | 'body'> {
  const typed = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  return {
    headers: {
      ...(text !== undefined && !typed && { 'content-type': type }),
      ...headers,
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    },
    body: text,
  };
}

/** The headers a caller may see: a cookie of the API is a credential too. */
export function shownHeaders({ headers }: ApiAnswer): Headers {
  const { 'set-cookie': _cookies, ...shown } = headers;
  return shown;
}

/** @returns the value of a JSON body, the text of any other, null for none */
export function bodyOf({ headers, body }: ApiAnswer): Fact {
  if (body === '') return null;
  if (!/[/+]json\b/i.test(headers['content-type'] ?? '')) return body;
  try {
    return JSON.parse(body) as Fact;
  } catch {
    return body;
  }
}
