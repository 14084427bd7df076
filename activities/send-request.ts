import { activityInfo, ApplicationFailure, Context } from '@temporalio/activity';
import { parseRef } from '../src/connection/ids';
import { isRepeatable } from '../src/connection/requests';
import type { Fact } from '../src/connection/types';
import type { ApiAnswer } from '../src/oauth/contract';
import { blamesToken, callApi, type ApiCall, type ApiPorts } from './call-api';
import type { ApiRequestInput, ApiResult, RequestActivities } from './contract';
import { behindBoundary } from './failure';

/** Start-to-close is 35 s: the answer must be on its way before. */
const BUDGET_MS = 33_000;
const HTTP_MS = 30_000;
/** Quick requests end before the first heartbeat, so they cost none. The limit is 5 s. */
const HEARTBEAT_MS = 2_000;
const MAX_ANSWER_BYTES = 256 * 1024;
/** Failures are kept twice in the engine's working state: a page of the answer is enough to see what is wrong. */
const MAX_REFUSAL_CHARS = 2_048;
/** How often 429, 5xx and a refused token are tried before the flow hears of them. */
const MAX_ATTEMPTS = 5;
/** A token is replaced on a caller's word once it is a minute old: the last attempt comes after that. */
const REFUSED_TOKEN_PAUSE_MS = 16_000;

/**
 * Send one request through a connection and return what the API answered; the token never leaves this activity.
 *
 * Headers, query and body go out unchanged, but for Authorization, Host, Cookie and their like, which an author cannot
 * set. Nothing is stored. Running it twice sends twice: the engine repeats it only where that is harmless.
 *
 * Fails with PROVIDER_ANSWERED_4XX or _5XX (any status but 2xx; details `[{ status, body }]`), ORIGIN_NOT_ALLOWED,
 * ANSWER_TOO_LARGE, ANSWER_CARRIES_TOKEN, REQUEST_OUTCOME_UNKNOWN, CONSENT_NEEDED (benign), NOT_CONNECTED, NOT_FOUND, and
 * retryable with TOKEN_NOT_FRESH, PROVIDER_UNREACHABLE, VAULT_UNAVAILABLE, REGISTRY_UNAVAILABLE. RFC 6750 section 2.1.
 */
export function createSendRequest(ports: ApiPorts): RequestActivities['sendRequest'] {
  return (input) =>
    behindBoundary(async () => {
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
      try {
        return answered(input, await callApi(ports, parseRef(input.ref), callOf(input)));
      } finally {
        clearInterval(beat);
      }
    });
}

function callOf({ method, path, query, headers = {}, body, idempotencyKey }: ApiRequestInput): ApiCall {
  const typed = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  return {
    method,
    path,
    query,
    idempotencyKey,
    headers: {
      ...(text !== undefined && !typed && { 'content-type': type }),
      ...headers,
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    },
    body: text,
    timeoutMs: HTTP_MS,
    budgetMs: BUDGET_MS,
    maxBytes: MAX_ANSWER_BYTES,
  };
}

function answered(input: ApiRequestInput, answer: ApiAnswer): ApiResult {
  const { status } = answer;
  if (status < 200 || status > 299) throw refusal(input, answer, activityInfo().attempt);
  const { 'set-cookie': _cookies, ...headers } = answer.headers;
  return { v: 1, status, headers, body: bodyOf(answer) };
}

function bodyOf({ headers, body }: ApiAnswer): Fact {
  if (body === '') return null;
  if (!/[/+]json\b/i.test(headers['content-type'] ?? '')) return body;
  try {
    return JSON.parse(body) as Fact;
  } catch {
    return body;
  }
}

function refusal(input: ApiRequestInput, answer: ApiAnswer, attempt: number): ApplicationFailure {
  const { status, headers } = answer;
  const refusedToken = blamesToken(answer);
  const temporary = refusedToken || status === 429 || status >= 500;
  const body = answer.body.length > MAX_REFUSAL_CHARS ? answer.body.slice(0, MAX_REFUSAL_CHARS) : bodyOf(answer);
  return ApplicationFailure.create({
    type: status >= 500 ? 'PROVIDER_ANSWERED_5XX' : 'PROVIDER_ANSWERED_4XX',
    message: `The API answered ${status} to ${input.method} [connection=${input.ref}]`,
    nonRetryable: !temporary || !isRepeatable(input) || attempt >= MAX_ATTEMPTS,
    nextRetryDelay: refusedToken ? REFUSED_TOKEN_PAUSE_MS : retryAfterMs(headers['retry-after']),
    details: [{ status, body }],
  });
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function retryAfterMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return ms > 0 ? ms : undefined;
}
