/** Changes of components, each inside the caller's transaction, and what they mean for the OAuth clients made for them. */
import { sql, type Kysely } from 'kysely';
import { DurableOAuthError } from '../../errors';
import { ownComponent } from './component-view';
import type { NewEvent } from '../contract-common';
import type { ComponentAccess, ComponentRow, Components, Effect, EffectKind } from '../contract-platform';
import { originsDiffer } from './endpoint-origins';
import { notFound, refuseOther } from '../errors';
import { appendEvent, originFor } from '../events';
import { oweEffect } from '../outbox';
import type { Tables } from '../schema';

type Given<M extends 'create' | 'addVersion'> = Parameters<Components[M]>[0];
interface Cause {
  /** Whose component it is. */
  readonly tenant: string;
  readonly event: NewEvent;
}
type Version = Omit<Given<'addVersion'>, 'title'> & { readonly version: number };

export async function create(db: Kysely<Tables>, component: Given<'create'>): Promise<void> {
  const { tenant, id, title, access, team, event } = component;
  await db
    .insertInto('components')
    .values({ tenant, id, title, access, team: team ?? null, version: 1 })
    .execute();
  await insertVersion(db, { ...component, version: 1 });
  await appendEvent(db, tenant, null, event);
}

export async function addVersion(
  db: Kysely<Tables>,
  given: Given<'addVersion'>,
): Promise<{ version: number; originChanged: boolean }> {
  const { tenant, id, title, manifest, event } = given;
  const before = await lockOwn(db, tenant, id);
  const after = { ...before, manifest, version: before.version + 1 };
  await refuseGlobalCredentials(db, after);
  await insertVersion(db, { ...given, version: after.version });
  await db
    .updateTable('components')
    .set({ title, version: after.version })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .execute();
  await appendEvent(db, tenant, null, event);
  return { version: after.version, originChanged: await suspendWhenMoved(db, before, after, given) };
}

export async function setAccess(
  db: Kysely<Tables>,
  given: Cause & { id: string; access: ComponentAccess; team: string | null; base: ComponentRow | undefined },
): Promise<void> {
  const { tenant, id, access, team, base, event } = given;
  const before = await lockOwn(db, tenant, id);
  refuseOther(before, base, { tenant, component: id });
  await refuseGlobalCredentials(db, { ...before, access });
  await db.updateTable('components').set({ access, team }).where('tenant', '=', tenant).where('id', '=', id).execute();
  await appendEvent(db, tenant, null, event);
  if (before.access !== 'global' || access === 'global') return;
  const clients = await publishedClients(db, id);
  const others = clients.filter((client) => client.tenant !== tenant);
  await owe(db, 'oauth_client.disconnect', others, given);
}

export async function setEnv(
  db: Kysely<Tables>,
  given: { tenant: string; id: string; changes: Readonly<Record<string, string | null>>; event: NewEvent },
): Promise<{ originChanged: boolean }> {
  const { tenant, id, changes, event } = given;
  const before = await lockOwn(db, tenant, id);
  const merged = Object.entries({ ...before.env, ...changes });
  const env = Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null));
  await db
    .updateTable('components')
    .set({ env: JSON.stringify(env) })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .execute();
  await appendEvent(db, tenant, null, event);
  return { originChanged: await suspendWhenMoved(db, before, { ...before, env }, given) };
}

export async function remove(db: Kysely<Tables>, tenant: string, id: string, event: NewEvent): Promise<void> {
  const removed = await db
    .updateTable('components')
    .set({ removed_at: sql<string>`now()` })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
  if (removed.numUpdatedRows === 1n) {
    await appendEvent(db, tenant, null, event);
    await owe(db, 'oauth_client.disconnect', await publishedClients(db, id), { tenant, event });
    return;
  }
  const gone = await db
    .selectFrom('components')
    .select('id')
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .executeTakeFirst();
  if (gone === undefined) throw notFound('component', { tenant, component: id });
}

async function insertVersion(db: Kysely<Tables>, given: Version): Promise<void> {
  const { tenant, id, version, file, manifest, event } = given;
  await db
    .insertInto('component_versions')
    .values({ tenant, component: id, version, file, manifest: JSON.stringify(manifest), created_by: event.by })
    .execute();
}

/**
 * Locked first, read then: a join that has waited would look for the old version's row. Not FOR UPDATE: an
 * integration that is being registered holds its client and then refers to it.
 */
async function lockOwn(db: Kysely<Tables>, tenant: string, id: string): Promise<ComponentRow> {
  await db
    .selectFrom('components')
    .select('id')
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .execute();
  return ownComponent(db, tenant, id);
}

/** What a tenant entered for itself must not serve every other one (002-38). */
async function refuseGlobalCredentials(
  db: Kysely<Tables>,
  { tenant, id, access, manifest }: Pick<ComponentRow, 'tenant' | 'id' | 'access' | 'manifest'>,
): Promise<void> {
  if (access !== 'global' || !manifest.legacyOAuth) return;
  const client = await db
    .selectFrom('oauth_clients')
    .select('id')
    .where('tenant', '=', tenant)
    .where('component', '=', id)
    .where('legacy', '=', true)
    .where('status', 'in', ['reserved', 'published'])
    .executeTakeFirst();
  if (client !== undefined) throw globalCredentials(id);
}

export const globalCredentials = (component: string): DurableOAuthError =>
  new DurableOAuthError(
    'IN_USE',
    'A component with OAuth credentials in its env vars cannot be global: declare "useOAuthClient": true and let each tenant have a client of its own',
    { component },
  );

/** Nobody has agreed to send a secret to the new origin: each tenant must confirm it. */
async function suspendWhenMoved(
  db: Kysely<Tables>,
  before: ComponentRow,
  after: ComponentRow,
  cause: Cause,
): Promise<boolean> {
  if (!originsDiffer(before, after)) return false;
  const clients = await db
    .updateTable('oauth_clients')
    .set({ suspended_at: sql<string>`now()` })
    .where('component', '=', after.id)
    .where('status', 'in', ['reserved', 'published'])
    .returning(['tenant', 'id'])
    .execute();
  for (const { tenant, id } of clients) {
    const facts = { component: after.id, client: id };
    await appendEvent(db, tenant, null, {
      type: 'oauth_client.suspended',
      ...originFor(tenant, cause.tenant, cause.event),
      facts,
    });
  }
  await owe(db, 'oauth_client.changed', clients, cause);
  return true;
}

type ClientOfTenant = Pick<Effect, 'tenant'> & { readonly id: string };

const publishedClients = (db: Kysely<Tables>, component: string): Promise<readonly ClientOfTenant[]> =>
  db
    .selectFrom('oauth_clients')
    .select(['tenant', 'id'])
    .where('component', '=', component)
    .where('status', '=', 'published')
    .execute();

async function owe(
  db: Kysely<Tables>,
  kind: EffectKind,
  clients: readonly ClientOfTenant[],
  cause: Cause,
): Promise<void> {
  for (const { tenant, id } of clients) {
    await oweEffect(db, tenant, { kind, subject: id, ...originFor(tenant, cause.tenant, cause.event) });
  }
}
