/** The last hand on the contract: schemas named and shared, failures referred to, every parameter described. */
import type { Examples } from '../examples/example';
import { ERROR_DOCUMENT, failureResponses, referenceTo } from './openapi-failures';
import { describeParameter } from './operations';

interface Media {
  schema?: object;
  examples?: Examples;
}
interface Body {
  required?: boolean;
  content?: Record<string, Media>;
}
interface Answer extends Body {
  description: string;
  headers?: object;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  description?: string;
}
interface Operation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: Body;
  responses: Record<string, Answer | { $ref: string }>;
  'x-failures'?: readonly number[];
  'x-examples'?: Examples;
}
interface Document {
  components?: { schemas?: Record<string, object>; responses?: object };
  paths?: Record<string, Record<string, Operation>>;
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  200: 'Done',
  201: 'Created',
  202: 'Not done yet: it goes on; where to look again the answer says',
  204: 'Done; there is nothing to say',
};
const ETAG = { ETag: { description: 'For If-None-Match and If-Match', schema: { type: 'string' } } };
const LOCATION = { Location: { description: 'Path of the resource, where it has one', schema: { type: 'string' } } };

/** Change a document of the routes into one for readers and code generators. @returns it */
export function finish<T extends object>(document: T): T {
  const { components = {}, paths = {} } = document as Document;
  const schemas: Record<string, object> = { ErrorDocument: ERROR_DOCUMENT };
  for (const [path, methods] of Object.entries(paths)) {
    for (const operation of Object.values(methods)) finishOperation(operation, path, schemas);
  }
  components.schemas = schemas;
  components.responses = failureResponses();
  return document;
}

function finishOperation(operation: Operation, path: string, schemas: Record<string, object>): void {
  const { parameters = [], requestBody, responses, 'x-failures': failures = [] } = operation;
  const name = operation.operationId.charAt(0).toUpperCase() + operation.operationId.slice(1);
  for (const parameter of parameters) parameter.description ??= describeParameter(parameter.name, path);
  if (requestBody) {
    requestBody.required = !isOptional(requestBody);
    for (const media of Object.values(requestBody.content ?? {})) media.examples = operation['x-examples'];
    share(requestBody, `${name}Request`, schemas);
  }
  const successes = Object.keys(responses);
  for (const status of successes) {
    const answer = responses[status] as Answer;
    if (answer.description === 'Default Response') answer.description = DESCRIPTIONS[status] ?? 'Done';
    if (status === '200' && failures.includes(304)) answer.headers = ETAG;
    if (status === '201' || status === '202') answer.headers = LOCATION;
    share(answer, `${name}Answer${successes.length > 1 ? status : ''}`, schemas);
  }
  for (const status of failures) responses[status] ??= referenceTo(status);
  delete operation['x-failures'];
  delete operation['x-examples'];
}

/** A body whose schema allows null may be left out; the null itself is no part of the contract. */
function isOptional({ content = {} }: Body): boolean {
  // Both media types have the same one.
  for (const media of new Set(Object.values(content))) {
    const { anyOf } = (media.schema ?? {}) as { anyOf?: { type?: unknown }[] };
    const [only, ...others] = anyOf?.filter(({ type }) => type !== 'null') ?? [];
    if (only === undefined || others.length > 0 || anyOf?.length !== 2) return false;
    media.schema = only;
  }
  return true;
}

/** One schema under a name instead of one for each media type. */
function share({ content = {} }: Body, name: string, schemas: Record<string, object>): void {
  for (const media of Object.values(content)) {
    if (media.schema === undefined) continue;
    schemas[name] ??= media.schema;
    media.schema = { $ref: `#/components/schemas/${name}` };
  }
}
