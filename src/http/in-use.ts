/** IN_USE with the flows that stand in the way, by name. */
import type { FlowUse } from '../registry/contract-platform';
import { ProblemError } from './problem';

/** @param how what the flows include */
export function usedByFlows(how: string, { flows }: FlowUse): ProblemError {
  const names = flows.map(({ name }) => `"${name}"`).join(', ');
  const detail = `${how}: ${names}. Take it out of all their versions, or delete the flows, first`;
  return new ProblemError([{ code: 'IN_USE', detail, meta: { flows: flows.map(({ id, name }) => ({ id, name })) } }]);
}
