import { sql, type Kysely } from 'kysely';
import type { Registry } from '../contract';
import { toConsentLinkRow } from '../rows';
import type { Tables } from '../schema';

const MAX_ATTEMPTS = 10;

export function consentLinksRepository(db: Kysely<Tables>): Registry['consentLinks'] {
  return {
    async create({ tenant, id, connection, tokenHash, createdBy, expiresAt, returnTo, mode, confirmerHash }) {
      await db
        .insertInto('consent_links')
        .values({
          tenant,
          id,
          connection,
          token_hash: tokenHash,
          created_by: createdBy,
          expires_at: expiresAt,
          return_to: returnTo ?? null,
          mode,
          confirmer_hash: confirmerHash ?? null,
        })
        .execute();
    },

    async findByHash(tokenHash) {
      const row = await db
        .selectFrom('consent_links')
        .selectAll()
        .where('token_hash', '=', tokenHash)
        .executeTakeFirst();
      return row && toConsentLinkRow(row);
    },

    async startAttempt(tenant, id) {
      const counted = await db
        .updateTable('consent_links')
        .set((eb) => ({ attempts: eb('attempts', '+', 1), last_attempt_at: sql<string>`now()` }))
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('attempts', '<', MAX_ATTEMPTS)
        .where('completed_at', 'is', null)
        .where('expires_at', '>', sql<string>`now()`)
        .executeTakeFirst();
      return counted.numUpdatedRows === 1n;
    },

    async lastAttempt(tenant, of) {
      const { at } = await db
        .selectFrom('consent_links')
        .innerJoin('connections', (join) =>
          join
            .onRef('connections.tenant', '=', 'consent_links.tenant')
            .onRef('connections.id', '=', 'consent_links.connection'),
        )
        .innerJoin('integrations', (join) =>
          join
            .onRef('integrations.tenant', '=', 'connections.tenant')
            .onRef('integrations.id', '=', 'connections.integration_id'),
        )
        .select((eb) => eb.fn.max('consent_links.last_attempt_at').as('at'))
        .where('consent_links.tenant', '=', tenant)
        .where((eb) =>
          'client' in of ? eb('oauth_client_id', '=', of.client) : eb('integrations.id', '=', of.integration),
        )
        .executeTakeFirstOrThrow();
      return at ?? undefined;
    },

    async complete(tenant, id, consent) {
      const taken = await db
        .updateTable('consent_links')
        .set({ completed_at: sql<string>`coalesce(completed_at, now())`, completed_by: consent })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where((eb) => eb.or([eb('completed_at', 'is', null), eb('completed_by', '=', consent)]))
        .executeTakeFirst();
      return taken.numUpdatedRows === 1n;
    },
  };
}
