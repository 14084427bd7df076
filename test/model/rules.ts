/** What must hold in every world, and what every world must come to when it is left in peace (design 12, invariants 3 to 6). */
import { calmMoves } from './moves';
import { newestIn, type World } from './world';

const PATIENCE = 80;

/** @returns the rule that is broken */
export function brokenRule(world: World): string | undefined {
  if (world.broken) return world.broken;
  const { core, row, attempt, zombie } = world;
  const account = world.server[row.grant]?.account;
  if (account !== 'ann') return `the connection holds a grant of ${String(account)}`;
  if (attempt?.phase === 'sent' && zombie?.phase === 'sent') return 'two requests of one grant are in flight';
  const held = newestIn(world, row.grant);
  if (core.grant === row.grant && !world.destroyed.includes(row.grant) && core.generation > (held?.generation ?? 0))
    return `the record knows generation ${core.generation}, the vault ${String(held?.generation)}`;
  if (core.frozen && attempt) return 'a revoked connection is being refreshed';
  return atRest(world);
}

/** Left in peace, with the vault back: active with a grant the server accepts, revoked, or waiting for a consent that is needed. */
function atRest(start: World): string | undefined {
  let world: World = { ...structuredClone(start), vaultUp: true };
  for (let step = 0; step < PATIENCE; step++) {
    const { core, attempt, zombie, escrow, newGrants, revoking } = world;
    if (world.broken) return world.broken;
    const busy = attempt ?? zombie ?? escrow ?? revoking ?? newGrants.length > 0;
    const kept = world.revoked.find((grant) => !world.destroyed.includes(grant) || world.server[grant]!.alive);
    if (!busy && kept !== undefined) return `${kept} was revoked and is kept`;
    if (!busy && core.frozen) return undefined;
    if (!busy && core.state === 'reauth_required') {
      if (!world.excused) return `consent is asked for (${String(core.reason)}) although no answer was lost`;
      return accepted(world)
        ? `consent is asked for (${String(core.reason)}) although the vault holds a living grant`
        : undefined;
    }
    if (!busy && core.state === 'active' && core.ambiguous === undefined && accepted(world)) return undefined;
    const [first] = calmMoves(world);
    if (first === undefined) return `nothing goes on in state ${core.state}/${String(core.reason)}`;
    world = first.to;
  }
  return `never comes to rest: ${world.core.state}/${String(world.core.reason)}`;
}

/** Whether the server would take the newest refresh token of the vault. */
function accepted(world: World): boolean {
  const { mode, row } = world;
  const held = newestIn(world, row.grant);
  const server = world.server[row.grant];
  if (!held || !server?.alive) return false;
  const { replacedAt } = server.tokens[held.pair.refresh] ?? {};
  if (replacedAt === undefined || mode === 'none' || mode === 'old_stays_valid') return true;
  if (mode === 'until_used') return replacedAt !== -1;
  return mode === 'grace' && world.now - replacedAt < 30_000;
}
