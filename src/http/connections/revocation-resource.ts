/** What is left of a connection that was revoked. */
import type { z } from 'zod';
import type { Tombstone } from '../../connection/messages';
import type { ConnectionRef } from '../../connection/types';
import type { Wording } from '../../connection/wording';
import { connectionPath } from '../paths';
import type { revocationDocument } from '../schemas/revocation';

type Revocation = z.output<typeof revocationDocument>['data'];

export function toRevocation({ tenant, connection }: ConnectionRef, tombstone: Tombstone, said: Wording): Revocation {
  return {
    type: 'revocation',
    id: connection,
    attributes: {
      title: said.title,
      text: [said.reason, said.effect, said.next].filter(Boolean).join(' '),
      by: tombstone.by,
      reason: tombstone.reason,
      frozen_at: tombstone.frozenAt,
      provider: tombstone.provider,
      provider_at: tombstone.providerAt,
      destroyed_at: tombstone.destroyedAt,
    },
    relationships: { connection: { links: { related: connectionPath(tenant, connection) } } },
  };
}
