import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from './parts/postgres.mjs';
import { Problem, root } from './root.mjs';
import { runBuilt } from './run-built.mjs';

const known = readdirSync(join(root, 'bench'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length));
const [name, ...args] = process.argv.slice(2);
if (!known.includes(name)) {
  console.error(`npm run bench -- ${known.join('|')} [arguments]`);
  process.exit(64);
}

let postgres;
try {
  postgres = await startPostgres();
  process.env.BENCH_DATABASE_URL = postgres.url;
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  console.error(`${error.message} Using the embedded database.`);
}
await runBuilt(`bench/${name}.js`, { args, after: () => postgres?.stop() });
