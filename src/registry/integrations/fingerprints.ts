import type { Kysely } from 'kysely';
import { DurableOAuthError } from '../../errors';
import type { Registry } from '../contract';
import type { Tables } from '../schema';

/** Of several connections that reserve one fingerprint, the first keeps it; reserving again is harmless. */
export async function reserveFingerprint(
  db: Kysely<Tables>,
  tenant: string,
  fingerprint: string,
  connection: string,
): Promise<void> {
  await db
    .insertInto('grant_fingerprints')
    .values({ tenant, fingerprint, connection })
    .onConflict((conflict) => conflict.columns(['tenant', 'fingerprint']).doNothing())
    .execute();
  const holder = await db
    .selectFrom('grant_fingerprints')
    .select('connection')
    .where('tenant', '=', tenant)
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  if (holder?.connection !== connection) {
    throw new DurableOAuthError('ALREADY_EXISTS', 'The refresh token is used by another connection', {
      tenant,
      connection,
      heldBy: holder?.connection,
    });
  }
}

export async function releaseFingerprints(db: Kysely<Tables>, tenant: string, connection: string): Promise<void> {
  await db.deleteFrom('grant_fingerprints').where('tenant', '=', tenant).where('connection', '=', connection).execute();
}

export function fingerprintsRepository(db: Kysely<Tables>): Registry['fingerprints'] {
  return {
    reserve: (tenant, fingerprint, connection) => reserveFingerprint(db, tenant, fingerprint, connection),
    release: (tenant, connection) => releaseFingerprints(db, tenant, connection),
  };
}
