import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { consentWorkflowId, grantRef, parseRef } from '../src/connection/ids';
import type { Opener, Sealer } from '../src/envelope';
import { DurableOAuthError, isDurableOAuthError } from '../src/errors';
import type { AuthorizationServer, OAuthClientTarget, TokenAnswer } from '../src/oauth/contract';
import { isOAuthFailure, OAuthFailure } from '../src/oauth/failure';
import { mergeTokenSet } from '../src/oauth/merge';
import { apiOriginOf, audienceOf, displayName } from '../src/providers/resolve';
import type { Registry } from '../src/registry/contract';
import { Secret } from '../src/vault/secret';
import { escrowOf, putCells, type Cell } from './cells';
import type { DurableOAuthActivities, ExchangeResult } from './contract';
import { behindBoundary } from './failure';
import { contextOf, refuseUnusable, targetIn, type ContextDeps, type GrantContext } from './grant-context';
import { budgetOf, within, type Budget } from './time-limit';

export interface ExchangeDeps extends ContextDeps {
  readonly registry: Pick<Registry, 'connections' | 'events'>;
  readonly authorizationServer: Pick<AuthorizationServer, 'exchangeCode' | 'identify' | 'revoke'>;
  readonly sealer: Sealer;
  readonly opener: Opener;
  /** Whether a raw `{ code, state }` is accepted from the signal (default in `dev`), with a warning event. */
  readonly callbackSignal: 'sealed' | 'sealed-or-code';
}

type Input = Parameters<DurableOAuthActivities['exchangeAuthorizationCode']>[0];

/** With the 18 s of the exchange under the 25 s of the heartbeat. */
const READY_MS = 4_000;
/** By then the one heartbeat is sent: asking for the account is cut to what is left. */
const KNOWN_MS = 24_000;
const STORE_MS = 18_000;
const IDENTIFY_MS = 5_000;

const attemptSecrets = z.object({ verifier: z.string(), nonce: z.string() });
const sealedCode = z.object({ code: z.string() });

/**
 * Exchange an authorization code (RFC 6749 section 4.1.3, RFC 7636), once: open the delivery → compare the attempt with
 * the registry (a changed client or token endpoint refuses: mix-up) → be sure the vault can be written → send, once,
 * uncancelled → ask whose account it is → one heartbeat with the sealed answer → put generation 1 of the new grant.
 *
 * The grant is known to nobody until the browser confirms and the connection adopts it.
 *
 * @returns the account, whether it is the one that consented before, and whether the grant is stored, escrowed or kept
 * Fails with ENVELOPE_UNREADABLE, SYNTAX_INVALID (junk: nothing was sent), ENDPOINT_BLOCKED, WRONG_ACCOUNT,
 * REFRESH_TOKEN_MISSING, the classifier's codes, VAULT_UNAVAILABLE.
 */
export function createExchangeAuthorizationCode(
  deps: ExchangeDeps,
): DurableOAuthActivities['exchangeAuthorizationCode'] {
  return (input) =>
    behindBoundary(async () => {
      const code = await openCode(deps, input);
      const secrets = attemptSecrets.parse(await deps.opener.open('consent', input.sealed));
      const ready = budgetOf(READY_MS);
      const known = budgetOf(KNOWN_MS);
      const context = await ready.spend(
        'REGISTRY_UNAVAILABLE',
        'Reading the connection',
        contextOf(deps, parseRef(input.ref)),
      );
      refuseUnusable(context);
      refuseMixUp(context, input);
      await ready.spend('VAULT_UNAVAILABLE', 'Asking the vault', deps.vault.checkWritable());
      await ready.spend('REGISTRY_UNAVAILABLE', 'Getting an envelope key', deps.sealer.ready());
      const target = await ready.spend('VAULT_UNAVAILABLE', 'Reading the client secret', targetIn(deps.vault, context));
      ready.check('VAULT_UNAVAILABLE', 'Getting ready to send');

      const answer = await deps.authorizationServer.exchangeCode(target, {
        code,
        redirectUri: input.redirectUri,
        verifier: new Secret(secrets.verifier),
        nonce: new Secret(secrets.nonce),
      });
      return judge(deps, input, context, target, answer, known);
    });
}

async function judge(
  deps: ExchangeDeps,
  input: Input,
  context: GrantContext,
  target: OAuthClientTarget,
  answer: TokenAnswer,
  left: Budget,
): Promise<ExchangeResult> {
  const { settings } = context.integration;
  const known = context.connection.accountId;
  const account = answer.account ?? (await accountOf(deps, target, answer, left));
  const facts = {
    v: 1,
    account,
    scope: answer.scope ?? input.scope,
    app: displayName(settings, context.preset),
  } as const;
  const sameAccount = known === null ? 'first' : account === undefined ? 'unverifiable' : 'same';
  if (known !== null && account !== undefined && account.id !== known) {
    await discard(deps, context, target, answer);
    throw new DurableOAuthError('WRONG_ACCOUNT', 'Consent came from another account', { ref: input.ref });
  }
  if (answer.refreshToken === undefined && settings.refresh_token_required) {
    await discard(deps, context, target, answer);
    if (sameAccount === 'same' && context.connection.grantId !== null) return { ...facts, kind: 'keep', sameAccount };
    throw new DurableOAuthError('REFRESH_TOKEN_MISSING', 'The answer has no refresh token', { ref: input.ref });
  }
  const grant = input.consent;
  const set = {
    ...mergeTokenSet(undefined, answer, input.scope),
    account,
    audience: audienceOf(settings),
    clientId: target.clientId,
    apiOrigin: apiOriginOf(settings),
  };
  const cells: Cell[] = [{ ref: grantRef(parseRef(input.ref), grant), generation: 1, secret: set }];
  const escrow = await escrowOf(deps.sealer, grant, cells);
  const kept: ExchangeResult = { ...facts, sameAccount, kind: 'escrow', grant, sealed: escrow.sealed };
  Context.current().heartbeat(kept);
  try {
    await within(STORE_MS, 'VAULT_UNAVAILABLE', 'Storing the grant', putCells(deps.vault, cells, STORE_MS));
    return { ...facts, sameAccount, kind: 'stored', generation: 1 };
  } catch (error) {
    if (isDurableOAuthError(error, 'VAULT_GONE')) throw error;
    return kept;
  }
}

async function openCode(deps: ExchangeDeps, input: Input): Promise<Secret> {
  if (input.state === undefined) {
    const opened = sealedCode.safeParse(await deps.opener.open('code', input.code));
    if (!opened.success) throw new DurableOAuthError('ENVELOPE_UNREADABLE', 'The delivery holds no code');
    return new Secret(opened.data.code);
  }
  const hash = createHash('sha256').update(input.state).digest('base64url');
  const mine = Context.current().info.workflowExecution?.workflowId === consentWorkflowId(hash);
  if (deps.callbackSignal === 'sealed' || !mine) {
    throw new DurableOAuthError('SYNTAX_INVALID', 'A raw code is not accepted here', { ref: input.ref });
  }
  const { tenant, connection } = parseRef(input.ref);
  await deps.registry.events.append(tenant, connection, {
    type: 'consent.raw_code_accepted',
    by: 'system',
    traceId: Context.current().info.workflowExecution?.runId ?? '',
    facts: { consent: input.consent },
  });
  return new Secret(input.code);
}

/** RFC 9700 section 4.4, RFC 9207: the code goes only where this attempt was started. */
function refuseMixUp({ integration }: GrantContext, input: Input): void {
  const { settings } = integration;
  const { issuer, token } = settings.endpoints;
  const changed = settings.client_id !== input.clientId || new URL(token).origin !== input.tokenOrigin;
  const foreign = input.iss !== undefined && issuer !== undefined && input.iss !== issuer;
  if (!changed && !foreign) return;
  throw new OAuthFailure(changed ? 'The integration changed during the consent' : 'The callback names another issuer', {
    class: 'BLOCKED',
    code: 'ENDPOINT_BLOCKED',
    sent: false,
  });
}

/** The account is asked for, not demanded: a server that does not say leaves it to the person to confirm. */
async function accountOf(
  deps: ExchangeDeps,
  target: OAuthClientTarget,
  answer: TokenAnswer,
  left: Budget,
): Promise<{ id: string; label: string } | undefined> {
  if (target.identityUrl === undefined) return undefined;
  try {
    const asked = deps.authorizationServer.identify(target, answer.accessToken);
    return await within(Math.min(IDENTIFY_MS, left.left()), 'PROVIDER_UNREACHABLE', 'Asking for the account', asked);
  } catch (error) {
    if (isDurableOAuthError(error)) return undefined;
    throw error;
  }
}

/** A grant we will not keep. Where revocation ends the account's whole authorization it would kill the working one. */
async function discard(
  deps: ExchangeDeps,
  { preset }: GrantContext,
  target: OAuthClientTarget,
  answer: TokenAnswer,
): Promise<void> {
  if (preset.revocation.reach !== 'token' || target.revocationUrl === undefined) return;
  const hint = answer.refreshToken ? 'refresh_token' : 'access_token';
  try {
    await deps.authorizationServer.revoke(target, answer.refreshToken ?? answer.accessToken, hint);
  } catch (error) {
    if (!isOAuthFailure(error)) throw error;
  }
}
