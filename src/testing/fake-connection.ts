import { ApplicationFailure } from '@temporalio/common';
import type { ApiRequestInput, RequestActivities } from '../../activities/contract';
import type { Fact } from '../connection/types';
import type { ErrorCode } from '../errors';

export interface FakeAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Fact;
}

/** @param params the values of the route's `:names` */
export type FakeRoute = (request: ApiRequestInput, params: Readonly<Record<string, string>>) => FakeAnswer;

export interface FakeConnection {
  /** For a worker on the task queue `durable-oauth-requests`. */
  readonly activities: RequestActivities;
  /** All requests so far, in the order they came; those refused for want of consent too. */
  readonly requests: readonly ApiRequestInput[];
  /** From now on requests fail with CONSENT_NEEDED, and flows park. */
  withdrawConsent(): void;
  /** Wakes parked flows. */
  renewConsent(): void;
}

/**
 * Stand in for connections and the APIs behind them, to test a flow without a provider, a vault or our server.
 *
 * ```ts
 * const shop = fakeConnection({ 'GET /orders': () => ({ body: [] }), 'POST /orders/:id/ack': (_, { id }) => ({ body: { id } }) });
 * const requests = await Worker.create({ connection, taskQueue: 'durable-oauth-requests', activities: shop.activities });
 * ```
 *
 * Answers and failures look to the flow as the real ones do; a request without route gets 404. No URL is joined, no
 * header is checked and nothing is retried after a refresh.
 *
 * @param routes by method and path, the query left out; a segment `:name` matches any value
 */
export function fakeConnection(routes: Readonly<Record<string, FakeRoute>>): FakeConnection {
  const requests: ApiRequestInput[] = [];
  let consented = true;
  let parked: (() => void)[] = [];
  return {
    activities: {
      async sendRequest(input) {
        requests.push(input);
        if (!consented) throw failure('CONSENT_NEEDED', `The connection waits for consent [connection=${input.ref}]`);
        const { status = 200, headers = {}, body = null } = answerOf(routes, input);
        if (status >= 200 && status <= 299) return { v: 1, status, headers, body };
        const code = status >= 500 ? 'PROVIDER_ANSWERED_5XX' : 'PROVIDER_ANSWERED_4XX';
        throw failure(code, `The API answered ${status} to ${input.method} [connection=${input.ref}]`, {
          status,
          body,
        });
      },
      async untilActive() {
        if (!consented) await new Promise<void>((wake) => parked.push(wake));
        return { v: 1, state: 'active' };
      },
    },
    requests,
    withdrawConsent() {
      consented = false;
    },
    renewConsent() {
      consented = true;
      parked.forEach((wake) => wake());
      parked = [];
    },
  };
}

function answerOf(routes: Readonly<Record<string, FakeRoute>>, request: ApiRequestInput): FakeAnswer {
  const asked = [request.method, ...segments(request.path)];
  for (const [route, answer] of Object.entries(routes)) {
    const [method = '', path = ''] = route.split(' ', 2);
    const pattern = [method, ...segments(path)];
    if (pattern.length !== asked.length) continue;
    const pairs = pattern.map((name, index) => [name, asked[index] ?? ''] as const);
    if (!pairs.every(([name, value]) => name.startsWith(':') || name === value)) continue;
    const params = pairs
      .filter(([name]) => name.startsWith(':'))
      .map(([name, value]) => [name.slice(1), value] as const);
    return answer(request, Object.fromEntries(params));
  }
  return { status: 404 };
}

const segments = (path: string): string[] => (path.split(/[?#]/, 1)[0] ?? '').split('/').map(decodeURIComponent);

/** Not retried, so that a test of a failure ends at once. */
function failure(code: ErrorCode, message: string, ...details: unknown[]): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, code, ...details);
}
