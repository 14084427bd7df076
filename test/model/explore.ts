/** Breadth-first through every interleaving, one world per key; the first broken rule is told as a story. */
import { createHash } from 'node:crypto';
import type { RotationMode } from '../../src/connection/types';
import { allMoves } from './moves';
import { brokenRule } from './rules';
import { begin, keyOf, type Mutation, type World } from './world';

export interface Explored {
  readonly states: number;
  /** Moves from the beginning; every world nearer than this was checked. */
  readonly depth: number;
  /** Whether nothing was left to explore. */
  readonly whole: boolean;
  readonly counterexample?: { readonly rule: string; readonly story: readonly string[] };
}

interface Node {
  readonly parent: string | undefined;
  readonly story: string;
}

const idOf = (world: World): string => createHash('sha1').update(keyOf(world)).digest('base64').slice(0, 16);

/** @param limits stop before the next depth once so many states were seen */
export function explore(mode: RotationMode, limits: { states: number; depth?: number }, mutation?: Mutation): Explored {
  const start = begin(mode, mutation);
  const seen = new Map<string, Node>([
    [idOf(start), { parent: undefined, story: `an active connection, rotation ${mode}` }],
  ]);
  let frontier: { id: string; world: World }[] = [{ id: idOf(start), world: start }];
  let depth = 0;
  while (frontier.length > 0) {
    if (seen.size >= limits.states || depth >= (limits.depth ?? Infinity))
      return { states: seen.size, depth, whole: false };
    const next: typeof frontier = [];
    for (const { id, world } of frontier) {
      for (const { story, to } of allMoves(world)) {
        const key = idOf(to);
        if (seen.has(key)) continue;
        seen.set(key, { parent: id, story });
        const rule = brokenRule(to);
        if (rule) return { states: seen.size, depth, whole: false, counterexample: { rule, story: tell(seen, key) } };
        next.push({ id: key, world: to });
      }
    }
    frontier = next;
    depth++;
  }
  return { states: seen.size, depth, whole: true };
}

function tell(seen: ReadonlyMap<string, Node>, last: string): string[] {
  const story: string[] = [];
  for (let at: string | undefined = last; at !== undefined; at = seen.get(at)?.parent)
    story.unshift(seen.get(at)!.story);
  return story.map((line, index) => `${index}. ${line}`);
}
