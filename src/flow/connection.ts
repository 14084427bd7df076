import { isCancellation, sleep } from '@temporalio/workflow';
import type { ApiRequestInput } from '../../activities/contract';
import { parseRef } from '../connection/ids';
import { isRepeatable } from '../connection/requests';
import { coded, failingFlow, flowFailure, waitsForPeople, wasNotSent } from './failures';
import { parked } from './parking';
import { once, pauseMs, repeated } from './policies';
import type { ApiResponse, ConnectionApi, ConnectionOptions, Duration, RequestOptions } from './types';

/**
 * Use a connection by its ref. Requests run on our task queue: neither the flow nor its worker ever holds a token.
 *
 * ```ts
 * const shop = connection('acme/cn_7q4', { whenConsentNeeded: { waitAtMost: '14 days' } });
 * const { body } = await shop.get<OrdersPage>('/orders', { query: { page: 1 } });
 * await shop.post(path`/orders/${id}/ack`, { idempotencyKey: id });
 * ```
 *
 * @param ref `<tenant>/<connection>`
 * @throws SYNTAX_INVALID (`ApplicationFailure`) when the ref is not one
 */
export function connection(ref: string, options: { readonly whenConsentNeeded: 'skip' }): ConnectionApi<undefined>;
export function connection(
  ref: string,
  options?: { readonly whenConsentNeeded?: { readonly waitAtMost: Duration } | 'fail' },
): ConnectionApi;
export function connection(ref: string, options: ConnectionOptions = {}): ConnectionApi<undefined> {
  failingFlow(() => parseRef(ref));
  const request = <Body>(asked: RequestOptions): Promise<ApiResponse<Body> | undefined> =>
    unlessWaiting(ref, options, () => send<Body>({ ...asked, v: 1, ref }));
  return {
    get: (path, more) => request({ ...more, method: 'GET', path }),
    head: (path, more) => request({ ...more, method: 'HEAD', path }),
    post: (path, more) => request({ ...more, method: 'POST', path }),
    put: (path, more) => request({ ...more, method: 'PUT', path }),
    patch: (path, more) => request({ ...more, method: 'PATCH', path }),
    delete: (path, more) => request({ ...more, method: 'DELETE', path }),
    request,
  };
}

/**
 * Run work that needs a connection, for example an activity of yours that calls `withConnection`. When it fails with
 * CONSENT_NEEDED or NOT_CONNECTED, park without limit until the connection is active and run it again, from its start.
 */
export async function whenConnected<T>(ref: string, work: () => Promise<T>): Promise<T> {
  failingFlow(() => parseRef(ref));
  return parked(ref, undefined, work);
}

async function unlessWaiting<T>(
  ref: string,
  options: ConnectionOptions,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const fallback = options.whenConsentNeeded;
  if (fallback === 'fail') return work();
  if (fallback !== 'skip') return parked(ref, fallback?.waitAtMost, work);
  try {
    return await work();
  } catch (error) {
    if (waitsForPeople(error)) return undefined;
    throw error;
  }
}

async function send<Body>(input: ApiRequestInput): Promise<ApiResponse<Body>> {
  const repeatable = isRepeatable(input);
  const { sendRequest } = repeatable ? repeated : once;
  const summary = `${what(input)} through ${input.ref}`;
  for (let tries = 1; ; tries++) {
    try {
      const { status, headers, body } = await sendRequest.executeWithOptions({ summary }, [input]);
      return { status, headers, body: body as Body };
    } catch (error) {
      if (isCancellation(error)) throw error;
      const failure = coded(error);
      if (repeatable) throw failure ?? error;
      if (!failure) throw flowFailure('REQUEST_OUTCOME_UNKNOWN', `${summary}: sent, and no answer came`);
      if (!wasNotSent(failure)) throw failure;
      await sleep(pauseMs(tries), { summary: `${what(input)} was not sent` });
    }
  }
}

/** Without the query: it may hold what nobody should read in a list of activities. */
function what({ method, path }: ApiRequestInput): string {
  const bare = path.split(/[?#]/, 1)[0] ?? '';
  return `${method} ${bare.length > 120 ? `${bare.slice(0, 119)}…` : bare}`;
}
