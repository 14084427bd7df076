/** The judge's table: what is demanded, what was seen, and whether that is the same. */
export interface Cell {
  readonly name: string;
  readonly demanded: string;
  readonly seen: string;
  readonly ok: boolean;
}

export function printCells(cells: readonly Cell[], title: string): string {
  const head = { name: title, demanded: 'Demanded', seen: 'Seen', ok: true };
  const width = (of: (cell: Cell) => string): number => Math.max(...[head, ...cells].map((cell) => of(cell).length));
  const [name, demanded, seen] = [width((c) => c.name), width((c) => c.demanded), width((c) => c.seen)];
  const line = (c: Cell, verdict: string): string =>
    `| ${c.name.padEnd(name)} | ${c.demanded.padEnd(demanded)} | ${c.seen.padEnd(seen)} | ${verdict.padEnd(2)} |`;
  const rule = `|${'-'.repeat(name + 2)}|${'-'.repeat(demanded + 2)}|${'-'.repeat(seen + 2)}|----|`;
  return [line(head, ''), rule, ...cells.map((cell) => line(cell, cell.ok ? 'ok' : 'NO'))].join('\n');
}

/** Ask until it is so. @throws naming what never came, with what was seen last */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  so: (answer: T) => boolean,
  withinMs = 60_000,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (so(answer)) return answer;
    if (Date.now() > end) throw new Error(`never came: ${what}; last seen: ${JSON.stringify(answer).slice(0, 300)}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
