/** JSON:API documents as zod schemas. Attributes are strict: a misspelt member is said, not dropped. */
import { z } from 'zod';
import { ID } from '../../connection/ids';

/** No control character. Spelt as ranges, which every reader of the contract understands. */
const NO_CONTROL = /^[^\u0000-\u001f\u007f-\u009f]*$/u;
const HALF_CHARACTER = /\p{Cs}/u;

/** Neither control characters nor halves of a character: no database takes all of them. */
export const isPrintable = (value: string): boolean => NO_CONTROL.test(value) && !HALF_CHARACTER.test(value);

export const printable = (schema: z.ZodString): z.ZodString =>
  schema
    .regex(NO_CONTROL, 'Must be one line without control characters')
    .refine((value) => !HALF_CHARACTER.test(value), 'Must not hold half a character');

/** One line of printable text; blank is missing. */
export const text = (max: number): z.ZodString => printable(z.string().trim().min(1, 'Must not be blank').max(max));

export const id = z.string().regex(ID, 'Must be 1 to 64 of a-z, 0-9, _ and -');
export const time = z.string().meta({ format: 'date-time' });

/** Filters of a collection; an empty one filters nothing (C3). */
export const idFilter = z
  .string()
  .regex(/^[a-z0-9_-]{0,64}$/, 'Must be 1 to 64 of a-z, 0-9, _ and -')
  .optional();
export const textFilter = printable(z.string()).optional();

export const tenantPath = z.object({ tenant: id });
export const resourcePath = tenantPath.extend({ id });

const MAX_VERSION = 2 ** 31 - 1;
export const versionPath = resourcePath.extend({ version: z.coerce.number().int().positive().max(MAX_VERSION) });

/** A document that a request carries. */
export function input<T extends string, A extends z.ZodType>(
  type: T,
  attributes: A,
): z.ZodObject<{ data: z.ZodObject<{ type: z.ZodLiteral<T>; id: z.ZodOptional<typeof id>; attributes: A }> }> {
  return z.object({ data: z.object({ type: z.literal(type), id: id.optional(), attributes }) });
}

const link = z.string();
const linkage = z.object({ type: z.string(), id: z.string() });
const relationship = z.object({
  links: z.object({ related: link }).optional(),
  data: z.union([linkage, z.array(linkage)]).optional(),
  meta: z.object({ count: z.number() }).optional(),
});

/** A resource in an answer; what the schema does not name does not leave. */
export function resource<T extends string, A extends z.ZodType>(
  type: T,
  attributes: A,
): z.ZodObject<{
  type: z.ZodLiteral<T>;
  id: z.ZodString;
  attributes: A;
  relationships: z.ZodOptional<z.ZodRecord<z.ZodString, typeof relationship>>;
  links: z.ZodOptional<z.ZodObject<{ self: typeof link }>>;
}> {
  return z.object({
    type: z.literal(type),
    id: z.string(),
    attributes,
    relationships: z.record(z.string(), relationship).optional(),
    links: z.object({ self: link }).optional(),
  });
}

const warnings = z.array(z.object({ code: z.string(), detail: z.string(), parameter: z.string().optional() }));
export const warningsMeta = z.object({ warnings: warnings.optional() });

export const list = <R extends z.ZodType>(
  item: R,
): z.ZodObject<{
  data: z.ZodArray<R>;
  links: z.ZodObject<{ prev: z.ZodNull; next: z.ZodNullable<z.ZodString> }>;
  meta: typeof warningsMeta;
}> =>
  z.object({
    data: z.array(item),
    links: z.object({ prev: z.null(), next: link.nullable() }),
    meta: warningsMeta,
  });

/** Query of a paged collection (the JSON:API cursor profile, forward only). */
export const page = {
  'page[size]': z.coerce.number().int().min(1).max(100).default(50).describe('Resources on a page at most'),
  'page[after]': id.optional().describe('The last id of the page before; what `links.next` carries'),
};

/** Body of a 204. */
export const noContent = z.null();

/** Versions are numbered: a page goes on after a number. */
export const versionQuery = z.strictObject({
  ...page,
  'page[after]': z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'Must be a version number')
    .optional()
    .describe('The version after which the page begins'),
});
