/** `Consents`: from a link to the provider, from the redirect back to the grant; for our pages and for any web framework. */
import { WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { consentWorkflowId, formatRef, TASK_QUEUE } from '../connection/ids';
import {
  COMPLETE_CONSENT,
  CONFIRM_CONSENT,
  CONSENT_WORKFLOW,
  DESCRIBE_CONSENT,
  OAUTH_CALLBACK,
  type ConsentInput,
  type ConsentReading,
  type OAuthCallback,
  type Tuning,
} from '../connection/messages';
import type { Sealer } from '../envelope';
import { DurableOAuthError } from '../errors';
import type { Fingerprint } from '../fingerprint';
import { buildAuthorizationUrl } from '../oauth/authorization-url';
import { codeChallenge, randomToken } from '../oauth/pkce';
import type { Catalogue } from '../providers/preset';
import { findPreset } from '../providers/resolve';
import type { Registry } from '../registry/contract';
import { newId } from './connections';
import type { Consents, ConsentView } from './contract';
import { confirmFor } from './confirm-consent';
import { confirmerHash } from './confirmers';
import {
  attemptCookie,
  attemptName,
  attemptOf,
  browserHash,
  confirmationCodeOf,
  csrfOf,
  sameText,
  sha256,
  type Attempt,
} from './cookies';
import { soon } from './patience';
import { asOurs, isGone, isUnreachable } from './temporal-errors';

export interface CallbackDeps {
  readonly temporal: Client;
  readonly sealer: Sealer;
  /** Where our pages are: the confirm page follows the callback there. */
  readonly publicUrl: string;
}

export interface ConsentsDeps extends CallbackDeps {
  readonly registry: Pick<Registry, 'connections' | 'consentLinks'>;
  readonly catalogue: Catalogue;
  readonly fingerprint: Fingerprint;
  readonly tuning?: Tuning;
}

const START_DEADLINE_MS = 10_000;
/** The browser waits; afterwards the page says "in progress" and asks again. */
const DELIVERY_DEADLINE_MS = 12_000;
const QUERY_DEADLINE_MS = 8_000;

export function createConsents(deps: ConsentsDeps): Consents {
  return {
    begin: (linkToken, lang) => begin(deps, linkToken, lang),
    callback: createCallback(deps),
    async describe(name, cookieHeader) {
      const attempt = attemptOf(name, cookieHeader, deps.publicUrl);
      return attempt && viewOf(deps, attempt);
    },
    async confirm(name, cookieHeader, csrf) {
      const attempt = attemptOf(name, cookieHeader, deps.publicUrl);
      if (attempt === undefined || !sameText(csrf, csrfOf(attempt))) return undefined;
      const handle = deps.temporal.workflow.getHandle(consentWorkflowId(attempt.stateHash));
      try {
        const reading = await deps.temporal.withDeadline(soon(DELIVERY_DEADLINE_MS), () =>
          handle.executeUpdate<ConsentReading, [unknown]>(CONFIRM_CONSENT, {
            args: [{ v: 1, browser: browserHash(attempt) }],
          }),
        );
        return view(reading, attempt);
      } catch (error) {
        // Confirmed before, still under way, or over: the reading says which.
        if (error instanceof WorkflowUpdateFailedError || isUnreachable(error) || isGone(error))
          return viewOf(deps, attempt);
        throw asOurs(error, 'Confirming a consent');
      }
    },
    confirmerHash: (ref, confirmer) => confirmerHash(deps.fingerprint, ref, confirmer),
    confirmFor: (confirmation, caller) => confirmFor(deps, confirmation, caller),
  };
}

async function begin(deps: ConsentsDeps, linkToken: string, lang: string): ReturnType<Consents['begin']> {
  const unknown = new DurableOAuthError('NOT_FOUND', 'This link is not known, used up or expired');
  const link = await deps.registry.consentLinks.findByHash(sha256(linkToken));
  if (link === undefined || !(await deps.registry.consentLinks.startAttempt(link.tenant, link.id))) throw unknown;
  const ref = { tenant: link.tenant, connection: link.connection };
  const context = await deps.registry.connections.context(ref);
  const preset = context && findPreset(deps.catalogue, context.integration.settings.preset, context.provider);
  if (context === undefined || preset === undefined || context.unusable !== undefined) throw unknown;
  // Whoever revoked since did not mean the links that were out.
  const { frozenAt } = context.connection;
  if (frozenAt !== null && Date.parse(link.createdAt) < Date.parse(frozenAt)) throw unknown;
  const {
    endpoints,
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    context_id: contextId,
  } = context.integration.settings;
  if (endpoints.authorization === undefined || redirectUri === undefined) throw unknown;

  // The context rides in the state, so that a redirect to another integration's path is seen without asking anybody.
  const oauthState = contextId === undefined ? randomToken() : `${randomToken()}.${contextId}`;
  const verifier = randomToken(48);
  const nonce = randomToken();
  const attempt: Attempt = { stateHash: sha256(oauthState), browserSecret: randomToken() };
  const input: ConsentInput = {
    v: 1,
    ref: formatRef(ref),
    consent: newId('cs'),
    link: link.id,
    mode: link.mode,
    by: link.createdBy,
    clientId,
    tokenOrigin: new URL(endpoints.token).origin,
    issuer: endpoints.issuer,
    redirectUri,
    scope,
    browser: browserHash(attempt),
    confirmation: link.mode === 'link' ? undefined : sha256(confirmationCodeOf(attempt)),
    confirmer: link.confirmerHash ?? undefined,
    sealed: await deps.sealer.seal('consent', { verifier, nonce }),
    returnTo: link.returnTo ?? undefined,
    lang,
    tuning: deps.tuning,
  };
  try {
    await deps.temporal.withDeadline(soon(START_DEADLINE_MS), () =>
      deps.temporal.workflow.start(CONSENT_WORKFLOW, {
        workflowId: consentWorkflowId(attempt.stateHash),
        taskQueue: TASK_QUEUE,
        args: [input],
      }),
    );
  } catch (error) {
    throw asOurs(error, 'Starting a consent');
  }
  const location = buildAuthorizationUrl({
    authorizationUrl: endpoints.authorization,
    clientId,
    redirectUri,
    scope,
    oauthState,
    codeChallenge: codeChallenge(verifier),
    nonce,
    params: context.integration.settings.authorization_params,
    preset,
  });
  return { location, cookie: attemptCookie(attempt, deps.publicUrl) };
}

/** @returns the delivery of the provider's redirect: all a foreign web server needs */
export function createCallback(deps: CallbackDeps): Consents['callback'] {
  return async (url, cookieHeader) => {
    const nowhere = { status: 303, location: `${deps.publicUrl}/oauth/confirm` } as const;
    const answer = parseCallback(url);
    if (answer === undefined) return nowhere;
    const stateHash = sha256(answer.state);
    const name = attemptName(stateHash);
    const attempt = attemptOf(name, cookieHeader, deps.publicUrl);
    if (attempt === undefined || !sameText(attempt.stateHash, stateHash)) return nowhere;
    const browser = browserHash(attempt);
    const message: OAuthCallback =
      'error' in answer
        ? { v: 1, browser, error: answer.error, iss: answer.iss }
        : { v: 1, browser, code: await deps.sealer.seal('code', { code: answer.code }), iss: answer.iss };
    await deliver(deps, stateHash, message);
    return { status: 303, location: `${deps.publicUrl}/oauth/confirm?c=${name}` };
  };
}

/** By update, to know the outcome; by signal when no worker answers in time. A delivery that is not wanted is no error. */
async function deliver(deps: CallbackDeps, stateHash: string, message: OAuthCallback): Promise<void> {
  const handle = deps.temporal.workflow.getHandle(consentWorkflowId(stateHash));
  try {
    await deps.temporal.withDeadline(soon(DELIVERY_DEADLINE_MS), () =>
      handle.executeUpdate(COMPLETE_CONSENT, { updateId: `deliver.${stateHash}`, args: [message] }),
    );
  } catch (error) {
    if (isGone(error) || error instanceof WorkflowUpdateFailedError) return;
    if (!isUnreachable(error)) throw asOurs(error, 'Delivering a callback');
    try {
      await deps.temporal.withDeadline(soon(START_DEADLINE_MS), () => handle.signal(OAUTH_CALLBACK, message));
    } catch (again) {
      if (!isGone(again)) throw asOurs(again, 'Delivering a callback');
    }
  }
}

type CallbackAnswer = { readonly state: string; readonly iss?: string } & (
  { readonly code: string } | { readonly error: string }
);

/** RFC 6749 section 4.1.2; a repeated parameter makes the whole answer junk (RFC 6749 section 3.1). */
function parseCallback(url: string): CallbackAnswer | undefined {
  const { pathname, searchParams } = new URL(url, 'http://callback.invalid');
  const known = ['state', 'code', 'error', 'iss'] as const;
  if (known.some((name) => searchParams.getAll(name).length > 1)) return undefined;
  const [state, code, error, iss] = known.map((name) => searchParams.get(name) ?? undefined);
  if (state === undefined || state.length > 512) return undefined;
  const dot = state.indexOf('.');
  const onPath = dot < 0 || pathname.endsWith(`/${state.slice(dot + 1)}`);
  if (!onPath) return undefined;
  if (code !== undefined && error === undefined && code.length <= 4096) return { state, code, iss };
  if (error !== undefined && /^[a-z_]{1,64}$/.test(error)) return { state, error, iss };
  return error === undefined ? undefined : { state, error: 'server_error', iss };
}

async function viewOf(deps: ConsentsDeps, attempt: Attempt): Promise<ConsentView | undefined> {
  const handle = deps.temporal.workflow.getHandle(consentWorkflowId(attempt.stateHash));
  try {
    const query = (): Promise<ConsentReading | null | undefined> =>
      handle.query<ConsentReading | null | undefined, [string]>(DESCRIBE_CONSENT, browserHash(attempt));
    const reading = await deps.temporal.withDeadline(soon(QUERY_DEADLINE_MS), query);
    return reading ? view(reading, attempt) : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw asOurs(error, 'Reading a consent');
  }
}

const view = (reading: ConsentReading, attempt: Attempt): ConsentView => ({
  reading,
  stage: reading.stage,
  csrf: csrfOf(attempt),
  onward: onwardOf(reading, attempt),
});

/**
 * The code stands in a URL of the application's, not of ours, as an authorization code does: it is worth nothing without an
 * API key and the link's confirmer, counts once and ends with the attempt; pages of ours send no referrer.
 */
function onwardOf({ mode = 'link', stage, consent, returnTo }: ConsentReading, attempt: Attempt): string | undefined {
  if (mode === 'link' || stage !== 'waiting_for_confirmation' || consent === undefined || returnTo === undefined)
    return undefined;
  const url = new URL(returnTo);
  const added = new URLSearchParams({ consent, confirmation_code: confirmationCodeOf(attempt) }).toString();
  // Appended as text: what the application put there stays byte for byte.
  url.search = url.search === '' ? added : `${url.search}&${added}`;
  return url.href;
}
