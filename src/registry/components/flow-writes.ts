/** Changes of flows, each inside the caller's transaction; the usage index of components goes with every version. */
import { sql, type Kysely } from 'kysely';
import { DurableOAuthError } from '../../errors';
import { accessibleComponents } from './component-view';
import type { NewEvent } from '../contract-common';
import type { FlowRow, Flows } from '../contract-platform';
import { notFound, refuseOther } from '../errors';
import { appendEvent } from '../events';
import { readFlows } from './flow-view';
import type { Tables } from '../schema';

interface Included {
  readonly components: readonly string[];
  readonly connections: readonly string[];
}

interface Named {
  readonly tenant: string;
  readonly id: string;
  readonly event: NewEvent;
}

export async function create(db: Kysely<Tables>, flow: Parameters<Flows['create']>[0]): Promise<void> {
  const { tenant, id, name, status, schedule = null, event } = flow;
  const included = distinct(flow);
  await expectUsable(db, tenant, included);
  const inserted = await db
    .insertInto('flows')
    .values({ tenant, id, name, status, schedule, version: 1 })
    .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows === 0n) {
    throw new DurableOAuthError('ALREADY_EXISTS', 'A flow has this id', { tenant, flow: id });
  }
  await insertVersion(db, flow, 1, included);
  await appendEvent(db, tenant, null, event);
}

export async function change(
  db: Kysely<Tables>,
  given: Named & { readonly changes: Parameters<Flows['change']>[2]; readonly base: FlowRow | undefined },
): Promise<void> {
  const { tenant, id, changes, base, event } = given;
  const before = await lock(db, tenant, id);
  refuseOther(before, base, { tenant, flow: id });
  const { components = before.components, connections = before.connections } = changes;
  const after = distinct({ components, connections });
  const sameVersion = isSame(before.components, after.components) && isSame(before.connections, after.connections);
  const version = sameVersion ? before.version : before.version + 1;
  if (!sameVersion) {
    await expectUsable(db, tenant, after);
    await insertVersion(db, given, version, after);
  }
  const { name = before.name, status = before.status, schedule = before.schedule } = changes;
  await db
    .updateTable('flows')
    .set({ name, status, schedule, version, updated_at: sql<string>`now()` })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .execute();
  await appendEvent(db, tenant, null, event);
}

export async function removeVersion(
  db: Kysely<Tables>,
  { tenant, id, version, event }: Named & { readonly version: number },
): Promise<void> {
  const flow = await lock(db, tenant, id);
  if (flow.version === version) {
    throw new DurableOAuthError('IN_USE', 'The current version of a flow cannot be removed', { flow: id, version });
  }
  const removed = await db
    .deleteFrom('flow_versions')
    .where('tenant', '=', tenant)
    .where('flow', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();
  if (removed.numDeletedRows === 0n) throw notFound('version', { tenant, flow: id, version });
  await appendEvent(db, tenant, null, event);
}

/** Its versions and its part of the usage index go with it. */
export async function remove(db: Kysely<Tables>, tenant: string, id: string, event: NewEvent): Promise<void> {
  const removed = await db.deleteFrom('flows').where('tenant', '=', tenant).where('id', '=', id).executeTakeFirst();
  if (removed.numDeletedRows === 0n) throw notFound('flow', { tenant, flow: id });
  await appendEvent(db, tenant, null, event);
}

/** Locked first, read then: a join that has waited would look for the version of before. */
async function lock(db: Kysely<Tables>, tenant: string, id: string): Promise<FlowRow> {
  await db.selectFrom('flows').select('id').where('tenant', '=', tenant).where('id', '=', id).forUpdate().execute();
  const [flow] = await readFlows(db, tenant, { id });
  if (flow === undefined) throw notFound('flow', { tenant, flow: id });
  return flow;
}

/**
 * Everything that is included can be used by the tenant, and stays so until the transaction ends: whoever deletes a client
 * or an integration waits for it, and then finds the flow.
 */
async function expectUsable(db: Kysely<Tables>, tenant: string, { components, connections }: Included): Promise<void> {
  await lockComponents(db, tenant, components);
  const withClient = await lockClients(db, tenant, components);
  const accessible = await accessibleComponents(db, tenant, components);
  for (const component of components) {
    const row = accessible.find(({ id }) => id === component);
    if (row === undefined) throw notFound('component', { component });
    if (row.manifest.useOAuthClient && !withClient.includes(component)) {
      throw new DurableOAuthError('OAUTH_CLIENT_MISSING', undefined, { component });
    }
  }
  await expectConnections(db, tenant, connections);
}

/** Before their clients, as whoever changes a component and then its clients. */
async function lockComponents(db: Kysely<Tables>, tenant: string, components: readonly string[]): Promise<void> {
  if (components.length === 0) return;
  const included = db.selectFrom('components').select('id').where('id', 'in', components).orderBy('id').forShare();
  await included.where('tenant', '=', tenant).execute();
  await included.where('access', '=', 'global').execute();
}

/** In the order of their ids, so that two that lock the same ones do not wait for each other. @returns the components */
async function lockClients(
  db: Kysely<Tables>,
  tenant: string,
  components: readonly string[],
): Promise<readonly (string | null)[]> {
  if (components.length === 0) return [];
  const rows = await db
    .selectFrom('oauth_clients')
    .select('component')
    .where('tenant', '=', tenant)
    .where('component', 'in', components)
    .where('status', '=', 'published')
    .orderBy('id')
    .forShare()
    .execute();
  return rows.map(({ component }) => component);
}

/** Their integrations are held, as clients are. */
async function expectConnections(db: Kysely<Tables>, tenant: string, connections: readonly string[]): Promise<void> {
  if (connections.length === 0) return;
  const rows = await db
    .selectFrom('connections')
    .innerJoin('integrations', (join) =>
      join
        .onRef('integrations.tenant', '=', 'connections.tenant')
        .onRef('integrations.id', '=', 'connections.integration_id'),
    )
    .select('connections.id')
    .where('connections.tenant', '=', tenant)
    .where('connections.id', 'in', connections)
    .where('integrations.status', '=', 'published')
    .orderBy('integrations.id')
    .forShare('integrations')
    .execute();
  const missing = connections.find((connection) => !rows.some(({ id }) => id === connection));
  if (missing !== undefined) throw notFound('connection', { connection: missing });
}

async function insertVersion(
  db: Kysely<Tables>,
  { tenant, id, event }: Named,
  version: number,
  { components, connections }: Included,
): Promise<void> {
  const key = { tenant, flow: id, version };
  await db
    .insertInto('flow_versions')
    .values({ ...key, created_by: event.by })
    .execute();
  const used = components.map((component) => ({ ...key, component }));
  if (used.length > 0) await db.insertInto('flow_components').values(used).execute();
  const through = connections.map((connection) => ({ ...key, connection }));
  if (through.length > 0) await db.insertInto('flow_connections').values(through).execute();
}

const distinct = ({ components, connections }: Included): Included => ({
  components: [...new Set(components)].sort(),
  connections: [...new Set(connections)].sort(),
});

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((id) => other.includes(id));
