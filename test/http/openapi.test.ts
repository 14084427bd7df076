/** The contract: complete, valid, and the one that is published in docs/. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildApp } from '../../src/http/app';
import { isSecretMember } from '../../src/http/idempotency';
import { TOKEN_BEARING_ROUTES } from '../../src/http/routes/access-token';
import { bareDeps, routesOf } from './bare-app';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
}
interface Operation {
  readonly path: string;
  readonly method: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly 'x-permission'?: string;
  readonly requestBody?: { readonly content: Record<string, unknown> };
  readonly responses: Readonly<Record<string, unknown>>;
}
type Node = Readonly<Record<string, unknown>>;

const root = join(__dirname, '..', '..');
const MEDIA_TYPES = ['application/json', 'application/vnd.api+json'];
let document: Node & { paths: Record<string, Record<string, Operation>> };
let operations: Operation[];

beforeAll(async () => {
  const app = buildApp(bareDeps());
  const answer = await app.inject('/openapi.json');
  await app.close();
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/json']);
  document = answer.json();
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method })),
  );
});

/** The node as text, with what it refers to. */
const whole = (node: unknown): string =>
  JSON.stringify(node, (_name, one: unknown) => {
    const ref = (one as { $ref?: string } | null)?.$ref;
    if (ref === undefined) return one;
    const found = ref
      .split('/')
      .slice(1)
      .reduce<unknown>((at, key) => (at as Node)[key], document);
    expect([ref, found]).toEqual([ref, expect.anything()]);
    return found;
  });

it('is valid OpenAPI 3.1, and docs/openapi.json; after a change of a route run `npm run contract`', () => {
  const path = join(root, 'docs', 'openapi.json');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(document);
  expect(document['openapi']).toBe('3.1.0');
  const validator = join(root, 'node_modules/@seriousme/openapi-schema-validator/bin/validate-api-cli.js');
  expect(JSON.parse(execFileSync(process.execPath, [validator, path], { encoding: 'utf8' }))).toEqual({ valid: true });
});

it('describes every route under /v2 and no other, with its permission', async () => {
  const guarded = (await routesOf(bareDeps())).filter(({ url, method }) => url.startsWith('/v2/') && method !== 'HEAD');
  expect(operations.map((one) => `${one.method.toUpperCase()} ${one.path} ${one['x-permission']}`).sort()).toEqual(
    guarded.map(({ method, url, permission }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')} ${permission}`).sort(),
  );
});

it('names and describes every operation and every parameter, and no name twice', () => {
  for (const { operationId, summary, tags, parameters = [], path } of operations) {
    expect({ operationId, summary, tags }).toEqual({
      operationId: expect.stringMatching(/^[a-z][A-Za-z0-9]+$/),
      summary: expect.stringMatching(/^[A-Z][^.]+$/),
      tags: [expect.stringMatching(/^[a-z-]+$/)],
    });
    expect(parameters.filter(({ description }) => !description)).toEqual([]);
    const named = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
    expect(named.sort()).toEqual((path.match(/{\w+}/g) ?? []).sort());
  }
  const ids = operations.map(({ operationId }) => operationId);
  expect(ids).toEqual([...new Set(ids)]);
});

it('says both media types of every body and answer, and one error document for every failure', () => {
  for (const { operationId, method, requestBody, responses, 'x-permission': permission } of operations) {
    if (requestBody) expect(Object.keys(requestBody.content).sort()).toEqual(MEDIA_TYPES);
    const guarded = permission === undefined ? [] : ['401', '403'];
    const wanted = [...guarded, '404', '429', '503', ...(method === 'get' ? [] : ['409', '413', '415', '422'])];
    expect([operationId, Object.keys(responses)]).toEqual([operationId, expect.arrayContaining(wanted)]);
    expect([operationId, JSON.stringify(responses)]).toEqual([operationId, expect.not.stringContaining('Default')]);
    for (const [status, response] of Object.entries(responses).filter(([code]) => code >= '400')) {
      expect([status, whole(response)]).toEqual([status, expect.stringContaining('"errors"')]);
    }
  }
  const { responses } = document['components'] as { responses: Record<string, { content?: Node }> };
  for (const [name, { content }] of Object.entries(responses).filter(([name]) => name !== 'NotModified')) {
    expect([name, Object.keys(content ?? {}).sort()]).toEqual([name, MEDIA_TYPES]);
  }
});

it('shows no token but where one is handed out, and never a secret', () => {
  const answersWith = (name: string): string[] =>
    operations.filter(({ responses }) => whole(responses).includes(`"${name}":{`)).map(({ path }) => path);
  expect(answersWith('access_token')).toEqual(TOKEN_BEARING_ROUTES.map((path) => path.replace(/:(\w+)/g, '{$1}')));
  expect([...answersWith('refresh_token'), ...answersWith('client_secret')]).toEqual([]);
});

it('every write-only member is left out of the hash of an idempotent request', () => {
  const writeOnly = new Set<string>();
  JSON.stringify(document, (name, node: unknown) => {
    if ((node as { writeOnly?: boolean } | null)?.writeOnly) writeOnly.add(name);
    return node;
  });
  expect([...writeOnly]).toEqual(expect.arrayContaining(['client_secret', 'refresh_token']));
  expect([...writeOnly].filter((name) => !isSecretMember(name))).toEqual([]);
});
