/** Which requests to an API may be sent again. One rule for the engine's retry policy and for the activity that sends. */

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof METHODS)[number];

export interface Sending {
  readonly method: Method;
  /** Sent as `Idempotency-Key`; makes a write repeatable. */
  readonly idempotencyKey?: string;
}

type QueryValue = string | number | boolean;
/** Query parameters; a list repeats its name. */
export type Query = Readonly<Record<string, QueryValue | readonly QueryValue[]>>;

/** Whether a request whose outcome is unknown may be sent again: it reads, or the API recognises it by its key. */
export function isRepeatable({ method, idempotencyKey }: Sending): boolean {
  return method === 'GET' || method === 'HEAD' || idempotencyKey !== undefined;
}

/** Whether a request that the API refused with 401 may be sent again under a new token (RFC 9110 section 9.2.2). */
export function mayFollowRefusal(sending: Sending): boolean {
  return isRepeatable(sending) || sending.method === 'PUT' || sending.method === 'DELETE';
}
