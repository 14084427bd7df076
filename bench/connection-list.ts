/**
 * What a page of a list costs: 100,000 connections of one tenant, 50 a page, each filter, pages from the first to the last,
 * as the API asks for them: one row more, and what the words of the rows need.
 */
import { startEmbeddedDatabase } from '../src/cli/dev/embedded-database';
import { migrate } from '../src/registry/migrator';
import { openRegistry } from '../src/registry/open';
import { FILTERS, seedManyConnections } from './stage/many-connections';
import { ownOn, percentile, say } from './stage/stage';

const COUNT = 100_000;
const PAGE = 51;
const ROUNDS = 200;
const TENANT = 'large';
const HEX = '0123456789abcdef';

async function main(): Promise<void> {
  const given = process.env['BENCH_DATABASE_URL'];
  const embedded = given === undefined ? await startEmbeddedDatabase({ dataDir: 'memory' }) : undefined;
  const url = given === undefined ? (embedded?.url ?? '') : await ownOn(given);
  await migrate(url);
  const registry = await openRegistry({ url });
  await registry.tenants.create(TENANT, TENANT);
  say(`Making ${COUNT} connections …`);
  await seedManyConnections(url, TENANT, COUNT);

  process.stdout.write(
    '| Filter | rows | p50 ms | p99 ms | with words, p50 ms | p99 ms |\n| --- | --- | --- | --- | --- | --- |\n',
  );
  for (const [name, filter] of Object.entries(FILTERS)) {
    const took: number[] = [];
    const withWords: number[] = [];
    let found = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const after = round === 0 ? undefined : `cn_${HEX[round % 16]}${HEX[(round * 7) % 16]}`;
      const began = performance.now();
      const rows = await registry.connections.list(TENANT, { size: PAGE, after }, filter);
      took.push(performance.now() - began);
      await registry.connections.contexts(TENANT, rows);
      withWords.push(performance.now() - began);
      if (round === 0) found = rows.length;
    }
    const figures = [took, withWords].flatMap((times) =>
      [50, 99].map((percent) => percentile(times, percent).toFixed(1)),
    );
    process.stdout.write(`| ${name} | ${found} | ${figures.join(' | ')} |\n`);
  }
  await registry.close();
  await embedded?.stop();
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
