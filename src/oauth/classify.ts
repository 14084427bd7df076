/** The classifier: what a refusal of an authorization server asks for. The table of oauth.md 4.1. */
import type { ErrorCode, FailureClass } from '../errors';
import type { Preset } from '../providers/preset';
import { cleanCode, requestIdOf, retryAfterOf } from './answer-facts';
import type { OAuthFailureFacts } from './contract';

type Verdict = readonly [FailureClass, ErrorCode];

/** RFC 6749 sections 4.1.2.1 and 5.2, OpenID Connect Core 3.1.2.6, RFC 8707 section 2, RFC 8628 section 3.5. */
const RFC_ERRORS: ReadonlyMap<string, Verdict> = new Map<string, Verdict>([
  ['invalid_grant', ['REAUTH', 'GRANT_REFUSED']],
  ['interaction_required', ['REAUTH', 'GRANT_REFUSED']],
  ['login_required', ['REAUTH', 'GRANT_REFUSED']],
  ['consent_required', ['REAUTH', 'GRANT_REFUSED']],
  ['invalid_client', ['CONFIG', 'CLIENT_REJECTED']],
  ['unauthorized_client', ['CONFIG', 'CLIENT_REJECTED']],
  ['unsupported_grant_type', ['CONFIG', 'CLIENT_REJECTED']],
  ['invalid_request', ['CONFIG', 'CLIENT_REJECTED']],
  ['redirect_uri_mismatch', ['CONFIG', 'REDIRECT_URI_MISMATCH']],
  ['invalid_redirect_uri', ['CONFIG', 'REDIRECT_URI_MISMATCH']],
  ['invalid_scope', ['CONFIG', 'SCOPE_REJECTED']],
  ['invalid_target', ['CONFIG', 'SCOPE_REJECTED']],
  ['temporarily_unavailable', ['TRANSIENT', 'PROVIDER_UNREACHABLE']],
  ['server_error', ['TRANSIENT', 'PROVIDER_UNREACHABLE']],
  ['slow_down', ['TRANSIENT', 'RATE_LIMITED']],
]);

const CODE_OF_CLASS = {
  REAUTH: 'GRANT_REFUSED',
  CONFIG: 'CLIENT_REJECTED',
  TRANSIENT: 'PROVIDER_UNREACHABLE',
} as const satisfies Partial<Record<FailureClass, ErrorCode>>;

/** Servers that throttle with another status than 429 say so in their code. */
const THROTTLED = /rate_?limit|throttl|too_?many_?requests|^slow_down$/i;

export interface RefusedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The provider's error code as found in the answer, when there was one. */
  readonly error?: string;
  /** Its prose: read here, never passed on. */
  readonly description?: string;
}

/** @param now for a Retry-After given as a date */
export function classifyAnswer(answer: RefusedAnswer, preset: Pick<Preset, 'errors'>, now: Date): OAuthFailureFacts {
  const [kind, code] = verdict(answer, preset);
  return {
    class: kind,
    code,
    sent: true,
    httpStatus: answer.status,
    oauthError: cleanCode(answer.error),
    requestId: requestIdOf(answer.headers),
    retryAfterSeconds: kind === 'TRANSIENT' ? retryAfterOf(answer.headers['retry-after'], now) : undefined,
  };
}

function verdict(answer: RefusedAnswer, preset: Pick<Preset, 'errors'>): Verdict {
  const { status, error = '' } = answer;
  const known = RFC_ERRORS.get(error.toLowerCase());
  const own = Object.hasOwn(preset.errors, error) ? preset.errors[error] : undefined;
  if (own === 'TRANSIENT' && THROTTLED.test(error)) return ['TRANSIENT', 'RATE_LIMITED'];
  if (own) return known?.[0] === own ? known : [own, CODE_OF_CLASS[own]];
  if (status === 429 || THROTTLED.test(error)) return ['TRANSIENT', 'RATE_LIMITED'];
  // An error code on a 5xx is not to be trusted with somebody's consent.
  if (status >= 500 || status === 408 || status === 425) return ['TRANSIENT', 'PROVIDER_UNREACHABLE'];
  if (status >= 300 && status < 400) return ['BLOCKED', 'ENDPOINT_BLOCKED'];
  if (namesRedirectUri(answer)) return ['CONFIG', 'REDIRECT_URI_MISMATCH'];
  if (known) return known;
  // A 401 still says whose fault it is; any other odd 4xx (a firewall's page) does not.
  return status === 401 ? ['CONFIG', 'CLIENT_REJECTED'] : ['TRANSIENT', 'PROVIDER_UNREACHABLE'];
}

function namesRedirectUri({ error, description = '' }: RefusedAnswer): boolean {
  return (error === 'invalid_grant' || error === 'invalid_request') && /redirect[ _]?ur[il]/i.test(description);
}
