/** One request to the API behind a connection. The token goes in here and comes out nowhere. */
import type { FreshToken, TokenReader } from '../client/contract';
import { isRepeatable, mayFollowRefusal } from '../connection/requests';
import type { ConnectionRef } from '../connection/types';
import { DurableOAuthError } from '../errors';
import { apiUrl, endpointsBelow, safeHeaders } from '../oauth/api-url';
import type { ApiAnswer, ApiCaller, ApiRequest } from '../oauth/contract';
import { isOAuthFailure } from '../oauth/failure';
import type { Catalogue } from '../providers/preset';
import type { Registry } from '../registry/contract';
import type { RequestAttributes, ResponseAttributes } from './schemas/actions';

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 1024 * 1024;

interface Ports {
  readonly tokens: TokenReader;
  readonly apiCaller: ApiCaller;
  readonly catalogue: Catalogue;
  readonly connections: Pick<Registry['connections'], 'context'>;
}

type Sending = Pick<ApiRequest, 'method' | 'headers' | 'body'> &
  Pick<RequestAttributes, 'path' | 'query'> & {
    readonly idempotencyKey?: string;
  };

/**
 * Send it with the newest access token. A 401 that blames the token forces one refresh; then the request is repeated once
 * if its method or its idempotency key allows it.
 * @throws ORIGIN_NOT_ALLOWED, ANSWER_CARRIES_TOKEN, REQUEST_OUTCOME_UNKNOWN, PROVIDER_UNREACHABLE, ENDPOINT_BLOCKED, and
 * what `TokenReader.read` throws
 */
export async function sendAuthorised(
  ports: Ports,
  ref: ConnectionRef,
  ask: RequestAttributes,
): Promise<ResponseAttributes> {
  const sending = toSending(ask);
  const token = await ports.tokens.read(ref);
  const answer = await send(ports, ref, token, sending);
  if (!blamesToken(answer)) return toAttributes(answer);
  const newer = await ports.tokens.read(ref, { refused: token.generation });
  const same = newer.grant === token.grant && newer.generation === token.generation;
  return toAttributes(same || !mayFollowRefusal(sending) ? answer : await send(ports, ref, newer, sending));
}

async function send(ports: Ports, ref: ConnectionRef, token: FreshToken, sending: Sending): Promise<ApiAnswer> {
  const { catalogue, apiCaller, connections } = ports;
  const preset = catalogue.get(token.preset);
  const settings = (await connections.context(ref))?.integration.settings;
  if (preset === undefined || settings === undefined) throw new DurableOAuthError('CONFIGURATION_INVALID');
  const denied = [...preset.denied_paths, ...endpointsBelow(token.apiBaseUrl, settings.endpoints)];
  const request = toRequest(sending, token.apiBaseUrl, denied);
  let answer: ApiAnswer;
  try {
    answer = await apiCaller.send(request, { value: token.accessToken, preset });
  } catch (error) {
    if (isRepeatable(sending) || !mayHaveBeenDone(error)) throw error;
    throw new DurableOAuthError('REQUEST_OUTCOME_UNKNOWN');
  }
  const told = [answer.body, ...Object.values(answer.headers)].join('\n');
  if (told.includes(token.accessToken.reveal())) throw new DurableOAuthError('ANSWER_CARRIES_TOKEN');
  return answer;
}

function toSending({ method, path, query, headers = {}, body, idempotency_key }: RequestAttributes): Sending {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  return {
    method,
    path,
    query,
    headers: {
      ...(text !== undefined && { 'content-type': type }),
      ...safeHeaders(headers),
      ...(idempotency_key !== undefined && { 'idempotency-key': idempotency_key }),
    },
    body: text,
    idempotencyKey: idempotency_key,
  };
}

const toRequest = (
  { method, path, query, headers, body }: Sending,
  base: string,
  denied: readonly string[],
): ApiRequest => ({
  method,
  url: apiUrl(base, path, query, denied),
  headers,
  body,
  timeoutMs: TIMEOUT_MS,
  maxBytes: MAX_BYTES,
});

/** A failure that says neither "not sent" nor what was answered leaves it open what the API did. */
function mayHaveBeenDone(error: unknown): boolean {
  return !isOAuthFailure(error) || (error.facts.sent && error.facts.httpStatus === undefined);
}

/** RFC 6750 section 3.1. Many APIs answer 401 without saying why; only another reason clears the token. */
function blamesToken({ status, headers }: ApiAnswer): boolean {
  const reason = /\berror="?([a-z_]+)/i.exec(headers['www-authenticate'] ?? '')?.[1];
  return status === 401 && (reason === undefined || reason === 'invalid_token');
}

function toAttributes({ status, headers, body }: ApiAnswer): ResponseAttributes {
  const { 'set-cookie': _cookies, ...shown } = headers;
  return { status, headers: shown, body: bodyOf(shown['content-type'] ?? '', body) };
}

function bodyOf(type: string, body: string): ResponseAttributes['body'] {
  if (body === '') return null;
  if (!/[/+]json\b/i.test(type)) return body;
  try {
    return JSON.parse(body) as ResponseAttributes['body'];
  } catch {
    return body;
  }
}
