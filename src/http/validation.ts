/** What a zod schema found in a request, as problems with pointers. */
import type { FastifyRequest } from 'fastify';
import type { ZodFastifySchemaValidationError } from 'fastify-type-provider-zod';
import { DurableOAuthError, isErrorCode, type ErrorCode } from '../errors';
import type { App } from './deps';
import { ProblemError, type Problem } from './problem';
import { isPrintable } from './schemas/document';

interface ValidationFailure {
  readonly validation: readonly ZodFastifySchemaValidationError[];
  readonly validationContext?: string;
}

/** Refuse what no database takes before a query or a path carries it there, whatever the schema of the route says. */
export function refuseUnprintable(app: App): void {
  app.addHook('preValidation', async ({ query, params }) => {
    const given = (part: unknown): [string, unknown][] => Object.entries(part ?? {});
    const odd = (value: unknown): boolean => [value].flat().some((one) => typeof one === 'string' && !isPrintable(one));
    if (given(params).some(([, value]) => odd(value))) throw new DurableOAuthError('NOT_FOUND');
    const problems = given(query).filter(([name, value]) => odd(name) || odd(value));
    if (problems.length === 0) return;
    const detail = 'Must be printable text';
    throw new ProblemError(problems.map(([parameter]) => ({ code: 'SYNTAX_INVALID', detail, parameter })));
  });
}

const ATTRIBUTES = '/data/attributes';
/** Of the resource itself, and of what it is related to. */
const TYPE = /^\/data(\/relationships\/[^/]+\/data(\/\d+)?)?\/type$/;

export function problemsInRequest(
  { validation, validationContext }: ValidationFailure,
  request: FastifyRequest,
): Problem[] {
  // What cannot be part of a path names nothing.
  if (validationContext === 'params') return [{ code: 'NOT_FOUND' }];
  return validation.flatMap((issue) => {
    const paths = unknownKeys(issue).map((key) => `${trimmed(issue.instancePath)}/${escaped(key)}`);
    const all = paths.length > 0 ? paths : [trimmed(issue.instancePath)];
    return all.map((path) =>
      validationContext === 'querystring' ? inQuery(path, issue) : inBody(path, issue, request),
    );
  });
}

function inQuery(path: string, issue: ZodFastifySchemaValidationError): Problem {
  return { code: 'SYNTAX_INVALID', detail: issue.message, parameter: path.slice(1) };
}

function inBody(path: string, issue: ZodFastifySchemaValidationError, request: FastifyRequest): Problem {
  const found = valueAt(request.body, path);
  if (path === '' || typeof request.body !== 'object')
    return { code: 'SYNTAX_INVALID', detail: 'A document is required', pointer: '' };
  if (found === undefined) {
    const status = path.startsWith(ATTRIBUTES) ? request.routeOptions.config.missingAttribute : undefined;
    return { code: 'MEMBER_MISSING', status, detail: 'This member is required', pointer: path };
  }
  return { code: codeOf(path, issue), detail: issue.message, pointer: path };
}

function codeOf(path: string, { params }: ZodFastifySchemaValidationError): ErrorCode {
  const custom: unknown =
    'params' in params ? (params.params as Record<string, unknown> | undefined)?.['code'] : undefined;
  if (isErrorCode(custom)) return custom;
  return TYPE.test(path) ? 'TYPE_CONFLICT' : 'MEMBER_INVALID';
}

function unknownKeys({ keyword, params }: ZodFastifySchemaValidationError): readonly string[] {
  return keyword === 'unrecognized_keys' && Array.isArray(params['keys']) ? params['keys'].map(String) : [];
}

/** RFC 6901 section 3. */
export const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');
const unescaped = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

const trimmed = (path: string): string => (path === '/' ? '' : path);

function valueAt(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map(unescaped)
    .reduce<unknown>(
      (node, key) =>
        typeof node === 'object' && node !== null && Object.hasOwn(node, key)
          ? (node as Record<string, unknown>)[key]
          : undefined,
      document,
    );
}
