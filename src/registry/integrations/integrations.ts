import type { Kysely } from 'kysely';
import type { Registry } from '../contract';
import { unfinishedDeletions } from '../deletions';
import { asTheyAre, changeIntegration, withClients } from './integration-changes';
import { disconnect, integrationUse, markDeleting, ownSecrets, recordDeleted, undoSave } from './integration-removal';
import { register } from './registration';
import type { Tables } from '../schema';

export function integrationsRepository(db: Kysely<Tables>): Registry['integrations'] {
  return {
    async get(tenant, id) {
      const rows = await withClients(db, tenant).where('integrations.id', '=', id).execute();
      return (await asTheyAre(db, rows))[0];
    },

    async list(tenant, { size, after }, { customerReference, preset } = {}) {
      const rows = await withClients(db, tenant)
        .$if(after !== undefined, (query) => query.where('integrations.id', '>', after ?? ''))
        .$if(customerReference !== undefined, (query) =>
          query.where(
            (eb) => eb.ref('integrations.settings', '->>').key('customer_reference'),
            '=',
            customerReference ?? '',
          ),
        )
        .$if(preset !== undefined, (query) =>
          query.where((eb) => eb.ref('integrations.settings', '->>').key('preset'), '=', preset ?? ''),
        )
        .orderBy('integrations.id')
        .limit(size)
        .execute();
      return asTheyAre(db, rows);
    },

    register: (registration) => db.transaction().execute((transaction) => register(transaction, registration)),

    change: (tenant, id, change) =>
      db.transaction().execute((transaction) => changeIntegration(transaction, tenant, id, change)),

    remove: (tenant, id, event, destroyed) =>
      db.transaction().execute((transaction) => undoSave(transaction, tenant, id, event, destroyed)),

    async isTaken(tenant, id) {
      const row = await db
        .selectFrom('integrations')
        .select('id')
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return row !== undefined;
    },

    use: (tenant, id) => integrationUse(db, tenant, id),
    markDeleting: (tenant, id, event) =>
      db.transaction().execute((transaction) => markDeleting(transaction, tenant, id, event)),
    disconnect: (tenant, id, event, limit) =>
      db.transaction().execute((transaction) => disconnect(transaction, tenant, id, event, limit)),
    ownSecrets: (tenant, id) => ownSecrets(db, tenant, id),
    recordDeleted: (tenant, id, event) =>
      db.transaction().execute((transaction) => recordDeleted(transaction, tenant, id, event)),
    unfinishedDeletions: (limit, tenants, after) => unfinishedDeletions(db, 'integrations', limit, tenants, after),
  };
}
