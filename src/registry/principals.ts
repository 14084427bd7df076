import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { idFrom } from '../connection/ids';
import type { Registry } from './contract';
import type { Tables } from './schema';

export function principalsRepository(db: Kysely<Tables>): Registry['principals'] {
  return {
    async ensure(tenant, email) {
      await db
        .insertInto('principals')
        .values({ tenant, id: idFrom('pr', randomBytes(17)), email })
        .onConflict((conflict) => conflict.columns(['tenant', 'email']).doNothing())
        .execute();
      return db
        .selectFrom('principals')
        .select(['id', 'email'])
        .where('tenant', '=', tenant)
        .where('email', '=', email)
        .executeTakeFirstOrThrow();
    },
  };
}
