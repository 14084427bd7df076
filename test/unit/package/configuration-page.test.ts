/** docs/configuration.md names every variable that is read, and no other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const text = (...path: string[]): string => readFileSync(join(__dirname, '../../..', ...path), 'utf8');

it('the page of the configuration has a row for each variable of src/config.ts', () => {
  const read = [...text('src', 'config.ts').matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(([, name]) => name);
  const rows = [...text('docs', 'configuration.md').matchAll(/^\| (`[A-Z_`, ]+) +\|/gm)].flatMap(([, names = '']) =>
    [...names.matchAll(/[A-Z_]+/g)].map(([name]) => name),
  );
  expect(read.length).toBeGreaterThan(15);
  expect(rows.filter((name) => name !== 'TEMPORAL_ADDRESS').sort()).toEqual([...read].sort());
});
