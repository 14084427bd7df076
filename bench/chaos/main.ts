/** `npm run chaos`: kill it for minutes, and let the authorization server's ledger be the judge. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageFolder } from '../../src/cli/dev/package-folder';
import { append, pageOf, readRuns, withSummary, type Run } from './record';
import { runChaos } from './run';

const HELP = `npm run chaos [-- --minutes 10] [--seed 1] [--connections 60] [--record]

--minutes      how long processes are killed (default 10)
--seed         the same seed makes the same trouble (default: from the clock)
--connections  how many (default 60, spread over six rotation modes)
--record       add the run to bench/chaos.json, bench/CHAOS.md and the README
--page         only write those pages again from bench/chaos.json`;

const RUNS = join(packageFolder(), 'bench', 'chaos.json');
const started = Date.now();
const say = (line: string): void =>
  void process.stdout.write(`${String(Math.round((Date.now() - started) / 1000)).padStart(5)} s  ${line}\n`);

function writePages(runs: readonly Run[]): void {
  writeFileSync(join(packageFolder(), 'bench', 'CHAOS.md'), pageOf(runs));
  const readme = join(packageFolder(), 'README.md');
  writeFileSync(readme, withSummary(readFileSync(readme, 'utf8'), runs));
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string' },
      connections: { type: 'string', default: '60' },
      record: { type: 'boolean', default: false },
      page: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  const seed = values.seed === undefined ? started % 1_000_000 : Number(values.seed);
  const connections = Number(values.connections);
  const wrong = !(minutes > 0) || !Number.isInteger(seed) || !(Number.isInteger(connections) && connections > 0);
  if (values.help || wrong) {
    process[values.help ? 'stdout' : 'stderr'].write(`${HELP}\n`);
    return values.help ? 0 : 64;
  }
  if (values.page) {
    writePages(readRuns(RUNS));
    return 0;
  }
  const run = await runChaos({ minutes, seed, connections }, say);
  process.stdout.write(`\n${pageOf([run])}\n`);
  for (const violation of run.violations) say(`VIOLATION ${violation}`);
  if (values.record) writePages(append(RUNS, run));
  say(run.violations.length === 0 ? 'no violation' : `${run.violations.length} violations`);
  return run.violations.length === 0 ? 0 : 1;
}

void main()
  .catch((error: unknown) => {
    if (String((error as { code?: unknown } | undefined)?.code).startsWith('ERR_PARSE_ARGS')) {
      process.stderr.write(`${(error as Error).message}\n\n${HELP}\n`);
      return 64;
    }
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  })
  .then((code) => process.exit(code));
