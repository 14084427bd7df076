import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';

const root = join(__dirname, '..', '..', '..');

it('M-01 the mandated top level exists', () => {
  const mandated = [
    'package.json',
    'tsconfig.json',
    'src',
    'workflows',
    'activities',
    'test',
    'component.json',
    'README.md',
  ];
  expect(mandated.filter((name) => !existsSync(join(root, name)))).toEqual([]);
});

it('M-06 nothing that reaches the network or a vault is in the workflow bundle', async () => {
  const { code } = await bundleWorkflowCode({ workflowsPath: require.resolve('../../../workflows'), logger: quiet });
  const modules = [...code.matchAll(/"(\.\/(?:src|activities|workflows|node_modules)\/[^"]+?\.(?:ts|js))"/g)].map(
    ([, name]) => name ?? '',
  );
  expect(modules.length).toBeGreaterThan(10);
  const foreign = modules.filter((name) =>
    /^\.\/(activities\/|src\/(?!connection\/|errors)|node_modules\/(axios|pg|kysely|pino|jose|zod|fastify))/.test(name),
  );
  expect(foreign).toEqual([]);
  expect(code.length).toBeLessThan(3_000_000);
}, 60_000);

it('the doors of package.json are the ones the README names', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, unknown>;
  };
  expect(Object.keys(exports)).toEqual([
    '.',
    './workflow',
    './workflows',
    './activities',
    './client',
    './testing',
    './component.json',
  ]);
});

const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
