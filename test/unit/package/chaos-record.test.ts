/** The record of chaos is what the pages say it is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pageOf, readRuns, summaryOf } from '../../../bench/chaos/record';

const root = join(__dirname, '..', '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
/** Formatting aligns the columns of a table. */
const words = (text: string): string => text.replace(/-{3,}/g, '---').replace(/\s+/g, ' ');

const runs = readRuns(join(root, 'bench', 'chaos.json'));

it('holds no violation', () => {
  expect(runs.length).toBeGreaterThan(0);
  expect(runs.flatMap(({ violations }) => violations)).toEqual([]);
});

it.each([
  ['bench/CHAOS.md', pageOf(runs)],
  ['README.md', summaryOf(runs)],
])('%s says what is recorded', (path, text) => {
  expect(words(read(path))).toContain(words(text).trim());
});
