/** Events of writes: who, in which trace, and why where the caller says it in the header `Audit-Reason`. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Fact } from '../../connection/types';
import type { NewEvent } from '../../registry/contract';
import { callerOf } from './auth';
import type { App } from '../deps';
import { ProblemError } from '../problem';
import { text } from '../schemas/document';

const REASON_HEADER = 'audit-reason';
const REASON_LENGTH = 500;
const reason = text(REASON_LENGTH);

/** The header as the contract describes it. */
export const auditReasonHeader = z
  .string()
  .optional()
  .describe(
    `Why, for the log: one line of UTF-8, ${REASON_LENGTH} characters at most. Kept in events (audit_reason) and in workflow ` +
      'histories, readable by whoever reads those: never put a secret in it',
  );

/** Read before anything is done: a request whose reason cannot be kept does nothing. Registered behind the guard. */
export function auditReasons(app: App): void {
  app.decorateRequest('auditReason', undefined);
  app.addHook('preHandler', async (request) => {
    request.auditReason = reasonIn(request);
  });
}

export const auditEvent = (request: FastifyRequest, type: string, facts: Readonly<Record<string, Fact>>): NewEvent => ({
  type,
  ...callerOf(request),
  facts,
});

/** A header and not a member: DELETE has no document. @throws SYNTAX_INVALID when it is not one line of UTF-8 */
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
