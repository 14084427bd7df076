/** Grant types, and the fields a form asks for one of them. */
import { z } from 'zod';
import { id, resource, tenantPath } from './document';

const choice = z.object({ value: z.string(), label: z.string() });

const grantType = resource(
  'grant-type',
  z.object({
    label: z.string(),
    help: z.string(),
    /** What a form has chosen before anybody chooses. */
    default: z.boolean(),
  }),
);

const field = resource(
  'field',
  z.object({
    name: z.string(),
    label: z.string(),
    help: z.string(),
    kind: z.enum(['text', 'url', 'secret', 'select']),
    /** Must be filled in: nothing else stands in for it. */
    required: z.boolean(),
    /** Write-only: never shown again. */
    confidential: z.boolean(),
    /** Made by the server, to be shown. */
    read_only: z.boolean(),
    /** What stands in for it when it is left out. */
    default: z.string().optional(),
    options: z.array(choice).optional(),
  }),
);

export type Field = z.output<typeof field>;

export const grantTypes = z.object({ data: z.array(grantType) });
export const fields = z.object({ data: z.array(field) });

export const formPath = z.object({ type: z.string() });
export const tenantFormPath = tenantPath.extend(formPath.shape);
export const formQuery = z.strictObject({ provider: id.default('generic') });
export const tenantFormQuery = formQuery.extend({ integration: id.optional() });
