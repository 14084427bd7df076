/** The writes that only go forward: each is decided by one conditional UPDATE, whoever else writes at that moment. */
import { sql, type Kysely } from 'kysely';
import type { ConnectionRef, TokenFacts } from '../../connection/types';
import { formatRef } from '../../connection/ids';
import type { ConnectionChanges, ConnectionRow, NewEvent, Projection, Registry } from '../contract';
import { DurableOAuthError, type ErrorCode } from '../../errors';
import { notFound, refuseOther } from '../errors';
import { appendEvent } from '../events';
import { toConnectionRow } from '../rows';
import type { Tables } from '../schema';

type Adoption = Parameters<Registry['connections']['adoptGrant']>[1];

const unknown = (ref: ConnectionRef): Error => notFound('connection', { ref: formatRef(ref) });

export async function recordTransition(
  db: Kysely<Tables>,
  ref: ConnectionRef,
  projection: Projection,
): Promise<{ stateVersion: number; applied: boolean; frozen: boolean }> {
  const { evidence } = projection;
  const written = await db
    .updateTable('connections')
    .set({
      state_version: projection.stateVersion,
      state: projection.state,
      recovery: projection.recovery ?? null,
      // Whoever froze it said why; that its run then revokes it is no other reason.
      reason: sql<ErrorCode | null>`CASE
        WHEN frozen_at IS NOT NULL AND recovery = 'reconnect' THEN coalesce(reason, ${projection.reason ?? null})
        ELSE ${projection.reason ?? null} END`,
      since: projection.since,
      evidence: evidence === undefined ? null : JSON.stringify(evidence),
      next_attempt_at: projection.nextAttemptAt,
      // Only an adoption thaws: a late state must not give readers back what a revocation took.
      usable: sql<boolean>`${projection.usable} AND frozen_at IS NULL`,
    })
    .where('tenant', '=', ref.tenant)
    .where('id', '=', ref.connection)
    .where('state_version', '<', projection.stateVersion)
    .returning('frozen_at')
    .executeTakeFirst();
  if (written !== undefined) {
    if (projection.event) await appendEvent(db, ref.tenant, ref.connection, projection.event);
    return { stateVersion: projection.stateVersion, applied: true, frozen: written.frozen_at !== null };
  }
  const row = await db
    .selectFrom('connections')
    .select(['state_version', 'frozen_at'])
    .where('tenant', '=', ref.tenant)
    .where('id', '=', ref.connection)
    .executeTakeFirst();
  if (row === undefined) throw unknown(ref);
  return { stateVersion: row.state_version, applied: false, frozen: row.frozen_at !== null };
}

function tokenColumns(token: TokenFacts) {
  return {
    generation: token.generation,
    issued_at: token.issuedAt,
    expires_at: token.expiresAt,
    lifetime_seconds: token.lifetimeSeconds,
    scope: token.scope,
    refreshable: token.refreshable,
  };
}

export async function recordToken(
  db: Kysely<Tables>,
  ref: ConnectionRef,
  token: TokenFacts,
  refreshedAt: string,
  nextAttemptAt: string | null,
): Promise<void> {
  await db
    .updateTable('connections')
    .set({ ...tokenColumns(token), refreshed_at: refreshedAt, next_attempt_at: nextAttemptAt })
    .where('tenant', '=', ref.tenant)
    .where('id', '=', ref.connection)
    .where('grant_id', '=', token.grant)
    .where('generation', '<', token.generation)
    .execute();
}

export async function adoptGrant(
  db: Kysely<Tables>,
  ref: ConnectionRef,
  { token, account, grantedAt, thaw, event }: Adoption,
): Promise<{ previousGrant: string | null }> {
  const published = await holdIntegration(db, ref);
  const before = await db
    .selectFrom('connections')
    .select(['grant_id', 'previous_grant_id', 'account_id', 'frozen_at'])
    .where('tenant', '=', ref.tenant)
    .where('id', '=', ref.connection)
    .forUpdate()
    .executeTakeFirst();
  if (before === undefined) throw unknown(ref);
  // Adopted already; it may have been frozen since, and stays so.
  if (before.grant_id === token.grant) return { previousGrant: before.previous_grant_id };
  // A late repetition of an adoption that another one has followed: that grant is destroyed.
  if (before.previous_grant_id === token.grant) return { previousGrant: null };
  // A freeze has overtaken it: what was consented to before goes with it.
  if (before.frozen_at !== null && !thaw) {
    throw new DurableOAuthError('REVOKED_HERE', undefined, { ref: formatRef(ref) });
  }
  if (!published) throw new DurableOAuthError('INTEGRATION_DELETED', undefined, { ref: formatRef(ref) });
  // Compared at the exchange as well; another consent may have been faster since.
  if (account !== undefined && before.account_id !== null && before.account_id !== account.id) {
    throw new DurableOAuthError('WRONG_ACCOUNT', undefined, { ref: formatRef(ref) });
  }
  await db
    .updateTable('connections')
    .set({
      ...tokenColumns(token),
      ...(account === undefined ? {} : { account_id: account.id, account_label: account.label }),
      grant_id: token.grant,
      previous_grant_id: before.grant_id,
      granted_at: grantedAt,
      refreshed_at: null,
      frozen_at: null,
      revoking_since: null,
      usable: true,
      consent_deadline: null,
      quarantined_at: null,
      // Not left to the projection: a run that is lost before it would leave a good grant that nobody refreshes.
      state: 'active',
      recovery: null,
      reason: null,
      evidence: null,
      since: sql<string>`now()`,
      state_version: sql<number>`state_version + 1`,
      next_attempt_at: sql<string>`now()`,
    })
    .where('tenant', '=', ref.tenant)
    .where('id', '=', ref.connection)
    .execute();
  await appendEvent(db, ref.tenant, ref.connection, event);
  return { previousGrant: before.grant_id };
}

/** Its deletion waits for the adoption, and freezes it; or is seen here. Locked before the connection, as there. */
async function holdIntegration(db: Kysely<Tables>, ref: ConnectionRef): Promise<boolean> {
  const held = await db
    .selectFrom('integrations')
    .innerJoin('connections', (join) =>
      join
        .onRef('connections.tenant', '=', 'integrations.tenant')
        .onRef('connections.integration_id', '=', 'integrations.id'),
    )
    .select('integrations.id')
    .where('connections.tenant', '=', ref.tenant)
    .where('connections.id', '=', ref.connection)
    .where('integrations.status', '=', 'published')
    .forShare('integrations')
    .executeTakeFirst();
  return held !== undefined;
}

export async function freeze(db: Kysely<Tables>, ref: ConnectionRef, event: NewEvent): Promise<string> {
  const frozen = await db
    .updateTable('connections')
    .set({
      frozen_at: sql<string>`now()`,
      revoking_since: sql<string>`now()`,
      next_attempt_at: null,
      consent_deadline: null,
      usable: false,
    })
    .where('tenant', '=', ref.tenant)
    .where('id', '=', ref.connection)
    .where('frozen_at', 'is', null)
    .executeTakeFirst();
  if (frozen.numUpdatedRows === 1n) await appendEvent(db, ref.tenant, ref.connection, event);
  const row = await db
    .selectFrom('connections')
    .select('frozen_at')
    .where('tenant', '=', ref.tenant)
    .where('id', '=', ref.connection)
    .executeTakeFirst();
  if (row?.frozen_at == null) throw unknown(ref);
  return row.frozen_at;
}

export async function recordRevoked(
  db: Kysely<Tables>,
  ref: ConnectionRef,
  event: NewEvent,
  grant: string | null,
): Promise<void> {
  const written = await db
    .updateTable('connections')
    .set({
      revoking_since: null,
      frozen_at: sql<string>`coalesce(frozen_at, now())`,
      usable: false,
      next_attempt_at: null,
      // The state's own projection may have failed: nothing repeats it once the run has ended.
      state: 'disconnected',
      recovery: 'reconnect',
      reason: sql<ErrorCode>`CASE WHEN recovery = 'reconnect' THEN reason ELSE 'REVOKED_HERE' END`,
      since: sql<string>`CASE WHEN recovery = 'reconnect' THEN since ELSE now() END`,
      state_version: sql<number>`state_version + CASE WHEN recovery = 'reconnect' THEN 0 ELSE 1 END`,
    })
    .where('tenant', '=', ref.tenant)
    .where('id', '=', ref.connection)
    .where('grant_id', 'is not distinct from', grant)
    .where((eb) => eb.or([eb('frozen_at', 'is', null), eb('revoking_since', 'is not', null)]))
    .executeTakeFirst();
  if (written.numUpdatedRows === 1n) await appendEvent(db, ref.tenant, ref.connection, event);
}

export async function change(
  db: Kysely<Tables>,
  ref: ConnectionRef,
  { region, accountRole }: ConnectionChanges,
  event: NewEvent,
  base: ConnectionRow | undefined,
): Promise<void> {
  const row = await db
    .selectFrom('connections')
    .selectAll()
    .where('tenant', '=', ref.tenant)
    .where('id', '=', ref.connection)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw unknown(ref);
  refuseOther(toConnectionRow(row), base, { ref: formatRef(ref) });
  const before = { region: row.region, account_role: row.account_role };
  const after = {
    region: region === undefined ? before.region : region,
    account_role: accountRole === undefined ? before.account_role : accountRole,
  };
  if (after.region === before.region && after.account_role === before.account_role) return;
  await db
    .updateTable('connections')
    .set(after)
    .where('tenant', '=', ref.tenant)
    .where('id', '=', ref.connection)
    .execute();
  await appendEvent(db, ref.tenant, ref.connection, { ...event, facts: { ...event.facts, before, after } });
}

export async function quarantine(db: Kysely<Tables>, ref: ConnectionRef, event: NewEvent): Promise<boolean> {
  const written = await db
    .updateTable('connections')
    .set({ quarantined_at: sql<string>`now()` })
    .where('tenant', '=', ref.tenant)
    .where('id', '=', ref.connection)
    .where('quarantined_at', 'is', null)
    .executeTakeFirst();
  return told(db, ref, event, written.numUpdatedRows);
}

export async function release(db: Kysely<Tables>, ref: ConnectionRef, event: NewEvent): Promise<boolean> {
  const written = await db
    .updateTable('connections')
    .set({ quarantined_at: null })
    .where('tenant', '=', ref.tenant)
    .where('id', '=', ref.connection)
    .where('quarantined_at', 'is not', null)
    .executeTakeFirst();
  return told(db, ref, event, written.numUpdatedRows);
}

async function told(db: Kysely<Tables>, ref: ConnectionRef, event: NewEvent, rows: bigint): Promise<boolean> {
  if (rows === 1n) await appendEvent(db, ref.tenant, ref.connection, event);
  return rows === 1n;
}
