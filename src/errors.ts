/**
 * The one table of failures. Every failure that leaves a module of ours carries one of these codes: the HTTP status,
 * the exit code of the CLI, the retry of the engine and the text for people all follow from the row.
 *
 * Codes are wire: never renamed, never reused.
 */

/** What a failed call to an authorization server asks for (see `src/oauth/classify.ts`). */
export type FailureClass = 'REAUTH' | 'CONFIG' | 'TRANSIENT' | 'AMBIGUOUS' | 'BLOCKED';

/** What a failure asks of the reader: try again later, consent again, correct a setting, or report a defect. */
export type Disposition = 'retry' | 'reconsent' | 'reconfigure' | 'report';

interface Row {
  /** HTTP status of an answer that ends in this failure. */
  readonly status: number;
  readonly disposition: Disposition;
  /** One line, for documentation and as the default message. */
  readonly meaning: string;
}

const row = (status: number, disposition: Disposition, meaning: string): Row => ({ status, disposition, meaning });

export const ERRORS = {
  // Requests to us
  SYNTAX_INVALID: row(400, 'reconfigure', 'The request could not be read'),
  MEMBER_MISSING: row(400, 'reconfigure', 'A required member is missing'),
  MEMBER_INVALID: row(422, 'reconfigure', 'A member has a value that is not allowed'),
  SECRET_MASKED: row(400, 'reconfigure', 'The secret is a mask, not a secret'),
  UNAUTHENTICATED: row(401, 'reconfigure', 'The request carries no valid API key'),
  FORBIDDEN: row(403, 'reconfigure', 'The principal lacks the permission'),
  NOT_FOUND: row(404, 'reconfigure', 'There is no such thing, or not for this caller'),
  METHOD_NOT_ALLOWED: row(405, 'reconfigure', 'The path does not answer this method'),
  TYPE_CONFLICT: row(409, 'reconfigure', 'The resource type does not belong here'),
  ALREADY_EXISTS: row(409, 'reconfigure', 'It exists already'),
  SAVE_IN_PROGRESS: row(409, 'retry', 'The same integration is being saved'),
  IN_USE: row(409, 'reconfigure', 'Something still uses it'),
  OAUTH_CLIENT_MISSING: row(422, 'reconfigure', 'The component needs an OAuth client that this tenant does not have'),
  PRECONDITION_FAILED: row(412, 'reconfigure', 'The resource is no longer the one named in If-Match'),
  PAYLOAD_TOO_LARGE: row(413, 'reconfigure', 'The request is too large'),
  MEDIA_TYPE_UNSUPPORTED: row(415, 'reconfigure', 'The media type is not supported'),
  IDEMPOTENCY_KEY_REUSED: row(422, 'reconfigure', 'The idempotency key belongs to another request'),
  IDEMPOTENCY_IN_PROGRESS: row(409, 'retry', 'The first request under this idempotency key is not answered yet'),
  IDEMPOTENCY_OUTCOME_UNKNOWN: row(409, 'report', 'The first request under this idempotency key was never answered'),
  IDEMPOTENCY_ANSWER_WITHHELD: row(409, 'reconfigure', 'It was done before, and its answer is given once'),
  REDIRECT_URI_NOT_OFFERED: row(422, 'reconfigure', 'The redirect URI is not the one this server offers'),
  TOO_MANY_REQUESTS: row(429, 'retry', 'Too many requests'),
  INTERNAL: row(500, 'report', 'A defect of ours'),

  // Reasons of a connection, a save or a consent: texts in src/connection/reasons.ts
  GRANT_REFUSED: row(409, 'reconsent', 'The authorization server refused the grant'),
  AUTHORIZATION_EXPIRED: row(409, 'reconsent', 'The authorization reached its limit'),
  REFRESH_TOKEN_MISSING: row(422, 'reconsent', 'Access was granted without a refresh token'),
  CLIENT_REJECTED: row(422, 'reconfigure', 'The client id or client secret was not accepted'),
  PROVIDER_UNREACHABLE: row(503, 'retry', 'The provider does not answer'),
  RATE_LIMITED: row(503, 'retry', 'The provider asked us to slow down'),
  PERMISSION_MISSING: row(403, 'reconsent', 'A permission was not granted'),
  CONSENT_NOT_COMPLETED: row(409, 'reconsent', 'Consent was not completed'),
  REDIRECT_URI_MISMATCH: row(422, 'reconfigure', 'The redirect URI is not registered at the provider'),
  ADMIN_APPROVAL_REQUIRED: row(409, 'reconsent', 'An administrator at the provider must approve'),
  WRONG_ACCOUNT: row(409, 'reconsent', 'Consent came from another account'),
  REFRESH_OUTCOME_UNKNOWN: row(503, 'retry', 'A refresh was sent and its answer lost'),
  ROTATION_LOST: row(409, 'reconsent', 'A rotated refresh token never reached us'),
  REVOKED_HERE: row(409, 'reconsent', 'The connection was revoked'),
  OAUTH_CLIENT_UNUSABLE: row(409, 'reconfigure', 'The OAuth client or its component is gone'),
  INTEGRATION_DELETED: row(409, 'reconfigure', 'The integration was deleted'),
  ENDPOINT_BLOCKED: row(422, 'reconfigure', 'An endpoint is not allowed, or changed after the secret was entered'),
  CONSENT_OUTDATED: row(
    409,
    'reconsent',
    'Consent was given to another client id or at another address than are set now',
  ),
  API_REFUSES_FRESH_TOKENS: row(502, 'reconfigure', 'The API refuses every new access token'),
  SCOPE_REJECTED: row(422, 'reconfigure', 'A requested permission does not exist'),
  STORAGE_UNREACHABLE: row(503, 'retry', 'The vault does not answer'),
  RESTORED_FROM_BACKUP: row(409, 'reconfigure', 'The vault was restored; what it holds may be spent already'),
  SAVE_OUTCOME_UNKNOWN: row(502, 'reconsent', 'A pasted refresh token was sent and the answer lost'),
  REQUEST_OUTCOME_UNKNOWN: row(502, 'report', 'A write was sent and its answer lost'),

  // Use of a connection
  CONSENT_NEEDED: row(409, 'reconsent', 'The connection waits for consent'),
  NOT_CONNECTED: row(409, 'reconfigure', 'The connection does not work at present'),
  TOKEN_NOT_FRESH: row(503, 'retry', 'No access token that lives long enough was had in time'),
  ORIGIN_NOT_ALLOWED: row(422, 'reconfigure', 'The URL is outside the API of the connection'),
  PROVIDER_ANSWERED_4XX: row(502, 'reconfigure', 'The API refused the request'),
  PROVIDER_ANSWERED_5XX: row(502, 'retry', 'The API failed'),
  ANSWER_TOO_LARGE: row(502, 'reconfigure', 'The answer is larger than what may enter a workflow'),
  ANSWER_CARRIES_TOKEN: row(502, 'report', 'The answer repeats the access token and was withheld'),

  // Parts we stand on
  VAULT_UNAVAILABLE: row(503, 'retry', 'The vault does not answer'),
  VAULT_MISSING: row(500, 'report', 'The vault has no such entry'),
  VAULT_CONFLICT: row(500, 'report', 'The vault holds another value under this generation'),
  VAULT_GONE: row(409, 'reconsent', 'The vault entry was destroyed'),
  VAULT_CORRUPT: row(500, 'report', 'A vault entry cannot be opened: wrong key or changed file'),
  REGISTRY_UNAVAILABLE: row(503, 'retry', 'The registry does not answer'),
  TEMPORAL_UNAVAILABLE: row(503, 'retry', 'The Temporal Service does not answer'),
  ENVELOPE_UNREADABLE: row(422, 'report', 'A sealed value cannot be opened'),
  CONFIGURATION_INVALID: row(500, 'reconfigure', 'The configuration of this process is not valid'),
} as const satisfies Record<string, Row>;

export type ErrorCode = keyof typeof ERRORS;

/** Non-secret facts that locate a failure; printed in brackets behind the message. */
export type Coordinates = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * A failure of ours. Consumers switch on `code`; `instanceof` does not survive the workflow sandbox.
 *
 * The message says what was attempted, then bracketed non-secret coordinates. There is no `cause`: a foreign error
 * (of an HTTP client, an SDK, a driver) may hold a request with its credentials.
 */
export class DurableOAuthError extends Error {
  readonly code: ErrorCode;
  readonly coordinates: Coordinates;

  constructor(code: ErrorCode, attempted: string = ERRORS[code].meaning, coordinates: Coordinates = {}) {
    super(attempted + bracketed(coordinates));
    this.name = 'DurableOAuthError';
    this.code = code;
    this.coordinates = coordinates;
  }
}

export function isDurableOAuthError(error: unknown, code?: ErrorCode): error is DurableOAuthError {
  if (!(error instanceof Error) || !('code' in error) || error.name !== 'DurableOAuthError') return false;
  return code === undefined || error.code === code;
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

function bracketed(coordinates: Coordinates): string {
  const known = Object.entries(coordinates).filter(([, value]) => value !== undefined);
  return known.length === 0 ? '' : ` [${known.map(([name, value]) => `${name}=${String(value)}`).join(' ')}]`;
}
