/** Effects owed: written in the transaction of their cause, so that neither happens without the other. */
import type { Kysely } from 'kysely';
import type { Effect } from './contract-platform';
import type { Tables } from './schema';

type Owed = Pick<Effect, 'kind' | 'subject' | 'by' | 'traceId'> & Partial<Pick<Effect, 'facts'>>;

/** Inside the transaction of its cause. @param tenant the one the subject belongs to */
export async function oweEffect(
  db: Kysely<Tables>,
  tenant: string,
  { kind, subject, facts, by, traceId }: Owed,
): Promise<void> {
  await db
    .insertInto('outbox')
    .values({ tenant, kind, subject, facts: facts === undefined ? null : JSON.stringify(facts), by, trace_id: traceId })
    .execute();
}
