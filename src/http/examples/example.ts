/** Whole request bodies for people who read the contract, and for tools that try it. */
import type { z } from 'zod';

export interface Example<Body = unknown> {
  /** One line, for people. */
  readonly summary: string;
  readonly value: Body;
}

/** By name, as OpenAPI has them. */
export type Examples<Body = unknown> = Readonly<Record<string, Example<Body>>>;

export type Row = readonly [body: z.ZodType, examples: Examples];

/** Kept beside the schema, not in it: zod leaves examples out wherever something inside a schema is transformed. */
export const row = <S extends z.ZodType>(body: S, examples: Examples<z.input<S>>): Row => [body, examples];
