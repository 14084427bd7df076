import { join } from 'node:path';
import { lockFileFindings } from '../../../scripts/lock-file.cjs';
import { machineTrace } from '../../../scripts/tracked-files.cjs';

const manifest = { dependencies: { esbuild: '1.0.0' } };
const lock = (packages: Record<string, unknown>) => ({ packages: { '': manifest, ...packages } });

describe('package-lock.json', () => {
  it('of this repository is complete', () => {
    const root = join(__dirname, '../../..');
    const read = (file: string): never => jest.requireActual(join(root, file));
    expect(lockFileFindings(read('package-lock.json'), read('package.json'))).toEqual([]);
  });

  it('names every platform package of an optional dependency', () => {
    const wanting = { optionalDependencies: { '@esbuild/linux': '1.0.0', '@esbuild/darwin': '1.0.0' } };
    const findings = lockFileFindings(
      lock({ 'node_modules/esbuild': wanting, 'node_modules/@esbuild/linux': {} }),
      manifest,
    );
    expect(findings).toEqual(['node_modules/esbuild lacks its optional dependency @esbuild/darwin']);
  });

  it('may keep an optional dependency beside or above the package that asks', () => {
    const wanting = { optionalDependencies: { inner: '1', middle: '1', outer: '1' } };
    const packages = {
      'node_modules/a/node_modules/b': wanting,
      'node_modules/a/node_modules/b/node_modules/inner': {},
      'node_modules/a/node_modules/middle': {},
      'node_modules/outer': {},
    };
    expect(lockFileFindings(lock(packages), manifest)).toEqual([]);
  });

  it('carries no download address', () => {
    const findings = lockFileFindings(
      lock({ 'node_modules/a': { resolved: 'https://packages.example/a.tgz' } }),
      manifest,
    );
    expect(findings).toEqual(['node_modules/a carries a download address']);
  });

  it('agrees with package.json', () => {
    expect(lockFileFindings(lock({}), { dependencies: { esbuild: '1.0.1' } })).toEqual([
      'dependencies esbuild: 1.0.1 in package.json, 1.0.0 here',
    ]);
  });
});

describe('a tracked file', () => {
  const slash = (...parts: string[]) => ['', ...parts].join('/');

  it.each([
    `cd ${slash('root', 'project')}`,
    `"${slash('home', 'ada', 'project')}"`,
    `file:${slash('', '', 'work', 'main')}`,
    `https://registry.${'npmjs'}.org/left-pad`,
  ])('must not say %s', (line) => {
    expect(machineTrace(line)).toBeDefined();
  });

  it.each(['GET /v2/tenants/acme', 'src/work/item', 'https://api.example/home/x1', '~/tmp/x', '$HOME/root/x'])(
    'may say %s',
    (line) => {
      expect(machineTrace(line)).toBeUndefined();
    },
  );
});
