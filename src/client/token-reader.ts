/** `TokenReader`: the newest access token that lives long enough (design 5, "Clocks and serving"). */
import { LRUCache } from 'lru-cache';
import { epoch, isDead, SECOND } from '../connection/clocks';
import { formatRef, grantRef } from '../connection/ids';
import type { EnsureFresh, FreshAnswer } from '../connection/messages';
import { servingOf } from '../connection/serving';
import type { ConnectionRef, Policy } from '../connection/types';
import { DurableOAuthError, isDurableOAuthError } from '../errors';
import type { Catalogue } from '../providers/preset';
import { apiOriginOf, findPreset, policyOf } from '../providers/resolve';
import type { ConnectionContext, Registry } from '../registry/contract';
import type { Vault } from '../vault/port';
import type { TokenSet } from '../vault/secret';
import type { Connections, FreshToken, TokenReader } from './contract';

export interface TokenReaderDeps {
  readonly registry: { readonly connections: Pick<Registry['connections'], 'context'> };
  readonly vault: Pick<Vault, 'latest'>;
  readonly connections: Pick<Connections, 'ensureFresh'>;
  readonly catalogue: Catalogue;
  /** Called once per read. */
  readonly countCheck: () => void;
}

/** A row is read at most this often; a revocation reaches every reader within it. */
const ROW_MS = 30 * SECOND;
/** While the registry is silent, what it said last is believed this long, by those who had asked before. */
const ROW_LAST_MS = 300 * SECOND;
const DEADLINE_MS = 10 * SECOND;
const CONNECTIONS = 10_000;

interface Row {
  readonly context: ConnectionContext;
  readonly policy: Policy;
  readonly at: number;
}

interface Held {
  readonly generation: number;
  readonly set: TokenSet;
}

export function createTokenReader(deps: TokenReaderDeps): TokenReader {
  const rows = new LRUCache<string, Row>({ max: CONNECTIONS });
  const sets = new LRUCache<string, Held>({ max: CONNECTIONS });
  const reading = new Map<string, Promise<unknown>>();

  /** Readers that ask for the same thing at the same time share one answer. */
  function once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const shared = reading.get(key) as Promise<T> | undefined;
    if (shared) return shared;
    const answer = ask().finally(() => reading.delete(key));
    reading.set(key, answer);
    return answer;
  }

  async function rowOf(ref: ConnectionRef, fresh: boolean): Promise<Row> {
    const key = formatRef(ref);
    const known = rows.get(key);
    if (known && !fresh && Date.now() - known.at < ROW_MS) return known;
    try {
      const context = await once(`row ${key}`, () => deps.registry.connections.context(ref));
      const preset = context && findPreset(deps.catalogue, context.integration.settings.preset, context.provider);
      if (context === undefined || preset === undefined) {
        rows.delete(key);
        throw new DurableOAuthError('NOT_FOUND', 'There is no such connection', { connection: key });
      }
      const row = { context, policy: policyOf(context.integration.settings, preset), at: Date.now() };
      rows.set(key, row);
      return row;
    } catch (error) {
      const silent = isDurableOAuthError(error, 'REGISTRY_UNAVAILABLE');
      if (silent && known && Date.now() - known.at < ROW_LAST_MS) return known;
      throw error;
    }
  }

  /** The newest set; from the cache only when the row names no newer generation and nobody refused it. */
  async function setOf(ref: ConnectionRef, { context }: Row, anew: boolean): Promise<Held> {
    const { grantId, generation } = context.connection;
    if (grantId === null) throw needed(ref);
    const path = grantRef(ref, grantId);
    const known = sets.get(path);
    if (known && !anew && known.generation >= generation) return known;
    try {
      const entry = await once(`set ${path}`, () => deps.vault.latest(path));
      if (entry.secret.kind !== 'token_set')
        throw new DurableOAuthError('VAULT_CORRUPT', undefined, { connection: formatRef(ref) });
      const held = { generation: entry.generation, set: entry.secret };
      sets.set(path, held);
      return held;
    } catch (error) {
      if (isDurableOAuthError(error, 'VAULT_GONE')) throw needed(ref);
      // What was put and is not there is another vault than it was put into.
      const missing = isDurableOAuthError(error, 'VAULT_MISSING');
      // The vault is away: what was read before is as good as it was.
      if (known && (missing || isDurableOAuthError(error, 'VAULT_UNAVAILABLE'))) return known;
      throw missing ? new DurableOAuthError('VAULT_UNAVAILABLE', undefined, { connection: formatRef(ref) }) : error;
    }
  }

  return {
    async read(ref, { refused, deadlineMs = DEADLINE_MS } = {}) {
      deps.countCheck();
      const deadline = Date.now() + deadlineMs;
      let row = await rowOf(ref, refused !== undefined);
      refuseFrozen(ref, row);
      let held = await setOf(ref, row, refused !== undefined);
      let doubted = refused !== undefined && held.generation <= refused;
      for (;;) {
        const elsewhere = isForAnotherApi(held, row);
        const serving = doubted || elsewhere ? 'wait' : servingOf(held.set, row.policy, Date.now());
        if (serving === 'serve') return tokenOf(row, held);
        const answer = await ask(deps, ref, held, doubted ? 'refused' : elsewhere ? 'asked' : 'expiring');
        const before = held.generation;
        // Whatever was answered: a shared answer may be older than what the vault holds by now.
        row = await rowOf(ref, true);
        refuseFrozen(ref, row);
        held = await setOf(ref, row, true);
        if (held.generation > before) doubted = false;
        // Inside the buffer the newest there is will do; a living token is served although its renewal failed.
        if (mayServe(held, row, doubted)) return tokenOf(row, held);
        if (answer !== undefined && !mayRecover(answer, deadline)) throw refusal(ref, answer);
        if (Date.now() + SECOND > deadline) throw refusal(ref, answer);
        await new Promise((resolve) => setTimeout(resolve, SECOND));
      }
    },
  };
}

async function ask(
  deps: TokenReaderDeps,
  ref: ConnectionRef,
  held: Held,
  why: EnsureFresh['why'],
): Promise<FreshAnswer | undefined> {
  const caller = { by: 'system', traceId: 'token-reader' };
  try {
    return await deps.connections.ensureFresh(ref, { generation: held.generation, why }, caller);
  } catch (error) {
    const silent =
      isDurableOAuthError(error, 'TEMPORAL_UNAVAILABLE') || isDurableOAuthError(error, 'STORAGE_UNREACHABLE');
    if (silent) return undefined;
    throw error;
  }
}

/**
 * The API moved after the token was issued. Only a refresh, which takes the client secret, makes one for the new address:
 * else whoever may edit addresses could have a living token sent to a server of his own.
 */
function isForAnotherApi({ set }: Held, { context }: Row): boolean {
  return set.apiOrigin !== undefined && set.apiOrigin !== apiOriginOf(context.integration.settings);
}

function mayServe(held: Held, row: Row, doubted: boolean): boolean {
  if (doubted || isForAnotherApi(held, row)) return false;
  return servingOf(held.set, row.policy, Date.now()) !== 'wait';
}

/** Whether another attempt falls before the caller's deadline. */
function mayRecover(answer: FreshAnswer, deadline: number): boolean {
  if (answer.state === 'reauth_required' || answer.state === 'pending_consent') return false;
  return answer.nextAttemptAt !== undefined && epoch(answer.nextAttemptAt) < deadline;
}

function refusal(ref: ConnectionRef, answer: FreshAnswer | undefined): DurableOAuthError {
  if (answer?.state === 'reauth_required' || answer?.state === 'pending_consent') return needed(ref);
  const dead = answer?.state === 'disconnected' || (answer !== undefined && isDead(answer.expiresAt, Date.now()));
  return new DurableOAuthError(dead ? 'NOT_CONNECTED' : 'TOKEN_NOT_FRESH', undefined, {
    connection: formatRef(ref),
    nextAttemptAt: answer?.nextAttemptAt,
  });
}

function refuseFrozen(ref: ConnectionRef, { context: { connection, unusable } }: Row): void {
  if (connection.frozenAt !== null) {
    throw new DurableOAuthError('NOT_CONNECTED', 'The connection was revoked', { connection: formatRef(ref) });
  }
  // Before the revocation that follows has reached it. One that is only suspended is refreshed no more, but serves.
  if (unusable !== undefined && unusable !== 'client_suspended') {
    throw new DurableOAuthError('NOT_CONNECTED', 'The integration, its OAuth client or its component is gone', {
      connection: formatRef(ref),
    });
  }
}

const needed = (ref: ConnectionRef): DurableOAuthError =>
  new DurableOAuthError('CONSENT_NEEDED', undefined, { connection: formatRef(ref) });

function tokenOf({ context }: Row, { generation, set }: Held): FreshToken {
  const { settings } = context.integration;
  return {
    accessToken: set.accessToken,
    tokenType: set.tokenType,
    expiresAt: set.expiresAt,
    generation,
    grant: context.connection.grantId ?? '',
    audience: set.audience,
    apiBaseUrl: settings.api_base_url,
    preset: settings.preset,
  };
}
