import type { Kysely } from 'kysely';
import type { Registry } from '../contract';
import type { Tables } from '../schema';

export function waitersRepository(db: Kysely<Tables>): Registry['waiters'] {
  return {
    async park({ tenant, connection, workflow, activity, taskToken }) {
      const task_token = Buffer.from(taskToken);
      await db
        .insertInto('waiters')
        .values({ tenant, connection, workflow, activity, task_token })
        .onConflict((conflict) =>
          conflict.columns(['tenant', 'workflow', 'activity']).doUpdateSet({ connection, task_token }),
        )
        .execute();
    },

    async list({ tenant, connection }) {
      const rows = await db
        .selectFrom('waiters')
        .select(['workflow', 'activity', 'task_token as taskToken'])
        .where('tenant', '=', tenant)
        .where('connection', '=', connection)
        .orderBy('created_at')
        .execute();
      return rows;
    },

    async remove({ tenant, connection, workflow, activity, taskToken }) {
      await db
        .deleteFrom('waiters')
        .where('tenant', '=', tenant)
        .where('connection', '=', connection)
        .where('workflow', '=', workflow)
        .where('activity', '=', activity)
        .where('task_token', '=', Buffer.from(taskToken))
        .execute();
    },
  };
}
