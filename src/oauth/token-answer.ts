/** A token endpoint's answer, read tolerantly per preset: as a token answer, or as a classified failure. */
import type { Preset } from '../providers/preset';
import { Secret } from '../vault/secret';
import { classifyAnswer } from './classify';
import type { TokenAnswer } from './contract';
import { OAuthFailure } from './failure';
import type { GuardedAnswer } from './guarded-client';
import { parseLifetime, shortenByJwt } from './lifetime';
import { at, membersOf, textAt, textOf, type Members } from './members';
import { normaliseScope } from './scope';

/** A token answer and what else was in it that only the caller can judge. */
export interface ReadAnswer {
  readonly answer: TokenAnswer;
  readonly idToken?: string;
}

export interface AnswerClock {
  readonly issuedAt: Date;
  readonly receivedAt: Date;
}

/** @throws OAuthFailure; AMBIGUOUS for a success that cannot be read: the server has committed */
export function readTokenAnswer(raw: GuardedAnswer, preset: Preset, clock: AnswerClock, attempted: string): ReadAnswer {
  const members = raw.cut === undefined ? membersOf(raw) : undefined;
  if (raw.status < 200 || raw.status > 299 || refuses(members, preset)) {
    throw refusal(raw, members, preset, clock.receivedAt, attempted);
  }
  const body = bodyOf(members, preset);
  const accessToken = textAt(body, 'access_token');
  // RFC 6749 appendix A.12; anything else could not be sent in a header.
  if (body === undefined || accessToken === undefined || !/^[\x20-\x7e]+$/.test(accessToken)) {
    throw new OAuthFailure(`${attempted}: the answer has no readable access token`, {
      class: 'AMBIGUOUS',
      code: 'REFRESH_OUTCOME_UNKNOWN',
      sent: true,
      httpStatus: raw.status,
    });
  }
  return { answer: tokenAnswer(body, accessToken, preset, clock), idToken: textAt(body, 'id_token') };
}

/** A refusal as a failure; also for the other endpoints of an authorization server, which answer errors alike. */
export function refusal(
  raw: GuardedAnswer,
  members: Members | undefined,
  preset: Preset,
  now: Date,
  attempted: string,
): OAuthFailure {
  const { status, headers } = raw;
  const answer = {
    status,
    headers,
    error: errorOf(members, preset),
    description: textAt(members, 'error_description'),
  };
  return new OAuthFailure(attempted, classifyAnswer(answer, preset, now));
}

/** RFC 6749 section 5.2; some servers put an object in its place, and an empty error is none. */
export function errorOf(members: Members | undefined, preset: Pick<Preset, 'response'>): string | undefined {
  const found = members && at(members, preset.response.error_path ?? 'error');
  return textOf(typeof found === 'object' && found !== null && 'code' in found ? found.code : found);
}

/** Whether an answer with a good status is an error nevertheless: by the preset's predicate, else by an error member. */
function refuses(members: Members | undefined, preset: Preset): boolean {
  const { success } = preset.response;
  if (members === undefined) return false;
  return success === undefined ? errorOf(members, preset) !== undefined : at(members, success.path) !== success.equals;
}

function bodyOf(members: Members | undefined, { response }: Preset): Members | undefined {
  const found = members && (response.path === undefined ? members : at(members, response.path));
  return typeof found === 'object' && found !== null ? (found as Members) : undefined;
}

function tokenAnswer(
  body: Members,
  accessToken: string,
  preset: Preset,
  { issuedAt, receivedAt }: AnswerClock,
): TokenAnswer {
  const { expires_in_field: field, expires_in_unit: unit } = preset.response;
  const said = parseLifetime(at(body, field), unit, issuedAt);
  const seconds = shortenByJwt(said.seconds ?? preset.lifetime.default_seconds ?? null, accessToken, issuedAt);
  const refreshToken = textAt(body, 'refresh_token');
  const type = tokenTypeOf(body);
  return {
    accessToken: new Secret(accessToken),
    refreshToken: refreshToken === undefined ? undefined : new Secret(refreshToken),
    tokenType: type.tokenType,
    scope: scopeOf(body, preset),
    issuedAt: issuedAt.toISOString(),
    receivedAt: receivedAt.toISOString(),
    expiresAt: seconds === null ? null : new Date(issuedAt.getTime() + seconds * 1_000).toISOString(),
    lifetimeSeconds: seconds,
    warnings: [...said.warnings, ...type.warnings],
  };
}

/** RFC 6749 section 5.1 requires it, and many servers leave it out or name what the token is for. */
function tokenTypeOf(body: Members): Pick<TokenAnswer, 'tokenType' | 'warnings'> {
  const tokenType = textAt(body, 'token_type');
  if (tokenType === undefined) return { tokenType: 'Bearer', warnings: [] };
  if (/^bearer$/i.test(tokenType)) return { tokenType: 'Bearer', warnings: [] };
  const warnings = ['TOKEN_TYPE_UNUSUAL'];
  return { tokenType: /^[a-z_-]{1,32}$/i.test(tokenType) ? tokenType : 'Bearer', warnings };
}

/** @returns space separated; a list, or text with the preset's separators */
function scopeOf(body: Members, preset: Preset): string | undefined {
  const scope = at(body, 'scope');
  if (Array.isArray(scope)) return scope.filter((one) => typeof one === 'string').join(' ');
  const text = textOf(scope);
  return text === undefined ? undefined : normaliseScope(text, preset);
}
