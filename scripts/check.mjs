import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled } from './ensure-installed.mjs';
import lockFile from './lock-file.cjs';
import { main, root, run, tool } from './root.mjs';
import trackedFiles from './tracked-files.cjs';

const LANES = 2;
const FOLDERS = ['src', 'workflows', 'activities', 'test', 'demo', 'bench', 'examples'];

/** Each gate answers with what is wrong; an empty text is a pass. Longest first, so that the lanes end together. */
const GATES = {
  types: () => node('typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.json']),
  lint: () => node('eslint/bin/eslint.js', ['.', '--max-warnings', '0']),
  package: packageFindings,
  format: () => node('prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']),
  directions: () =>
    node('dependency-cruiser/bin/dependency-cruise.mjs', [...FOLDERS, '--config', '.dependency-cruiser.cjs']),
  'lock file': () => lockFile.lockFileFindings(json('package-lock.json'), json('package.json')).join('\n'),
  'machine traces': () => trackedFiles.trackedFileFindings(root).join('\n'),
};

async function node(path, args) {
  const { code, output } = await run(process.execPath, [tool(path), ...args], { quiet: true });
  return code === 0 ? '' : output || `exit code ${code}`;
}

/** What a consumer would get, judged as the tarball that would be published. */
async function packageFindings() {
  const built = await run(process.execPath, ['scripts/build.mjs'], { quiet: true });
  if (built.code !== 0) return built.output;
  const folder = mkdtempSync(join(tmpdir(), 'durable-oauth-pack-'));
  try {
    const packed = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
      quiet: true,
    });
    if (packed.code !== 0) return packed.output;
    const tarball = join(folder, readdirSync(folder)[0]);
    const publint = await node('publint/src/cli.js', [tarball, '--strict']);
    const attw = await node('@arethetypeswrong/cli/dist/index.js', [tarball, '--no-emoji', '--no-color']);
    return [publint, attw].filter(Boolean).join('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const json = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));

async function check() {
  await ensureInstalled();
  const waiting = Object.entries(GATES);
  const failures = [];
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, gate] = next;
      const started = Date.now();
      const findings = await Promise.resolve(gate()).catch(String);
      console.log(`${findings ? 'FAIL' : 'ok  '} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
      if (findings) failures.push(`\n── ${name} ──\n${findings.trim()}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  for (const failure of failures) console.error(failure);
  if (failures.length > 0) process.exitCode = 1;
}

main(check);
