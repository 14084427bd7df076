/** What a consumer gets: the packed tarball, in a project of its own. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleWorkflowCode } from '@temporalio/worker';

const root = join(__dirname, '..', '..', '..');
const run = promisify(execFile);
const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

describe('the packed tarball', () => {
  let project: string;
  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'consumer-'));
    const installed = join(project, 'node_modules', 'durable-oauth');
    await mkdir(installed, { recursive: true });
    await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', project], { cwd: root });
    const tarball = (await readdir(project)).find((name) => name.endsWith('.tgz')) ?? '';
    await run('tar', ['-xzf', join(project, tarball), '--strip-components=1', '-C', installed]);
    for (const name of await readdir(join(root, 'node_modules'))) {
      if (name !== 'durable-oauth' && !name.startsWith('.')) {
        await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name));
      }
    }
  }, 120_000);
  afterAll(() => rm(project, { recursive: true, force: true }));

  it('bundles a consumer’s flow, and our workflows re-exported beside it', async () => {
    const workflowsPath = join(project, 'workflows.js');
    await writeFile(
      workflowsPath,
      `const { connection } = require('durable-oauth/workflow');
       exports.flow = async (ref) => (await connection(ref).get('/orders')).status;
       Object.assign(exports, require('durable-oauth/workflows'));`,
    );
    const { code } = await bundleWorkflowCode({ workflowsPath, logger: quiet });
    for (const name of ['connectionWorkflow', 'consentWorkflow', 'saveIntegrationWorkflow'])
      expect(code).toContain(name);
  }, 60_000);

  it.each(['durable-oauth', 'durable-oauth/client', 'durable-oauth/activities', 'durable-oauth/testing'])(
    'its door %s loads, without web framework or embedded database',
    async (door) => {
      const script = `require(${JSON.stringify(door)}); console.log(Object.keys(require.cache).filter((file) => /node_modules\\/(fastify|@fastify|@electric-sql)\\//.test(file)).length)`;
      const { stdout } = await run(process.execPath, ['-e', script], { cwd: project });
      expect(stdout.trim()).toBe('0');
    },
    60_000,
  );

  it('holds no TypeScript source, no demo and no test', async () => {
    const files = await readdir(join(project, 'node_modules', 'durable-oauth'), { recursive: true });
    expect(
      files.filter(
        (name) => (name.endsWith('.ts') && !name.endsWith('.d.ts')) || /(^|\/)(demo|test|bench)\//.test(name),
      ),
    ).toEqual([]);
  });
});
