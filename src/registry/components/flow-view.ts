/** Flows and their versions, with what they include. */
import type { Kysely } from 'kysely';
import type { Page } from '../contract-common';
import type { FlowRow, Flows, FlowVersionRow } from '../contract-platform';
import type { Tables } from '../schema';

type Filter = NonNullable<Parameters<Flows['list']>[2]> & { readonly id?: string };

/** By their current versions. @param page undefined = all */
export async function readFlows(
  db: Kysely<Tables>,
  tenant: string,
  { id, component, connection, status }: Filter,
  page?: Page,
): Promise<readonly FlowRow[]> {
  const rows = await versions(db)
    .innerJoin('flows as f', (join) =>
      join.onRef('f.tenant', '=', 'v.tenant').onRef('f.id', '=', 'v.flow').onRef('f.version', '=', 'v.version'),
    )
    .select(['f.tenant', 'f.id', 'f.name', 'f.status', 'f.schedule'])
    .select(['f.version', 'f.created_at as createdAt', 'f.updated_at as updatedAt'])
    .where('f.tenant', '=', tenant)
    .$if(id !== undefined, (query) => query.where('f.id', '=', id ?? ''))
    .$if(status !== undefined, (query) => query.where('f.status', '=', status ?? 'draft'))
    .$if(component !== undefined, (query) =>
      query.innerJoin('flow_components as with_component', (join) =>
        join
          .onRef('with_component.tenant', '=', 'v.tenant')
          .onRef('with_component.flow', '=', 'v.flow')
          .onRef('with_component.version', '=', 'v.version')
          .on('with_component.component', '=', component ?? ''),
      ),
    )
    .$if(connection !== undefined, (query) =>
      query.innerJoin('flow_connections as with_connection', (join) =>
        join
          .onRef('with_connection.tenant', '=', 'v.tenant')
          .onRef('with_connection.flow', '=', 'v.flow')
          .onRef('with_connection.version', '=', 'v.version')
          .on('with_connection.connection', '=', connection ?? ''),
      ),
    )
    .$if(page?.after !== undefined, (query) => query.where('f.id', '>', page?.after ?? ''))
    .$if(page !== undefined, (query) => query.limit(page?.size ?? 0))
    .orderBy('f.id')
    .execute();
  return rows;
}

/** Newest first. */
export async function readFlowVersions(
  db: Kysely<Tables>,
  tenant: string,
  flow: string,
  { size, after }: Page,
): Promise<readonly FlowVersionRow[]> {
  return versions(db)
    .select(['v.flow', 'v.version', 'v.created_by as createdBy', 'v.created_at as createdAt'])
    .where('v.tenant', '=', tenant)
    .where('v.flow', '=', flow)
    .$if(after !== undefined, (query) => query.where('v.version', '<', Number(after)))
    .orderBy('v.version', 'desc')
    .limit(size)
    .execute();
}

function versions(db: Kysely<Tables>) {
  return db
    .selectFrom('flow_versions as v')
    .select(({ fn, selectFrom }) => [
      fn<string[]>('array', [
        selectFrom('flow_components as c')
          .select('c.component')
          .whereRef('c.tenant', '=', 'v.tenant')
          .whereRef('c.flow', '=', 'v.flow')
          .whereRef('c.version', '=', 'v.version')
          .orderBy('c.component'),
      ]).as('components'),
      fn<string[]>('array', [
        selectFrom('flow_connections as c')
          .select('c.connection')
          .whereRef('c.tenant', '=', 'v.tenant')
          .whereRef('c.flow', '=', 'v.flow')
          .whereRef('c.version', '=', 'v.version')
          .orderBy('c.connection'),
      ]).as('connections'),
    ]);
}
