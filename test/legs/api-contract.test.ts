/**
 * The API against its own contract: schemathesis makes requests of every kind out of /openapi.json, for every operation
 * there is. Whatever it finds is printed, with the curl line that shows it again.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestApp, type TestApp } from '../http/support';
import { examplesIn, NAMED, operationsWithBody, seedWhatExamplesName, type Operation } from '../http/support-examples';

const EXECUTABLE = process.env['SCHEMATHESIS'];
const EXAMPLES = 30;
const SEED = 20_260_901;
const PATIENCE_MS = 900_000;

/** Ids that exist, so that what lies behind a 404 is tried as well. */
const CONFIG = `
[parameters]
"path.tenant" = "acme"

[[operations]]
include-path-regex = "/connections/\\\\{id\\\\}"
parameters = { "path.id" = "${NAMED.connections[1]}" }

[[operations]]
include-path = "/v2/tenants/{tenant}/integrations/{id}"
parameters = { "path.id" = "${NAMED.integration}" }

# A wrong tenant of its own is replaced by the one above, and it still expects a refusal.
[[operations]]
include-path-regex = "/versions/\\\\{version\\\\}$"
checks.negative_data_rejection.expected-statuses = [200, 204, 400, 403, 404, 409, 413, 415, 422]

[checks]
negative_data_rejection.expected-statuses = [400, 403, 404, 409, 413, 415, 422]
`;

let t: TestApp;
let folder: string;
let url: string;
let operations: ReadonlyMap<string, Operation>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'durable-oauth-contract-'));
  t = await startTestApp({ allowPrivateNetworks: true });
  await t.bearer('acme');
  await seedWhatExamplesName(t, 'acme');
  operations = await operationsWithBody(t);
  url = await t.app.listen({ host: '127.0.0.1', port: 0 });
  await writeFile(join(folder, 'schemathesis.toml'), CONFIG);
});
afterAll(async () => {
  await t?.stop();
  await rm(folder, { recursive: true, force: true });
});

const withTool = EXECUTABLE === undefined ? it.skip : it;
const why = EXECUTABLE === undefined ? ' (skipped: no SCHEMATHESIS)' : '';

withTool(
  `the examples of the contract reach what they are for${why}`,
  async () => {
    expect(await findings('examples')).toEqual([]);
    const clients = attributesIn('createIntegration').flatMap(({ client_id }) => client_id ?? []);
    expect(clients.length).toBeGreaterThan(2);
    expect(t.connections.saves.map((save) => save.settings.client_id)).toEqual(expect.arrayContaining(clients));
    const [client] = attributesIn('createOauthClient');
    expect(t.oauthClients.saves.map(({ clientId }) => clientId)).toContain(client?.['client_id']);
    const [flow] = attributesIn('createFlow');
    const flows = await t.registry.flows.list('acme', { size: 10 });
    expect(flows.map(({ name }) => name)).toContain(flow?.['name']);
    const seeded: readonly string[] = [NAMED.component, NAMED.kitchen];
    const components = await t.registry.components.list('acme', { size: 10 });
    expect(components.filter(({ id }) => !seeded.includes(id)).length).toBeGreaterThan(0);
  },
  PATIENCE_MS,
);

withTool(
  `no request ends in a 500, and every answer is one that the contract names${why}`,
  async () => {
    expect(await findings('coverage,fuzzing,stateful')).toEqual([]);
    // It came as far as behind the checks.
    expect(t.connections.revocations.length).toBeGreaterThan(0);
  },
  PATIENCE_MS,
);

/** Attributes of the examples that an operation has. */
const attributesIn = (operationId: string): readonly Record<string, unknown>[] =>
  Object.values(examplesIn(operations.get(operationId)!)).map(({ value }) => (value as Body).data.attributes);

interface Body {
  readonly data: { readonly attributes: Record<string, unknown> };
}

/** Run some of its phases. @returns the headings of what it found, and how it ended if not well */
async function findings(phases: string): Promise<string[]> {
  const { code, said } = await run(EXECUTABLE ?? '', [
    `--config-file=${join(folder, 'schemathesis.toml')}`,
    'run',
    `${url}/openapi.json`,
    '--header',
    `Authorization:${await t.bearer('acme', 'tenants.*')}`,
    `--phases=${phases}`,
    '--checks=all',
    // Valid by schema is not yet acceptable: an endpoint must be allowed, a preset must exist.
    '--exclude-checks=positive_data_acceptance',
    `--max-examples=${EXAMPLES}`,
    `--seed=${SEED}`,
    '--generation-database=none',
    '--continue-on-failure',
    '--no-color',
  ]);
  if (code === 0) return [];
  process.stdout.write(said);
  return [`exit code ${code}`, ...(said.match(/^_{3,}.*_{3,}$/gm) ?? [])];
}

function run(file: string, args: readonly string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd: folder, timeout: PATIENCE_MS, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), said: stdout + stderr }),
    );
  });
}
