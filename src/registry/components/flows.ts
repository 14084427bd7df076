import type { Kysely } from 'kysely';
import type { Flows } from '../contract-platform';
import { notFound } from '../errors';
import { readFlows, readFlowVersions } from './flow-view';
import { change, create, remove, removeVersion } from './flow-writes';
import type { Tables } from '../schema';

export function flowsRepository(db: Kysely<Tables>): Flows {
  return {
    create: (flow) => db.transaction().execute((transaction) => create(transaction, flow)),

    async get(tenant, id) {
      const [row] = await readFlows(db, tenant, { id });
      return row;
    },

    list: (tenant, page, filter = {}) => readFlows(db, tenant, filter, page),

    change: (tenant, id, changes, event, base) =>
      db.transaction().execute((transaction) => change(transaction, { tenant, id, changes, event, base })),

    async versions(tenant, id, page) {
      const rows = await readFlowVersions(db, tenant, id, page);
      // The current version is never removed: only a flow that is not there has none.
      if (rows.length === 0 && page.after === undefined) throw notFound('flow', { tenant, flow: id });
      return rows;
    },

    removeVersion: (tenant, id, version, event) =>
      db.transaction().execute((transaction) => removeVersion(transaction, { tenant, id, version, event })),
    remove: (tenant, id, event) => db.transaction().execute((transaction) => remove(transaction, tenant, id, event)),
    dependingOn: (tenant, connection) => readFlows(db, tenant, { connection }),
  };
}
