import { activityInfo, ApplicationFailure, Context } from '@temporalio/activity';
import {
  blamesToken,
  bodyOf,
  callApi,
  shownHeaders,
  written,
  type ApiCall,
  type ApiPorts,
} from '../src/client/call-api';
import { parseRef } from '../src/connection/ids';
import { isRepeatable } from '../src/connection/requests';
import { retryAfterOf } from '../src/oauth/answer-facts';
import type { ApiAnswer } from '../src/oauth/contract';
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

function callOf(input: ApiRequestInput): ApiCall {
  const { method, path, query, idempotencyKey } = input;
  const limits = { timeoutMs: HTTP_MS, budgetMs: BUDGET_MS, maxBytes: MAX_ANSWER_BYTES };
  return { method, path, query, idempotencyKey, ...written(input), ...limits };
}

function answered(input: ApiRequestInput, answer: ApiAnswer): ApiResult {
  const { status } = answer;
  if (status < 200 || status > 299) throw refusal(input, answer, activityInfo().attempt);
  return { v: 1, status, headers: shownHeaders(answer), body: bodyOf(answer) };
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

/** At most an hour, and always a finite number: the engine's own converter throws at any other, outside our boundary. */
function retryAfterMs(text: string | undefined): number | undefined {
  const seconds = retryAfterOf(text, new Date());
  return seconds === undefined ? undefined : seconds * 1_000;
}
