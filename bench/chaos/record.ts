/** The record of all runs: `chaos.json` holds the counts, `CHAOS.md` is made of it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ROTATION_MODES, type RotationMode } from '../../src/connection/types';
import type { People } from './people';
import { POINTS, type Kill, type Point } from './trouble';
import type { Victim } from './world';

interface Row {
  readonly point: Point;
  readonly mode: RotationMode;
  hits: number;
  consents: number;
  dead: number;
}

export interface Run {
  readonly date: string;
  readonly seed: number;
  readonly minutes: number;
  readonly connections: number;
  readonly kills: number;
  readonly refreshes: number;
  readonly calls: number;
  readonly consents: number;
  readonly violations: readonly string[];
  readonly rows: readonly Row[];
}

/** A consent or a dead token is put down to the last kill that hit the connection's refresh; without one, to the provider. */
export function rowsOf(victims: readonly Victim[], kills: readonly Kill[], people: People): Row[] {
  const rows = POINTS.flatMap((point) =>
    ROTATION_MODES.map((mode): Row => ({ point, mode, hits: 0, consents: 0, dead: 0 })),
  );
  const modeOf = new Map(victims.map(({ clientId, mode }) => [clientId, mode]));
  const row = (point: Point, mode: RotationMode): Row => rows.find((one) => one.point === point && one.mode === mode)!;
  for (const { point, hit } of kills) for (const clientId of new Set(hit)) row(point, modeOf.get(clientId)!).hits++;
  const blame = (clientId: string, at: number): Row => {
    const kill = kills.filter((one) => one.at < at && one.hit.includes(clientId)).at(-1);
    return row(kill?.point ?? 'no refresh under way', modeOf.get(clientId)!);
  };
  for (const { clientId, at } of people.consents) blame(clientId, at).consents++;
  for (const { clientId, at, fate } of people.dead) if (fate === 'grant ended') blame(clientId, at).dead++;
  return rows;
}

export function append(file: string, run: Run): readonly Run[] {
  const runs = [...readRuns(file), run];
  writeFileSync(file, `${JSON.stringify(runs)}\n`);
  return runs;
}

export const readRuns = (file: string): readonly Run[] =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Run[]) : [];

const NO_REFRESH: Point = 'no refresh under way';
const sumOf = (runs: readonly Run[], of: (run: Run) => number): number =>
  runs.reduce((total, run) => total + of(run), 0);

/** The record in a few lines: refreshes hit by a kill, and of them (in brackets) the consents that were needed. */
export function summaryOf(runs: readonly Run[]): string {
  const rows = runs.flatMap((run) => run.rows);
  const cell = (point: Point, mode: RotationMode): string => {
    const own = rows.filter((one) => one.point === point && one.mode === mode);
    const [hits, consents] = [own.reduce((n, row) => n + row.hits, 0), own.reduce((n, row) => n + row.consents, 0)];
    return point === NO_REFRESH ? `– (${consents})` : `${hits} (${consents})`;
  };
  const dead = rows.reduce((total, row) => total + row.dead, 0);
  const violations = sumOf(runs, (run) => run.violations.length);
  return `${sumOf(runs, (run) => run.kills)} kills in ${runs.length} runs, ${sumOf(runs, (run) => run.refreshes)} refreshes, ${sumOf(runs, (run) => run.calls)} calls of the API: **${violations} violations**, ${dead} tokens served dead.
Refreshes hit by a kill, and in brackets the consents that were needed, each for an answer that was committed and reached nobody:

| Killed | ${ROTATION_MODES.map((mode) => mode.replaceAll('_', ' ')).join(' | ')} |
| --- |${' --- |'.repeat(ROTATION_MODES.length)}
${POINTS.map((point) => `| ${point} | ${ROTATION_MODES.map((mode) => cell(point, mode)).join(' | ')} |`).join('\n')}`;
}

const FROM = '<!-- chaos: written by npm run chaos -- --page -->\n<!-- prettier-ignore-start -->';
const TO = '<!-- prettier-ignore-end -->';

/** Put the summary where a page keeps it. */
export function withSummary(page: string, runs: readonly Run[]): string {
  const [from, to] = [page.indexOf(FROM), page.indexOf(TO)];
  if (from < 0 || to < from) throw new Error('The page has no place for the summary of chaos');
  return `${page.slice(0, from)}${FROM}\n\n${summaryOf(runs)}\n\n${page.slice(to)}`;
}

export function pageOf(runs: readonly Run[]): string {
  const cells = POINTS.flatMap((point) =>
    ROTATION_MODES.map((mode) => {
      const own = runs.flatMap(({ rows }) => rows).filter((one) => one.point === point && one.mode === mode);
      const add = (of: (row: Row) => number): number => own.reduce((total, one) => total + of(one), 0);
      const [hits, consents, dead] = [add(({ hits: n }) => n), add(({ consents: n }) => n), add(({ dead: n }) => n)];
      const recovered = point === NO_REFRESH ? '–' : String(Math.max(0, hits - consents));
      return `| ${point} | ${mode.replaceAll('_', ' ')} | ${point === NO_REFRESH ? '–' : hits} | ${recovered} | ${consents} | ${dead} |`;
    }),
  );
  return `# Chaos

\`npm run chaos -- --minutes 10 --seed 1\`: real processes, three workers and two servers; a random one is SIGKILLed every 3 to 11 s; the
vault, PostgreSQL and (twice) Temporal go away; the authorization server answers 503, 429, after 8 s, or commits and drops the
connection. Judged by the server's ledger. Runs add up here.

${summaryOf(runs)}

A kill hits a refresh when its request was on its way, or answered less than 400 ms before; the others hit none. Consents and dead
tokens without such a kill (the provider dropped the answer) stand under "no refresh under way".

| Killed | Rotation | Refreshes hit | Recovered without consent | Consents needed | Tokens served dead |
| --- | --- | --- | --- | --- | --- |
${cells.join('\n')}

| Run | Seed | Minutes | Connections | Kills | Refreshes | Consents | Violations |
| --- | --- | --- | --- | --- | --- | --- | --- |
${runs.map((run) => `| ${run.date} | ${run.seed} | ${run.minutes} | ${run.connections} | ${run.kills} | ${run.refreshes} | ${run.consents} | ${run.violations.length} |`).join('\n')}
`;
}
