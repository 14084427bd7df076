import type { Kysely } from 'kysely';
import { accessibleComponents, listedComponent, listedComponents, ownComponent } from './component-view';
import { addVersion, create, remove, setAccess, setEnv } from './component-writes';
import type { Components } from '../contract-platform';
import type { Tables } from '../schema';

export function componentsRepository(db: Kysely<Tables>): Components {
  return {
    create: (component) => db.transaction().execute((transaction) => create(transaction, component)),

    async accessible(tenant, id) {
      const [row] = await accessibleComponents(db, tenant, [id]);
      return row;
    },

    list: (tenant, page) => listedComponents(db, tenant, page),
    get: (tenant, id) => listedComponent(db, tenant, id),

    addVersion: (version) => db.transaction().execute((transaction) => addVersion(transaction, version)),

    async versions(tenant, id, { size, after }) {
      await ownComponent(db, tenant, id);
      return db
        .selectFrom('component_versions')
        .select(['component', 'version', 'created_by as createdBy', 'created_at as createdAt'])
        .where('tenant', '=', tenant)
        .where('component', '=', id)
        .$if(after !== undefined, (query) => query.where('version', '<', Number(after)))
        .orderBy('version', 'desc')
        .limit(size)
        .execute();
    },

    async file(tenant, id, version) {
      await ownComponent(db, tenant, id);
      const row = await db
        .selectFrom('component_versions')
        .select('file')
        .where('tenant', '=', tenant)
        .where('component', '=', id)
        .where('version', '=', version)
        .executeTakeFirst();
      return row?.file;
    },

    setAccess: (tenant, id, access, team, event, base) =>
      db.transaction().execute((transaction) => setAccess(transaction, { tenant, id, access, team, event, base })),
    setEnv: (tenant, id, changes, event) =>
      db.transaction().execute((transaction) => setEnv(transaction, { tenant, id, changes, event })),
    remove: (tenant, id, event) => db.transaction().execute((transaction) => remove(transaction, tenant, id, event)),
  };
}
