/** A flow as it is sent and shown: what includes components, and may include connections. */
import { z } from 'zod';
import { id, input, list, page, resource, text, time } from './document';

const MAX_INCLUDED = 100;
const status = z.enum(['draft', 'running', 'stopped']);
const name = text(200);
const schedule = text(200);

const related = <T extends string>(
  type: T,
): z.ZodObject<{ data: z.ZodArray<z.ZodObject<{ type: z.ZodLiteral<T>; id: typeof id }>> }> =>
  z.object({ data: z.array(z.object({ type: z.literal(type), id })).max(MAX_INCLUDED) });

const relationships = z
  .strictObject({ components: related('component').optional(), connections: related('connection').optional() })
  .default({});
export type FlowRelationships = z.output<typeof relationships>;

const created = input('flow', z.strictObject({ name, status: status.default('draft'), schedule: schedule.optional() }));
const changed = input(
  'flow',
  z
    .strictObject({ name: name.optional(), status: status.optional(), schedule: schedule.nullable().optional() })
    .default({}),
);
export const createFlow = z.object({ data: created.shape.data.extend({ relationships }) });
export const changeFlow = z.object({ data: changed.shape.data.extend({ relationships }) });

export const flow = resource(
  'flow',
  z.object({
    name: z.string(),
    status,
    schedule: z.string().nullable(),
    version: z.number(),
    created_at: time,
    updated_at: time,
  }),
);
export const flowDocument = z.object({ data: flow });
export const flowList = list(flow);
export const flowVersionList = list(
  resource('flow-version', z.object({ version: z.number(), created_by: z.string(), created_at: time })),
);

export const flowQuery = z.strictObject({
  ...page,
  'filter[component]': z.union([id, z.literal('')]).optional(),
  'filter[connection]': z.union([id, z.literal('')]).optional(),
  'filter[status]': z.union([status, z.literal('')]).optional(),
});
