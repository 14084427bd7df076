/** Failures as JSON:API errors: one mapper from the table in src/errors.ts. Nothing foreign is ever shown. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { ERRORS, isDurableOAuthError } from '../errors';
import { CHALLENGES } from './access/auth';
import type { App } from './deps';
import { answerType } from './media';
import { ProblemError, statusOf, type Problem } from './problem';
import { problemsInRequest } from './validation';

const RETRY_AFTER_SECONDS = 10;

/** Answer every failure of a scope with JSON:API errors; the status is the first in the order of checks. */
export function answerProblems(app: App): void {
  app.setErrorHandler((error, request, reply) => {
    const problems = problemsOf(error, request);
    const status = Math.min(...problems.map(statusOf));
    if (status === 401) reply.header('www-authenticate', CHALLENGES);
    if (status === 429 || status === 503) {
      const seconds = error instanceof ProblemError ? error.retryAfterSeconds : undefined;
      if (!reply.hasHeader('retry-after')) reply.header('retry-after', seconds ?? RETRY_AFTER_SECONDS);
    }
    return sendProblems(request, reply, status, problems);
  });
}

export function sendProblems(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  problems: readonly Problem[],
): FastifyReply {
  const errors = problems.map((problem) => ({
    status: String(statusOf(problem)),
    code: problem.code,
    title: problem.title || ERRORS[problem.code].meaning,
    detail: problem.detail,
    source: sourceOf(problem),
    meta: { ...problem.meta, trace_id: request.id },
  }));
  // Serialised here: an error handler must not run into a response schema.
  return reply.code(status).type(answerType(request)).serializer(String).send(JSON.stringify({ errors }));
}

/** @returns what may be said of any error; an unexpected one is logged without its message, which may be foreign. */
export function problemsOf(error: unknown, request: FastifyRequest): readonly Problem[] {
  if (error instanceof ProblemError) return error.problems;
  if (isDurableOAuthError(error)) {
    const { status } = ERRORS[error.code];
    return [{ code: error.code, detail: status < 500 ? error.message : undefined }];
  }
  if (hasZodFastifySchemaValidationErrors(error)) return problemsInRequest(error, request);
  const status = statusCodeOf(error);
  if (status === 413) return [{ code: 'PAYLOAD_TOO_LARGE' }];
  if (status === 415) return [{ code: 'MEDIA_TYPE_UNSUPPORTED' }];
  if (status !== undefined && status >= 400 && status < 500) return [{ code: 'SYNTAX_INVALID' }];
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: undefined };
  const frames = stack?.split('\n').filter((line) => /^\s+at /.test(line));
  request.log.error({ traceId: request.id, route: request.routeOptions.url, name, frames }, 'unexpected failure');
  return [{ code: 'INTERNAL' }];
}

function statusCodeOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;
}

function sourceOf({ pointer, parameter, header }: Problem): Record<string, string> | undefined {
  if (pointer !== undefined) return { pointer };
  if (header !== undefined) return { header };
  return parameter === undefined ? undefined : { parameter };
}
