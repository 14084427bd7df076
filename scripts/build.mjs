import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fileLock from '../src/cli/dev/file-lock.js';
import { ensureInstalled } from './ensure-installed.mjs';
import { isMain, lockPath, main, Problem, root, run, tool } from './root.mjs';

const DIST = join(root, 'dist');
const STAMP = join(DIST, '.built');
const EXECUTABLE = join(DIST, 'src/cli/main.js');
const { include: SOURCES } = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8'));

/** Compile into dist what changed since the last build; nothing at all when nothing did. */
export async function build() {
  const onWait = (pid) => console.error(`Build: process ${pid} is building, waiting for it`);
  await fileLock.withFileLock(lockPath('build'), { onWait }, async () => {
    const sources = SOURCES.flatMap((folder) => filesBelow(folder)).filter((path) =>
      /(?<!\.d)\.[cm]?[tj]s$/.test(path),
    );
    const stamp = stampOf([...sources, 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']);
    if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return;

    const outputs = new Set(sources.map(outputOf));
    removeOrphans(outputs);
    // tsc trusts its own record of what it wrote, also when somebody deleted it since.
    if ([...outputs].some((path) => !existsSync(join(DIST, path)))) rmSync(join(DIST, '.tsbuildinfo'), { force: true });
    rmSync(STAMP, { force: true });
    const { code } = await run(process.execPath, [tool('typescript/bin/tsc'), '-p', 'tsconfig.build.json']);
    if (code !== 0) throw new Problem('The build failed: the compiler says above where the types do not fit.');
    if (existsSync(EXECUTABLE)) chmodSync(EXECUTABLE, 0o755);
    writeFileSync(STAMP, stamp);
  });
}

/** Outputs whose source is gone would still be found by `require`. */
function removeOrphans(outputs) {
  for (const path of filesBelow('dist')) {
    const output = outputOf(path.slice('dist/'.length).replace(/\.d(\.[cm]?ts)$/, '$1'));
    if (/\.[cm]?js$/.test(output) && !outputs.has(output)) rmSync(join(root, path));
  }
}

const outputOf = (source) => source.replace(/ts$/, 'js');

function stampOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    const { mtimeMs, size } = statSync(join(root, path));
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

function filesBelow(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1));
}

if (isMain(import.meta.url)) main(() => ensureInstalled().then(build));
