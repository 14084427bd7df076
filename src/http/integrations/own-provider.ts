/** A tenant's own provider: what was sent and what it is based on, put together and checked. */
import { presetSchema, type Preset, type PresetInput } from '../../providers/preset';
import type { AppDeps } from '../deps';
import { ProblemError, type Problem } from '../problem';
import type { ProviderAttributes } from '../schemas/provider';
import { at, problemsOfUrls } from './settings';

type Before = Partial<Pick<Preset, 'title' | 'endpoints' | 'api_base_url' | 'rotation'>>;
type Endpoints = NonNullable<Preset['endpoints']>;

/**
 * What is given replaces what was there, a group (scope, response …) as a whole; null removes.
 * @param before the row that is changed, or the base of a new one
 * @throws ProblemError with a pointer for each member that is missing or not allowed
 */
export function toOwnPreset(
  name: string,
  given: ProviderAttributes,
  before: Before,
  config: AppDeps['config'],
): PresetInput {
  const problems = [...problemsOfUrls(given, config), ...missing(given, before)];
  if (problems.length > 0) throw new ProblemError(problems);
  const {
    authorization_url,
    token_url,
    revocation_url,
    identity_url,
    issuer,
    api_base_url = before.api_base_url,
    ...groups
  } = given;
  return presetSchema.parse({
    ...before,
    ...groups,
    name,
    endpoints: {
      ...withToken(before.endpoints, token_url),
      ...(authorization_url !== undefined && { authorization: authorization_url ?? undefined }),
      ...(revocation_url !== undefined && { revocation: revocation_url ?? undefined }),
      ...(identity_url !== undefined && { identity: identity_url ?? undefined }),
      ...(issuer !== undefined && { issuer: issuer ?? undefined }),
    },
    api_base_url: api_base_url ?? undefined,
  });
}

function missing(given: ProviderAttributes, before: Before): Problem[] {
  const { mode, grace_seconds } = given.rotation ?? before.rotation ?? {};
  const problem = (pointer: string, detail: string): Problem => ({
    code: 'MEMBER_MISSING',
    status: 422,
    detail,
    pointer,
  });
  return [
    ...(given.token_url === undefined && before.endpoints === undefined
      ? [problem(at('token_url'), 'Token URL is required, unless the base has one')]
      : []),
    ...(mode === 'grace' && grace_seconds === undefined
      ? [problem(`${at('rotation')}/grace_seconds`, 'The seconds of grace are required for this rotation')]
      : []),
  ];
}

/** Special endpoints of a base belong to the base's own token endpoint. */
function withToken(before: Endpoints | undefined, token: string | undefined): Partial<Endpoints> {
  if (token === undefined || token === before?.token) return { ...before };
  const { authorization, revocation, identity, issuer } = before ?? {};
  return { authorization, token, revocation, identity, issuer };
}

/** Whether secrets, tokens or people of new integrations would be sent to another origin. */
export function isMoved(from: PresetInput, to: PresetInput): boolean {
  const urlsOf = ({ endpoints, api_base_url }: PresetInput): Readonly<Record<string, string | undefined>> => ({
    ...endpoints,
    api_base_url,
  });
  const [before, after] = [urlsOf(from), urlsOf(to)];
  return Object.entries(after).some(
    ([name, url]) => originOf(url) !== undefined && originOf(url) !== originOf(before[name]),
  );
}

const originOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).origin : undefined;
