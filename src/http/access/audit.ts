/** Events of writes: who, in which trace, and why where the caller says it in the header `Audit-Reason`. */
import type { FastifyRequest } from 'fastify';
import type { Fact } from '../../connection/types';
import type { NewEvent } from '../../registry/contract';
import { callerOf } from './auth';
import { ProblemError } from '../problem';
import { text } from '../schemas/document';

export const REASON_HEADER = 'audit-reason';
const REASON_LENGTH = 500;
const reason = text(REASON_LENGTH);

/** @throws SYNTAX_INVALID when the reason is not one line of UTF-8 */
export function auditEvent(request: FastifyRequest, type: string, facts: Readonly<Record<string, Fact>>): NewEvent {
  return { type, ...callerOf(request), facts: { ...facts, reason: reasonIn(request) } };
}

/** A header and not a member: DELETE has no document. */
function reasonIn({ headers }: FastifyRequest): string | undefined {
  const header = headers[REASON_HEADER];
  if (header === undefined) return undefined;
  const { data } = reason.safeParse(fromUtf8(String(header)));
  if (data !== undefined) return data;
  const detail = `Must be one line of UTF-8, ${REASON_LENGTH} characters at most`;
  throw new ProblemError([{ code: 'SYNTAX_INVALID', detail, header: REASON_HEADER }]);
}

/** Node reads headers as Latin-1, and clients send what they were given. */
function fromUtf8(header: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch {
    return undefined;
  }
}
