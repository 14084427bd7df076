/** How an OAuth client for a component comes to be and changes: reserve, (the secret is stored), publish. */
import { sql, type Kysely } from 'kysely';
import { originIn } from '../../connection/messages';
import { DurableOAuthError } from '../../errors';
import { globalCredentials } from './component-writes';
import type { ComponentAccess, OAuthClients } from '../contract-platform';
import { notFound, refuseOther } from '../errors';
import { appendEvent } from '../events';
import { clientUse } from './oauth-client-reads';
import { oweEffect } from '../outbox';
import type { Tables } from '../schema';

type Reservation = Parameters<OAuthClients['reserve']>[0];
type Change = Parameters<OAuthClients['prepareChange']>[0];
type Publication = Parameters<OAuthClients['publish']>[0];

/** The unique index decides between several: whoever inserts first has the place. */
export async function reserve(db: Kysely<Tables>, reservation: Reservation): Promise<void> {
  const { tenant, id, component, clientId, secret, legacy } = reservation;
  const held = await holdComponent(db, tenant, component);
  if (held === undefined) throw notFound('component', { tenant, component });
  if (legacy && held.access === 'global') throw globalCredentials(component);
  await db
    .insertInto('oauth_clients')
    .values({ tenant, id, client_id: clientId, label: held.title, component, legacy, status: 'reserved' })
    .onConflict((conflict) => conflict.columns(['tenant', 'id']).doNothing())
    .execute();
  await listSecret(db, tenant, id, secret);
}

export async function prepareChange(db: Kysely<Tables>, { tenant, id, secret, base }: Change): Promise<void> {
  const client = await db
    .selectFrom('oauth_clients')
    .select(['secret_id', 'suspended_at'])
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .where('status', '=', 'published')
    .forShare()
    .executeTakeFirst();
  if (client === undefined) throw notFound('OAuth client', { tenant, client: id });
  refuseOther({ secretId: client.secret_id, suspendedAt: client.suspended_at }, base, { tenant, client: id });
  await listSecret(db, tenant, id, secret);
}

/** The client is held until the name is visible: whoever ends it finds the name, or is seen here. */
export async function nameSecret(db: Kysely<Tables>, tenant: string, client: string, id: string): Promise<void> {
  const held = await db
    .selectFrom('oauth_clients')
    .select('id')
    .where('tenant', '=', tenant)
    .where('id', '=', client)
    .where('status', 'in', ['reserved', 'published'])
    .forShare()
    .executeTakeFirst();
  if (held === undefined) throw notFound('OAuth client', { tenant, client });
  await listSecret(db, tenant, client, id);
}

/** Before it is in the vault: no entry there is without a row that names it. */
async function listSecret(db: Kysely<Tables>, tenant: string, client: string, id: string): Promise<void> {
  await db
    .insertInto('client_secrets')
    .values({ tenant, client, id })
    .onConflict((conflict) => conflict.columns(['tenant', 'client', 'id']).doNothing())
    .execute();
}

/** Locks the component before the client, as whatever changes a component and then its clients does. */
export async function publish(db: Kysely<Tables>, publication: Publication): Promise<void> {
  const { tenant, id, component, clientId, secret, base, event } = publication;
  const held = await holdComponent(db, tenant, component);
  const before = await db
    .selectFrom('oauth_clients')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  // The answer to an earlier attempt was lost; a deletion that has begun since still needs the secret.
  if (before?.secret_id === secret.id) return;
  if (before === undefined || before.status === 'deleting' || before.status === 'deleted') {
    throw notFound('OAuth client', { tenant, client: id });
  }
  refuseOther({ secretId: before.secret_id, suspendedAt: before.suspended_at }, base, { tenant, client: id });
  const moves = before.component !== component;
  if (moves && held === undefined) throw notFound('component', { tenant, component });
  if (moves) await refuseUsed(db, tenant, id);
  await changeClient(db, tenant, id, { clientId, before: before.secret_id, secret });
  await db
    .updateTable('oauth_clients')
    .set({ component, label: moves ? held?.title : before.label, status: 'published', suspended_at: null })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .execute();
  // Those of a client that was deleted before can be reconnected through this one.
  await db
    .updateTable('integrations')
    .set({ oauth_client_id: id })
    .where('tenant', '=', tenant)
    .where('component', '=', component)
    .where('status', '=', 'published')
    .execute();
  await oweEffect(db, tenant, { kind: 'oauth_client.changed', subject: id, ...originIn(event) });
  await appendEvent(db, tenant, null, event);
}

/**
 * Client id and secret, where another one is given; whatever paused the client is over.
 * @param change.before the secret until now
 */
export async function changeClient(
  db: Kysely<Tables>,
  tenant: string,
  client: string,
  change: {
    readonly clientId: string;
    readonly before: string | null;
    readonly secret?: { readonly id: string; readonly fingerprint: string };
  },
): Promise<void> {
  const { clientId, before, secret } = change;
  if (secret !== undefined) await replaceSecret(db, tenant, client, before, secret);
  await db
    .updateTable('oauth_clients')
    .set({
      client_id: clientId,
      secret_id: secret?.id ?? before,
      paused_until: null,
      paused_code: null,
      updated_at: sql<string>`now()`,
    })
    .where('tenant', '=', tenant)
    .where('id', '=', client)
    .execute();
}

/** Those before are listed as retired: they are destroyed once nobody can be using them. */
async function replaceSecret(
  db: Kysely<Tables>,
  tenant: string,
  client: string,
  before: string | null,
  { id, fingerprint }: { readonly id: string; readonly fingerprint: string },
): Promise<void> {
  // One that came with the save of an integration is on no list yet; its fingerprint was shown to nobody.
  if (before !== null) {
    await db
      .insertInto('client_secrets')
      .values({ tenant, client, id: before, fingerprint: '' })
      .onConflict((conflict) => conflict.columns(['tenant', 'client', 'id']).doNothing())
      .execute();
  }
  await db
    .updateTable('client_secrets')
    .set({ retired_at: sql<string>`now()` })
    .where('tenant', '=', tenant)
    .where('client', '=', client)
    .where('id', '<>', id)
    .where('retired_at', 'is', null)
    .execute();
  await db
    .insertInto('client_secrets')
    .values({ tenant, client, id, fingerprint })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'client', 'id']).doUpdateSet({ fingerprint, set_at: sql<string>`now()` }),
    )
    .execute();
}

export async function abandon(db: Kysely<Tables>, tenant: string, id: string, secret: string): Promise<void> {
  await db
    .deleteFrom('client_secrets')
    .where('tenant', '=', tenant)
    .where('client', '=', id)
    .where('id', '=', secret)
    .where('fingerprint', 'is', null)
    .execute();
  await db
    .deleteFrom('oauth_clients')
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .where('status', '=', 'reserved')
    .execute();
}

/** A client moves to another component only while nothing is made of the one it leaves (002-25). */
async function refuseUsed(db: Kysely<Tables>, tenant: string, id: string): Promise<void> {
  const { flows } = await clientUse(db, tenant, id);
  const integrations = await db
    .selectFrom('integrations')
    .select('id')
    .where('tenant', '=', tenant)
    .where('oauth_client_id', '=', id)
    .where('status', '!=', 'deleted')
    .limit(10)
    .execute();
  if (flows.length === 0 && integrations.length === 0) return;
  throw inUse(tenant, id, flows, integrations);
}

export function inUse(
  tenant: string,
  client: string,
  flows: readonly { id: string }[],
  integrations: readonly { id: string }[] = [],
): DurableOAuthError {
  const named = (rows: readonly { id: string }[]): string | undefined =>
    rows.length === 0 ? undefined : rows.map(({ id }) => id).join(', ');
  return new DurableOAuthError('IN_USE', 'The OAuth client is used', {
    tenant,
    client,
    flows: named(flows),
    integrations: named(integrations),
  });
}

/** Its own, or a global one; locked against its changes and its removal until the transaction ends. */
async function holdComponent(
  db: Kysely<Tables>,
  tenant: string,
  component: string,
): Promise<{ title: string; access: ComponentAccess } | undefined> {
  const of = db
    .selectFrom('components')
    .select(['title', 'access'])
    .where('id', '=', component)
    .where('removed_at', 'is', null);
  const own = await of.where('tenant', '=', tenant).forShare().executeTakeFirst();
  return own ?? of.where('access', '=', 'global').forShare().executeTakeFirst();
}
