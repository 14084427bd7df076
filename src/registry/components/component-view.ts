/** Components as one tenant sees them: with the manifest of the current version, and with its own client for them. */
import { sql, type Kysely } from 'kysely';
import type { Page } from '../contract-common';
import type { ClientForComponent, ComponentRow } from '../contract-platform';
import { notFound } from '../errors';
import type { Tables } from '../schema';

/** Own, and not removed. @throws NOT_FOUND */
export async function ownComponent(db: Kysely<Tables>, tenant: string, id: string): Promise<ComponentRow> {
  const row = await own(db, tenant).where('c.id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('component', { tenant, component: id });
  return toComponentRow(row);
}

/** Those of the given ones that the tenant may have an OAuth client for. */
export async function accessibleComponents(
  db: Kysely<Tables>,
  tenant: string,
  ids: readonly string[],
): Promise<readonly ComponentRow[]> {
  if (ids.length === 0) return [];
  const rows = await own(db, tenant)
    .where('c.id', 'in', ids)
    .unionAll(foreign(db, tenant).where('c.id', 'in', ids))
    .execute();
  return rows.map(toComponentRow);
}

/** What the tenant can use. */
export async function listedComponents(
  db: Kysely<Tables>,
  tenant: string,
  { size, after = '' }: Page,
): Promise<readonly ComponentRow[]> {
  const rows = await own(db, tenant)
    .where('c.id', '>', after)
    .unionAll(usableForeign(db, tenant).where('c.id', '>', after))
    .orderBy('id')
    .limit(size)
    .execute();
  return rows.map(toComponentRow);
}

export async function listedComponent(
  db: Kysely<Tables>,
  tenant: string,
  id: string,
): Promise<ComponentRow | undefined> {
  const row = await own(db, tenant)
    .where('c.id', '=', id)
    .unionAll(usableForeign(db, tenant).where('c.id', '=', id))
    .executeTakeFirst();
  return row && toComponentRow(row);
}

const own = (db: Kysely<Tables>, tenant: string) => seen(db, tenant).where('c.tenant', '=', tenant);

const foreign = (db: Kysely<Tables>, tenant: string) =>
  seen(db, tenant).where('c.access', '=', 'global').where('c.tenant', '<>', tenant);

/** It needs no client, or has one here. */
const usableForeign = (db: Kysely<Tables>, tenant: string) =>
  foreign(db, tenant).where((eb) =>
    eb.or([eb('oc.id', 'is not', null), sql<boolean>`NOT (v.manifest -> 'useOAuthClient')::boolean`]),
  );

function seen(db: Kysely<Tables>, tenant: string) {
  return db
    .selectFrom('components as c')
    .innerJoin('component_versions as v', (join) =>
      join.onRef('v.component', '=', 'c.id').onRef('v.version', '=', 'c.version'),
    )
    .leftJoin('oauth_clients as oc', (join) =>
      join.onRef('oc.component', '=', 'c.id').on('oc.tenant', '=', tenant).on('oc.status', '=', 'published'),
    )
    .leftJoin('client_secrets as s', (join) =>
      join.onRef('s.tenant', '=', 'oc.tenant').onRef('s.client', '=', 'oc.id').onRef('s.id', '=', 'oc.secret_id'),
    )
    .select([
      'c.tenant',
      'c.id',
      'c.title',
      'c.access',
      'c.team',
      'c.version',
      'c.env',
      'c.created_at',
      'v.manifest',
      'oc.id as client',
      'oc.client_id',
      'oc.legacy',
      'oc.suspended_at',
      's.set_at',
      's.fingerprint',
    ])
    .where('c.removed_at', 'is', null);
}

type Seen = Awaited<ReturnType<ReturnType<typeof seen>['executeTakeFirstOrThrow']>>;

function toComponentRow(row: Seen): ComponentRow {
  return {
    tenant: row.tenant,
    id: row.id,
    title: row.title,
    access: row.access,
    team: row.team,
    version: row.version,
    manifest: row.manifest,
    env: row.env,
    createdAt: row.created_at,
    client: toClient(row),
  };
}

function toClient(row: Seen): ClientForComponent | null {
  if (row.client === null) return null;
  return {
    id: row.client,
    clientId: row.client_id ?? '',
    legacy: row.legacy ?? false,
    suspendedAt: row.suspended_at,
    secretSetAt: row.set_at,
    secretFingerprint: row.fingerprint,
  };
}
