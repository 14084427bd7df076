/** What a flow author sees of a connection. */
import type { ApiRequestInput } from '../../activities/contract';

type Unit = 'second' | 'minute' | 'hour' | 'day' | 'week';

/** Milliseconds, or text: `'14 days'`, `'90 minutes'`, `'30s'`. The SDK's own type is `any` where modules resolve as in Node. */
export type Duration = number | `${number} ${Unit | `${Unit}s`}` | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/**
 * What a request does while the connection waits for a person: wait, but not longer than this for one renewal; fail with
 * CONSENT_NEEDED or NOT_CONNECTED; or resolve to `undefined`.
 */
export type WhenConsentNeeded = { readonly waitAtMost: Duration } | 'fail' | 'skip';

export interface ConnectionOptions {
  /** Absent = the flow parks without limit and goes on at the same request. */
  readonly whenConsentNeeded?: WhenConsentNeeded;
}

export interface ApiResponse<Body> {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed when the API says that it is JSON, else text; null when the answer is empty. Trusted, not checked. */
  readonly body: Body;
}

export type ReadOptions = Pick<ApiRequestInput, 'query' | 'headers'>;
/** A body that is a string is sent as it is, anything else as JSON. */
export type WriteOptions = ReadOptions & Pick<ApiRequestInput, 'body' | 'idempotencyKey'>;
export type RequestOptions = WriteOptions & Pick<ApiRequestInput, 'method' | 'path'>;

/**
 * The API behind a connection. A path is joined to the connection's API base URL; an absolute URL must have its origin.
 *
 * Reads, and writes with an `idempotencyKey`, are repeated until they have an answer. A write without key is sent once.
 * Every method fails with an `ApplicationFailure` whose `type` is a code:
 * - PROVIDER_ANSWERED_4XX, PROVIDER_ANSWERED_5XX: any status but 2xx; `details[0]` is `{ status, body }`
 * - REQUEST_OUTCOME_UNKNOWN: a write without key was sent, and nobody knows what became of it
 * - CONSENT_NEEDED, NOT_CONNECTED: with `'fail'`, or when `waitAtMost` is over
 * - ORIGIN_NOT_ALLOWED, ANSWER_TOO_LARGE (256 KiB), ANSWER_CARRIES_TOKEN, NOT_FOUND
 */
export interface ConnectionApi<Skipped extends undefined = never> {
  get<Body = unknown>(path: string, options?: ReadOptions): Promise<ApiResponse<Body> | Skipped>;
  head(path: string, options?: ReadOptions): Promise<ApiResponse<null> | Skipped>;
  post<Body = unknown>(path: string, options?: WriteOptions): Promise<ApiResponse<Body> | Skipped>;
  put<Body = unknown>(path: string, options?: WriteOptions): Promise<ApiResponse<Body> | Skipped>;
  patch<Body = unknown>(path: string, options?: WriteOptions): Promise<ApiResponse<Body> | Skipped>;
  delete<Body = unknown>(path: string, options?: WriteOptions): Promise<ApiResponse<Body> | Skipped>;
  request<Body = unknown>(request: RequestOptions): Promise<ApiResponse<Body> | Skipped>;
}
