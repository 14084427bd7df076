import { refreshDueAt, SECOND } from '../src/connection/clocks';
import { grantRef, parseRef } from '../src/connection/ids';
import { spendsRefreshToken } from '../src/connection/rotation';
import type { ConnectionRef, FailureFacts } from '../src/connection/types';
import type { Sealer } from '../src/envelope';
import { DurableOAuthError, isDurableOAuthError } from '../src/errors';
import type { Fingerprint } from '../src/fingerprint';
import type { AuthorizationServer, OAuthClientTarget, TokenAnswer } from '../src/oauth/contract';
import { isOAuthFailure, OAuthFailure } from '../src/oauth/failure';
import { mergeTokenSet } from '../src/oauth/merge';
import { apiOriginOf, audienceOf } from '../src/providers/resolve';
import type { Registry } from '../src/registry/contract';
import type { Vault, VaultEntry } from '../src/vault/port';
import type { TokenSet } from '../src/vault/secret';
import { escrowOf, heartbeatEscrow, putTokenSet, tokenSetOf } from './cells';
import type { DurableOAuthActivities, RefreshResult } from './contract';
import { toActivityFailure } from './failure';
import {
  belongsTo,
  contextOf,
  newestOf,
  reportOf,
  refuseUnusable,
  reportOfEntry,
  settingsOf,
  targetIn,
  type ContextDeps,
  type GrantContext,
} from './grant-context';
import { budgetOf, pause, within } from './time-limit';

export interface RefreshDeps extends ContextDeps {
  readonly registry: Pick<Registry, 'connections' | 'oauthClients'>;
  readonly authorizationServer: Pick<AuthorizationServer, 'refresh' | 'clientCredentials'>;
  readonly sealer: Sealer;
  readonly fingerprint: Fingerprint;
}

/**
 * Budgets of the steps, milliseconds. Everything before the send, the 15 s of the send and a second look stay under the
 * 25 s of the heartbeat: nobody may send while the engine has given this attempt up. All of it stays under 45 s.
 */
const READY_MS = 7_000;
const LOOK_AGAIN_MS = 2_000;
const STORE_ROTATED_MS = 18_000;
const STORE_SAME_MS = 3_000;
const PROJECT_MS = 2_000;
/** How long siblings of a refused client wait; a corrected secret ends it at once. */
const REJECTED_PAUSE_SECONDS = 60;

/**
 * Refresh a grant once (RFC 6749 section 6; client credentials: section 4.4), in this order: read the vault (a newer
 * generation is adopted and nothing is sent; an older one is not spent) → be sure it can be written → send, once, uncancelled → merge → when the
 * refresh token rotated, one heartbeat with the sealed answer → put the next generation → project the row. A refused
 * grant is believed only when the vault still holds nothing newer.
 *
 * Never repeated by the engine. When it dies, the heartbeat or the vault says how far it came; when neither does, the
 * outcome is unknown and the rotation mode decides.
 *
 * @returns facts of the newest generation, or the sealed answer when the vault did not take it in time
 * Fails with the codes of the classifier (detail: FailureFacts), VAULT_*, REGISTRY_UNAVAILABLE, OAUTH_CLIENT_UNUSABLE.
 */
export function createRefreshTokenSet(deps: RefreshDeps): DurableOAuthActivities['refreshTokenSet'] {
  return async (input) => {
    const extra: { fingerprint?: string; policy?: FailureFacts['policy'] } = {};
    try {
      const ready = budgetOf(READY_MS);
      const ref = parseRef(input.ref);
      const context = await ready.spend('REGISTRY_UNAVAILABLE', 'Reading the connection', contextOf(deps, ref));
      extra.policy = settingsOf(context).policy;
      refuseUnusable(context);
      refusePaused(context);
      const grant = input.grant || context.connection.grantId || '';
      const path = grantRef(ref, grant);
      const adoptNewer = async (entry: VaultEntry | undefined): Promise<RefreshResult | undefined> => {
        if (entry === undefined || entry.generation <= input.generation) return undefined;
        const report = reportOfEntry(context, grant, entry);
        await project(deps, ref, report);
        return { ...report, kind: 'adopted', rotated: false };
      };

      const held = await ready.spend('VAULT_UNAVAILABLE', 'Reading the grant', newestOf(deps.vault, ref, grant));
      const adopted = await adoptNewer(held);
      if (adopted) return adopted;
      refuseQuarantined(context);
      refuseOlder(context, held, input.generation, path);
      const previous = held && tokenSetOf(held, path);
      refuseOutdated(context, previous);
      if (previous?.refreshToken) extra.fingerprint = await deps.fingerprint(previous.refreshToken);
      if (extra.fingerprint !== undefined && input.fingerprints.includes(extra.fingerprint)) {
        throw refused('This refresh token was refused before and is not sent again');
      }
      await ready.spend('VAULT_UNAVAILABLE', 'Asking the vault', deps.vault.checkWritable());
      await ready.spend('REGISTRY_UNAVAILABLE', 'Getting an envelope key', deps.sealer.ready());
      const found = await ready.spend('VAULT_UNAVAILABLE', 'Reading the client secret', targetIn(deps.vault, context));
      const target = { ...found, audience: audienceFor(found, context, previous) };
      ready.check('VAULT_UNAVAILABLE', 'Getting ready to send');

      let answer: TokenAnswer;
      try {
        answer = await send(deps, context, target, previous);
      } catch (error) {
        const stored = isRefusal(error) && (await adoptNewer(await lookAgain(deps.vault, ref, grant)));
        if (stored) return stored;
        throw error;
      }
      const next = nextOf(context, target, previous, answer);
      const rotated = previous?.refreshToken?.reveal() !== next.refreshToken?.reveal();
      return await keep(deps, context, { ref, grant, path, generation: input.generation + 1, next, rotated, answer });
    } catch (error) {
      await pauseClient(deps, input.ref, error);
      const { fingerprint, policy } = extra;
      throw toActivityFailure(error, { policy, fingerprint: isRefusal(error) ? fingerprint : undefined });
    }
  };
}

/** The settings changed since consent was given: nothing is sent, and the refresh token is not held to be refused. */
function refuseOutdated({ integration: { settings } }: GrantContext, previous: TokenSet | undefined): void {
  if (settings.grant_type === 'client_credentials' || previous?.refreshToken === undefined) return;
  if (belongsTo(previous, settings, settings.endpoints.token)) return;
  throw new OAuthFailure('Not sent: consent was given for another client id or origin', {
    class: 'REAUTH',
    code: 'CONSENT_OUTDATED',
    sent: false,
  });
}

/**
 * Where client secret and refresh token may both be sent: a secret that was confirmed for another origin takes no grant
 * there that was given at the old one. A public client has no secret; its grant alone remembers the origins. Client
 * credentials have no grant to be kept from anybody.
 */
function audienceFor(
  { audience }: OAuthClientTarget,
  { integration }: GrantContext,
  previous: TokenSet | undefined,
): readonly string[] | undefined {
  if (integration.settings.grant_type === 'client_credentials') return audience;
  if (audience === undefined || previous?.refreshToken === undefined) return audience ?? previous?.audience;
  return audience.filter((origin) => previous.audience.includes(origin));
}

function nextOf(
  { integration: { settings } }: GrantContext,
  { clientId }: OAuthClientTarget,
  previous: TokenSet | undefined,
  answer: TokenAnswer,
): TokenSet {
  const merged = mergeTokenSet(previous, answer, previous?.scope ?? settings.scope);
  const next = { ...merged, clientId, apiOrigin: apiOriginOf(settings) };
  // Client credentials are granted anew each time, where the endpoints are now.
  return settings.grant_type === 'client_credentials' ? { ...next, audience: audienceOf(settings) } : next;
}

async function send(
  deps: RefreshDeps,
  { integration: { settings } }: GrantContext,
  target: OAuthClientTarget,
  previous: TokenSet | undefined,
): Promise<TokenAnswer> {
  if (settings.grant_type === 'client_credentials') {
    return deps.authorizationServer.clientCredentials(target, settings.scope);
  }
  if (previous?.refreshToken === undefined) throw refused('The grant holds no refresh token');
  return deps.authorizationServer.refresh(target, previous.refreshToken);
}

/** A worker that was only slow may have stored what this refresh token was spent for. */
async function lookAgain(vault: Vault, ref: ConnectionRef, grant: string): Promise<VaultEntry | undefined> {
  try {
    return await within(LOOK_AGAIN_MS, 'VAULT_UNAVAILABLE', 'Reading the grant again', newestOf(vault, ref, grant));
  } catch (error) {
    if (!isDurableOAuthError(error)) throw error;
    return undefined;
  }
}

interface Kept {
  readonly ref: ConnectionRef;
  readonly grant: string;
  readonly path: string;
  readonly generation: number;
  readonly next: TokenSet;
  readonly rotated: boolean;
  readonly answer: TokenAnswer;
}

/** From here on nothing may be lost: whatever happens, the answer is in the vault, in the heartbeat or in the result. */
async function keep(deps: RefreshDeps, context: GrantContext, kept: Kept): Promise<RefreshResult> {
  const { grant, path, generation, next, rotated } = kept;
  const escrow = await escrowOf(deps.sealer, grant, [{ ref: path, generation, secret: next }]);
  if (rotated) heartbeatEscrow(escrow);
  const budget = rotated ? STORE_ROTATED_MS : STORE_SAME_MS;
  try {
    const stored = await within(
      budget,
      'VAULT_UNAVAILABLE',
      'Storing the token set',
      putPatiently(deps.vault, kept, budget),
    );
    const report = reportOf(context, grant, stored.generation, stored.set, kept.answer.warnings);
    await project(deps, kept.ref, report);
    return { ...report, kind: 'refreshed', rotated };
  } catch (error) {
    // Destroyed meanwhile: nobody wants it. Anything else, even a defect of the driver, must not lose the answer.
    if (isDurableOAuthError(error, 'VAULT_GONE')) throw error;
    return escrow;
  }
}

async function putPatiently(vault: Vault, kept: Kept, budgetMs: number): ReturnType<typeof putTokenSet> {
  const end = Date.now() + budgetMs;
  for (;;) {
    try {
      return await putTokenSet(vault, kept.path, kept.generation, kept.next);
    } catch (error) {
      if (!isDurableOAuthError(error, 'VAULT_UNAVAILABLE') || Date.now() + SECOND > end) throw error;
      await pause(SECOND);
    }
  }
}

/** The row follows; a silent registry does not stand between a token and its use. */
export async function project(
  deps: { readonly registry: Pick<Registry, 'connections'> },
  ref: ConnectionRef,
  { token, policy }: Pick<ReturnType<typeof reportOf>, 'token' | 'policy'>,
): Promise<void> {
  const due = refreshDueAt({ ...token, usedAt: token.issuedAt }, policy, { now: Date.now(), random: () => 0 });
  const nextAttemptAt = due === undefined ? null : new Date(due).toISOString();
  const work = deps.registry.connections.recordToken(ref, token, token.receivedAt, nextAttemptAt);
  await within(PROJECT_MS, 'REGISTRY_UNAVAILABLE', 'Recording the token set', work).catch((error: unknown) => {
    if (!isDurableOAuthError(error)) throw error;
  });
}

/**
 * An eventual store that lags, one restored from a backup, or an empty one where the volume is not mounted: its refresh
 * token was spent for what we know of, and that none is there says nothing about the grant.
 */
function refuseOlder(
  { integration }: GrantContext,
  held: VaultEntry | undefined,
  generation: number,
  ref: string,
): void {
  const { grant_type: grantType, rotation: mode } = integration.settings;
  if ((held?.generation ?? 0) >= generation || grantType === 'client_credentials') return;
  // What is not spent by its use is as good as the newest.
  if (held !== undefined && !spendsRefreshToken({ mode })) return;
  throw new DurableOAuthError('VAULT_UNAVAILABLE', 'The vault answers with an older generation than it was given', {
    ref,
    generation,
    held: held?.generation ?? 0,
  });
}

/** The operator decides, or a new consent does (`durable-oauth doctor --after-restore`). */
function refuseQuarantined({ connection }: GrantContext): void {
  if (connection.quarantinedAt === null) return;
  throw new OAuthFailure('Not sent: the vault was restored from a backup', {
    class: 'CONFIG',
    code: 'RESTORED_FROM_BACKUP',
    sent: false,
  });
}

function refusePaused({ client }: GrantContext): void {
  const left = client.pausedUntil === null ? 0 : Date.parse(client.pausedUntil) - Date.now();
  if (left <= 0) return;
  const code = client.pausedCode ?? 'RATE_LIMITED';
  throw new OAuthFailure('Not sent: this OAuth client is paused', {
    class: code === 'CLIENT_REJECTED' ? 'CONFIG' : 'TRANSIENT',
    code,
    sent: false,
    retryAfterSeconds: Math.ceil(left / SECOND),
  });
}

/** A Retry-After and a refused client secret concern every connection of the client. */
async function pauseClient(deps: RefreshDeps, input: string, error: unknown): Promise<void> {
  if (!isOAuthFailure(error) || !error.facts.sent) return;
  const { code, class: kind, retryAfterSeconds } = error.facts;
  const seconds = code === 'CLIENT_REJECTED' ? REJECTED_PAUSE_SECONDS : kind === 'TRANSIENT' ? retryAfterSeconds : 0;
  if (!seconds) return;
  const until = new Date(Date.now() + seconds * SECOND).toISOString();
  try {
    const context = await contextOf(deps, parseRef(input));
    await deps.registry.oauthClients.pause(context.client.tenant, context.client.id, until, code);
  } catch (registry) {
    if (!isDurableOAuthError(registry)) throw registry;
  }
}

const refused = (attempted: string): DurableOAuthError =>
  new OAuthFailure(attempted, { class: 'REAUTH', code: 'GRANT_REFUSED', sent: false });

const isRefusal = (error: unknown): boolean => isOAuthFailure(error) && error.facts.class === 'REAUTH';
