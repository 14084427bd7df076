/** The examples of every request body; the contract shows them, and a test reads each with its own schema. */
import { z } from 'zod';
import { ACCESS } from './access';
import { COMPONENTS } from './components';
import { CONNECTIONS } from './connections';
import type { Examples } from './example';
import { INTEGRATIONS } from './integrations';

const EXAMPLES: ReadonlyMap<unknown, Examples> = new Map([...ACCESS, ...COMPONENTS, ...INTEGRATIONS, ...CONNECTIONS]);

/** @param body schema of a route; one that may be left out has the examples of the one that is sent */
export function examplesOf(body: unknown): Examples | undefined {
  if (body instanceof z.ZodOptional || body instanceof z.ZodNullable) return examplesOf(body.unwrap());
  return EXAMPLES.get(body);
}
