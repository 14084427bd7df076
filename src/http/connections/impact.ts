/** What a revocation of a connection would stop, what stays, and who can connect it again. */
import type { z } from 'zod';
import { describeImpact } from '../../connection/impact-text';
import type { Lang } from '../../connection/reasons';
import type { ConnectionContext } from '../../registry/contract';
import type { AppDeps } from '../deps';
import type { impactDocument } from '../schemas/impact';
import { whoCan } from '../access/who-can';
import { appOf } from '../integrations/integration-resource';
import { connectionPath } from '../paths';

export async function impactOf(
  { registry, catalogue }: Pick<AppDeps, 'registry' | 'catalogue'>,
  { connection, integration, provider }: ConnectionContext,
  lang: Lang,
): Promise<z.output<typeof impactDocument>> {
  const { tenant, id } = connection;
  const { grant_type, policy } = integration.settings;
  const [flows, waiters, principals] = await Promise.all([
    registry.flows.dependingOn(tenant, id),
    registry.waiters.list({ tenant, connection: id }),
    whoCan(registry, tenant, 'tenants.connections.create_consent_link'),
  ]);
  const said = describeImpact(
    {
      app: appOf(integration, catalogue, provider),
      flows: flows.length,
      waiting: waiters.length,
      fallback: policy.fallback,
      byConsent: grant_type === 'authorization_code',
    },
    lang,
  );
  return {
    data: {
      type: 'impact',
      id,
      attributes: {
        ...said,
        fallback: policy.fallback,
        flows: flows.map((flow) => ({ id: flow.id, name: flow.name, status: flow.status, schedule: flow.schedule })),
        waiting: waiters.length,
        who_can_reconnect: grant_type === 'authorization_code' ? [...principals] : [],
      },
      relationships: { connection: { links: { related: connectionPath(tenant, id) } } },
    },
  };
}
