/** Flows as resources, and what a request says they include. */
import type { z } from 'zod';
import { isDurableOAuthError } from '../../errors';
import type { FlowRow, FlowVersionRow } from '../../registry/contract-platform';
import { ProblemError } from '../problem';
import type { flow, FlowRelationships, flowVersionList } from '../schemas/flow';
import { flowPath } from '../paths';

type Flow = z.output<typeof flow>;
type FlowVersion = z.output<typeof flowVersionList>['data'][number];

export function toFlow(row: FlowRow): Flow {
  const { tenant, id } = row;
  return {
    type: 'flow',
    id,
    attributes: {
      name: row.name,
      status: row.status,
      schedule: row.schedule,
      version: row.version,
      created_at: row.createdAt,
      updated_at: row.updatedAt,
    },
    relationships: { ...included(row), versions: { links: { related: `${flowPath(tenant, id)}/versions` } } },
    links: { self: flowPath(tenant, id) },
  };
}

export function toFlowVersion(row: FlowVersionRow): FlowVersion {
  const { flow, version } = row;
  return {
    type: 'flow-version',
    id: `${flow}.${version}`,
    attributes: { version, created_by: row.createdBy, created_at: row.createdAt },
    relationships: included(row),
  };
}

const included = ({ components, connections }: Pick<FlowRow, 'components' | 'connections'>): Flow['relationships'] => ({
  components: { data: components.map((id) => ({ type: 'component', id })) },
  connections: { data: connections.map((id) => ({ type: 'connection', id })) },
});

/** Ids as the registry takes them; a relationship that is absent stays as it is. */
export const idsIn = ({
  components,
  connections,
}: FlowRelationships): { components?: string[]; connections?: string[] } => ({
  ...(components && { components: components.data.map(({ id }) => id) }),
  ...(connections && { connections: connections.data.map(({ id }) => id) }),
});

/** @returns the failure with a pointer to the entry of the request that it is about */
export function atEntry(error: unknown, { components, connections }: FlowRelationships): unknown {
  if (!isDurableOAuthError(error)) return error;
  const { component, connection } = error.coordinates;
  const places = [
    { name: 'components', index: components?.data.findIndex(({ id }) => id === component) ?? -1 },
    { name: 'connections', index: connections?.data.findIndex(({ id }) => id === connection) ?? -1 },
  ];
  const place = places.find(({ index }) => index >= 0);
  if (place === undefined) return error;
  const pointer = `/data/relationships/${place.name}/data/${place.index}`;
  return new ProblemError([{ code: error.code, detail: error.message, pointer }]);
}
