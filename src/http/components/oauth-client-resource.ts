/** OAuth clients as resources. Secrets have no column, so none can pass. */
import type { z } from 'zod';
import type { ComponentClientRow } from '../../registry/contract-platform';
import { componentPath, oauthClientPath } from '../paths';
import type { oauthClient } from '../schemas/oauth-client';

type OAuthClient = z.output<typeof oauthClient>;

export function toOAuthClient(row: ComponentClientRow): OAuthClient {
  const { tenant, id, component } = row;
  const related = componentPath(tenant, component);
  return {
    type: 'oauth-client',
    id,
    attributes: {
      client_id: row.clientId,
      client_secret_set_at: row.secretSetAt,
      client_secret_fingerprint: row.secretFingerprint,
      suspended_at: row.suspendedAt,
      created_at: row.createdAt,
      updated_at: row.updatedAt,
    },
    // One whose component is gone names none, and can be deleted.
    relationships: row.componentGone
      ? undefined
      : { component: { links: { related }, data: { type: 'component', id: component } } },
    links: { self: oauthClientPath(tenant, id) },
  };
}
