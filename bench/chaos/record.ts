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
  const runs = [...(existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Run[]) : []), run];
  writeFileSync(file, `${JSON.stringify(runs)}\n`);
  return runs;
}

export function pageOf(runs: readonly Run[]): string {
  const sum = (of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
  const violations = runs.flatMap(({ violations: found }) => found);
  const cells = POINTS.flatMap((point) =>
    ROTATION_MODES.map((mode) => {
      const own = runs.flatMap(({ rows }) => rows).filter((one) => one.point === point && one.mode === mode);
      const add = (of: (row: Row) => number): number => own.reduce((total, one) => total + of(one), 0);
      const [hits, consents, dead] = [add(({ hits: n }) => n), add(({ consents: n }) => n), add(({ dead: n }) => n)];
      const recovered = point === 'no refresh under way' ? '–' : String(Math.max(0, hits - consents));
      return `| ${point} | ${mode.replaceAll('_', ' ')} | ${point === 'no refresh under way' ? '–' : hits} | ${recovered} | ${consents} | ${dead} |`;
    }),
  );
  return `# Chaos

\`npm run chaos -- --minutes 10 --seed 1\`: real processes, three workers and two servers; a random one is SIGKILLed every 3 to 11 s; the
vault, PostgreSQL and (twice) Temporal go away; the authorization server answers 503, 429, after 8 s, or commits and drops the
connection. Judged by the server's ledger. Runs add up here.

${runs.length} runs, ${sum(({ kills }) => kills)} kills, ${sum(({ refreshes }) => refreshes)} refreshes, ${sum(({ calls }) => calls)} calls of the API, **${violations.length} violations**,
${sum(({ consents }) => consents)} renewed consents, each of them for an answer that was committed and reached nobody.

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
