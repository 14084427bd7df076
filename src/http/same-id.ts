/** A document that changes a resource may repeat its id, and must then mean this one (JSON:API 1.1, section 9.2). */
import { ProblemError } from './problem';

/** @throws ProblemError TYPE_CONFLICT */
export function expectSameId({ data }: { readonly data: { readonly id?: string | undefined } }, id: string): void {
  if (data.id === undefined || data.id === id) return;
  throw new ProblemError([{ code: 'TYPE_CONFLICT', detail: 'The path names another resource', pointer: '/data/id' }]);
}
