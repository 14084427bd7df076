import { existsSync, readdirSync, readFileSync } from 'node:fs';
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

it('M-02 every mandated package is declared, and imported by what is shipped or by its tests', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const declared = { ...manifest['dependencies'], ...manifest['peerDependencies'], ...manifest['devDependencies'] };
  const shipped = sources('src', 'workflows', 'activities');
  for (const name of [
    '@temporalio/client',
    '@temporalio/worker',
    '@temporalio/workflow',
    '@temporalio/activity',
    'axios',
    '@aws-sdk/client-secrets-manager',
    'zod',
  ]) {
    expect({ name, declared: name in declared }).toEqual({ name, declared: true });
    // By value: a type alone does no work.
    const imports = new RegExp(`^import (?!type )[^;]*from '${name}'`, 'm');
    expect({ name, users: shipped.filter((text) => imports.test(text)).length > 0 }).toEqual({ name, users: true });
  }
  expect(declared).toHaveProperty('jest');
  expect(sources('test').filter((text) => /\bexpect\(/.test(text)).length).toBeGreaterThan(50);
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

function sources(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')),
  );
}
