/**
 * The API against its own contract: schemathesis makes requests of every kind out of /openapi.json, for every operation
 * there is. Whatever it finds is printed, with the curl line that shows it again.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settings } from '../support/settings';
import { seedConnection, startTestApp, type TestApp } from '../http/support';

const EXECUTABLE = process.env['SCHEMATHESIS'];
const AT = { issuer: 'https://shop.test', apiUrl: 'https://api.shop.test' };
const EXAMPLES = 30;
const SEED = 20_260_901;
const PATIENCE_MS = 240_000;

/** Ids that exist, so that what lies behind a 404 is tried as well. */
const CONFIG = `
[parameters]
"path.tenant" = "acme"

[[operations]]
include-path-regex = "/connections/\\\\{id\\\\}"
parameters = { "path.id" = "cn_a1" }

[[operations]]
include-path = "/v2/tenants/{tenant}/integrations/{id}"
parameters = { "path.id" = "a1" }

[checks]
negative_data_rejection.expected-statuses = [400, 403, 404, 409, 413, 415, 422]
`;

let t: TestApp;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'durable-oauth-contract-'));
  t = await startTestApp({ allowPrivateNetworks: true });
  const code = settings(AT, { grant_type: 'authorization_code', scope: 'read' });
  await t.bearer('acme');
  await seedConnection(t.registry, { tenant: 'acme', integration: 'a1', settings: code }, 'cn_a1');
});
afterAll(async () => {
  await t?.stop();
  await rm(folder, { recursive: true, force: true });
});

const withTool = EXECUTABLE === undefined ? it.skip : it;
const why = EXECUTABLE === undefined ? ' (skipped: no SCHEMATHESIS)' : '';

withTool(
  `no request ends in a 500, and every answer is one that the contract names${why}`,
  async () => {
    const url = await t.app.listen({ host: '127.0.0.1', port: 0 });
    const config = join(folder, 'schemathesis.toml');
    await writeFile(config, CONFIG);
    const { code, said } = await run(EXECUTABLE ?? '', [
      `--config-file=${config}`,
      'run',
      `${url}/openapi.json`,
      '--header',
      `Authorization:${await t.bearer('acme', 'tenants.*')}`,
      '--checks=all',
      // Valid by schema is not yet acceptable: an endpoint must be allowed, a preset must exist.
      '--exclude-checks=positive_data_acceptance',
      `--max-examples=${EXAMPLES}`,
      `--seed=${SEED}`,
      '--generation-database=none',
      '--continue-on-failure',
      '--no-color',
    ]);
    if (code !== 0) process.stdout.write(said);
    expect({ code, findings: said.match(/^_{3,}.*_{3,}$/gm) ?? [] }).toEqual({ code: 0, findings: [] });
    // It came as far as behind the checks; a draft that could be saved is made by chance only.
    expect(t.connections.revocations.length).toBeGreaterThan(0);
  },
  PATIENCE_MS,
);

function run(file: string, args: readonly string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd: folder, timeout: PATIENCE_MS, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), said: stdout + stderr }),
    );
  });
}
