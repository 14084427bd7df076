import { prepare, runJest, summary } from './jest.mjs';
import { startMoto } from './parts/moto.mjs';
import { startPostgres } from './parts/postgres.mjs';
import { installSchemathesis } from './parts/schemathesis.mjs';
import { Problem } from './root.mjs';

/** What also runs on a real PostgreSQL; everything else is in memory there, or embedded. */
const ON_POSTGRES = [
  'test/unit/registry',
  'test/http/(conditional|save|oauth-clients|flows|components|component-env-vars)',
  'test/workflows/(save|consent|code-grant)',
];

/**
 * `npm test`, and then the legs: moto, a throw-away PostgreSQL, schemathesis, and a short chaos with its planted bugs. With arguments
 * only the legs' files that they name.
 */
async function testAll(args) {
  const env = await prepare();
  const outcomes = args.length > 0 ? [] : [await runJest([], env)];
  const parts = [];
  // Ctrl-C ends Jest; the parts are ended below.
  const stay = () => undefined;
  process.on('SIGINT', stay).on('SIGTERM', stay);
  try {
    const moto = await startMoto();
    parts.push(moto);
    const postgres = await startPostgres();
    parts.push(postgres);
    const legs = {
      ...env,
      LEGS: 'on',
      MOTO_URL: moto.url,
      TEST_DATABASE_URL: postgres.url,
      SCHEMATHESIS: await installSchemathesis(),
    };
    outcomes.push(await runJest(args.length > 0 ? args : ['test/legs', ...ON_POSTGRES], legs));
  } finally {
    for (const part of parts) await part.stop();
  }
  return outcomes;
}

const sum = (outcomes) => {
  const of = (name) => outcomes.reduce((total, outcome) => total + outcome[name], 0);
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') };
};

try {
  const outcomes = await testAll(process.argv.slice(2));
  console.log(summary(sum(outcomes)));
  process.exitCode = outcomes.some(({ code }) => code !== 0) ? 1 : 0;
} catch (error) {
  console.error(error instanceof Problem ? error.message : error);
  console.log(summary({ passed: 0, failed: 1, skipped: 0 }));
  process.exitCode = 1;
}
