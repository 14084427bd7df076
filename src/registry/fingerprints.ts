import type { Kysely } from 'kysely';
import { DurableOAuthError } from '../errors';
import type { Registry } from './contract';
import type { Tables } from './schema';

/** Of several integrations that reserve one fingerprint, the first keeps it; reserving again is harmless. */
export async function reserveFingerprint(
  db: Kysely<Tables>,
  tenant: string,
  fingerprint: string,
  integration: string,
): Promise<void> {
  await db
    .insertInto('grant_fingerprints')
    .values({ tenant, fingerprint, integration })
    .onConflict((conflict) => conflict.columns(['tenant', 'fingerprint']).doNothing())
    .execute();
  const holder = await db
    .selectFrom('grant_fingerprints')
    .select('integration')
    .where('tenant', '=', tenant)
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  if (holder?.integration !== integration) {
    throw new DurableOAuthError('ALREADY_EXISTS', 'The refresh token is used by another integration', {
      tenant,
      integration,
      heldBy: holder?.integration,
    });
  }
}

export function fingerprintsRepository(db: Kysely<Tables>): Registry['fingerprints'] {
  return {
    reserve: (tenant, fingerprint, integration) => reserveFingerprint(db, tenant, fingerprint, integration),

    async release(tenant, integration) {
      await db
        .deleteFrom('grant_fingerprints')
        .where('tenant', '=', tenant)
        .where('integration', '=', integration)
        .execute();
    },
  };
}
