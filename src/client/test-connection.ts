/** "Test connection": one harmless request with the newest access token, and what its answer shows. */
import type { Lang } from '../connection/reasons';
import { TEST_OUTCOMES } from '../connection/words';
import { fill, plain } from '../connection/wording';
import { isDurableOAuthError, type ErrorCode } from '../errors';
import { apiUrl, endpointsBelow } from '../oauth/api-url';
import type { ApiCaller, AuthorizationServer } from '../oauth/contract';
import { isOAuthFailure } from '../oauth/failure';
import type { Catalogue, Preset } from '../providers/preset';
import { presetOf, targetOf } from '../providers/resolve';
import type { ConnectionContext } from '../registry/contract';
import type { FreshToken, TokenReader } from './contract';

export interface TestPorts {
  readonly tokens: TokenReader;
  readonly api: ApiCaller;
  readonly authorizationServer: Pick<AuthorizationServer, 'identify'>;
  readonly catalogue: Catalogue;
}

export type TestOutcome = keyof (typeof TEST_OUTCOMES)['en'];
export const TEST_OUTCOME_NAMES = Object.keys(TEST_OUTCOMES.en) as [TestOutcome, ...TestOutcome[]];

/** What was asked: who the account is, or the base URL of the API without a body. */
export const TEST_TARGETS = ['identity_endpoint', 'api', 'nothing'] as const;

export interface TestResult {
  readonly outcome: TestOutcome;
  readonly asked: (typeof TEST_TARGETS)[number];
  readonly httpStatus?: number;
  /** Why nothing was sent. */
  readonly code?: ErrorCode;
}

const HTTP_MS = 10_000;
const TOKEN_WAIT_MS = 5_000;
const MAX_BYTES = 64 * 1024;
/** No access that could be tested, or no address that may be asked. */
const NOTHING_TO_TEST: readonly ErrorCode[] = [
  'CONSENT_NEEDED',
  'NOT_CONNECTED',
  'TOKEN_NOT_FRESH',
  'ORIGIN_NOT_ALLOWED',
];

/**
 * Ask the identity endpoint, where there is one; else the API's base URL with HEAD, where the preset lets anybody go. A
 * refusal is not told to the reader: a test refreshes nothing. Nothing is stored.
 * @throws what the reader throws but CONSENT_NEEDED, NOT_CONNECTED and TOKEN_NOT_FRESH, which are outcomes;
 *   OAUTH_CLIENT_UNUSABLE when its preset is gone
 */
export async function testConnection(ports: TestPorts, context: ConnectionContext): Promise<TestResult> {
  const { tenant, id: connection } = context.connection;
  const preset = presetOf(ports.catalogue, context.integration.settings.preset, context.provider);
  try {
    const token = await ports.tokens.read({ tenant, connection }, { deadlineMs: TOKEN_WAIT_MS });
    const identity = context.integration.settings.endpoints.identity;
    return identity === undefined
      ? await askApi(ports, context, preset, token)
      : await askIdentity(ports, context, preset, token);
  } catch (error) {
    if (isOAuthFailure(error)) return afterFailure(error.facts, context);
    if (!isDurableOAuthError(error) || !NOTHING_TO_TEST.includes(error.code)) throw error;
    return { outcome: 'not_sent', asked: 'nothing', code: error.code };
  }
}

async function askIdentity(
  { authorizationServer }: TestPorts,
  { integration }: ConnectionContext,
  preset: Preset,
  { accessToken, audience }: FreshToken,
): Promise<TestResult> {
  await authorizationServer.identify({ ...targetOf(integration.settings, preset), audience }, accessToken);
  return { outcome: 'works', asked: 'identity_endpoint', httpStatus: 200 };
}

async function askApi(
  { api }: TestPorts,
  { integration }: ConnectionContext,
  preset: Preset,
  { accessToken: value, apiBaseUrl: base }: FreshToken,
): Promise<TestResult> {
  const { endpoints } = integration.settings;
  const url = apiUrl(base, '', undefined, [...preset.denied_paths, ...endpointsBelow(base, endpoints)]);
  const limits = { timeoutMs: HTTP_MS, maxBytes: MAX_BYTES };
  const request = { method: 'HEAD', url, headers: {}, ...limits, mayFollow: () => false } as const;
  const { status } = await api.send(request, { value, preset });
  return { outcome: outcomeOf(status), asked: 'api', httpStatus: status };
}

function outcomeOf(status: number): TestOutcome {
  if (status < 400) return 'works';
  if (status === 401) return 'refused';
  if (status === 403) return 'not_permitted';
  return status === 429 || status >= 500 ? 'failing' : 'unproven';
}

function afterFailure(
  { httpStatus, class: kind, code }: { httpStatus?: number; class: string; code: ErrorCode },
  { integration }: ConnectionContext,
): TestResult {
  const asked = integration.settings.endpoints.identity === undefined ? 'api' : 'identity_endpoint';
  if (httpStatus !== undefined) return { outcome: outcomeOf(httpStatus), asked, httpStatus };
  return kind === 'BLOCKED' ? { outcome: 'not_sent', asked: 'nothing', code } : { outcome: 'unreachable', asked };
}

export const describeTest = (outcome: TestOutcome, app: string, lang: Lang): string =>
  fill(TEST_OUTCOMES[lang][outcome], { app: plain(app) });
