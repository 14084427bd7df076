/** Failures in the contract: which statuses an operation may answer, and the one document they all have. */
import type { RouteOptions } from 'fastify';
import { ERRORS } from '../../errors';
import { JSON_API, JSON_PLAIN } from '../media';

const ALWAYS = [400, 404, 429, 500, 503];
const GUARDED = [401, 403];
/** 502: whoever creates may have to ask a provider first. */
const BY_METHOD: Readonly<Record<string, readonly number[]>> = {
  POST: [409, 413, 415, 422, 502],
  PUT: [409, 413, 415, 422],
  PATCH: [409, 413, 415, 422],
  DELETE: [409, 413, 415, 422],
};

const NAMES: Readonly<Record<number, string>> = {
  304: 'NotModified',
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  412: 'PreconditionFailed',
  413: 'PayloadTooLarge',
  415: 'UnsupportedMediaType',
  422: 'UnprocessableContent',
  429: 'TooManyRequests',
  500: 'InternalServerError',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
};

const header = (description: string, type = 'string'): object => ({ description, schema: { type } });
const retryAfter = { 'Retry-After': header('Seconds to wait before the next attempt', 'integer') };
const HEADERS: Readonly<Record<number, object>> = {
  401: { 'WWW-Authenticate': header('The schemes: Basic and Bearer') },
  409: retryAfter,
  429: retryAfter,
  503: retryAfter,
};

type Route = Pick<RouteOptions, 'method' | 'config'>;

export const takesIfMatch = ({ method, config }: Route): boolean => method === 'PATCH' && config?.conditional !== false;

/** Statuses beyond success, smallest first. */
export function failuresOf(route: Route): readonly number[] {
  const { method, config } = route;
  const conditional = [...(config?.conditional ? [304] : []), ...(takesIfMatch(route) ? [412] : [])];
  const guarded = config?.permission === undefined ? [] : GUARDED;
  const own = [...(BY_METHOD[String(method)] ?? []), ...conditional, ...(config?.failures ?? [])];
  return [...new Set([...ALWAYS, ...guarded, ...own])].sort((a, b) => a - b);
}

export const referenceTo = (status: number): { $ref: string } => ({
  $ref: `#/components/responses/${NAMES[status] ?? 'InternalServerError'}`,
});

/** The shared responses, each naming its codes. */
export function failureResponses(): Record<string, object> {
  const content = Object.fromEntries(
    [JSON_API, JSON_PLAIN].map((type) => [type, { schema: { $ref: '#/components/schemas/ErrorDocument' } }]),
  );
  const responses = Object.entries(NAMES).map(([status, name]): [string, object] => {
    if (status === '304')
      return [name, { description: 'The representation that was named in If-None-Match is current' }];
    const codes = Object.entries(ERRORS).filter(([, row]) => String(row.status) === status);
    const description = codes.map(([code, { meaning }]) => `${code}: ${meaning}.`).join(' ');
    return [name, { description, headers: HEADERS[Number(status)], content }];
  });
  return Object.fromEntries(responses);
}

export const ERROR_DOCUMENT = {
  type: 'object',
  required: ['errors'],
  properties: {
    errors: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['status', 'code', 'title', 'meta'],
        properties: {
          status: { type: 'string', description: 'HTTP status of this problem', pattern: '^[45][0-9][0-9]$' },
          code: { type: 'string', description: 'Stable; what a program may decide by', enum: Object.keys(ERRORS) },
          title: { type: 'string' },
          detail: { type: 'string' },
          source: {
            type: 'object',
            description: 'What is wrong: a member of the document (RFC 6901), a query parameter, a header',
            properties: {
              pointer: { type: 'string' },
              parameter: { type: 'string' },
              header: { type: 'string' },
            },
          },
          meta: {
            type: 'object',
            required: ['trace_id'],
            properties: { trace_id: { type: 'string', description: 'To be quoted in a report' } },
          },
        },
      },
    },
  },
};
