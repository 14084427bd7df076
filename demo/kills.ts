/** The worker is killed at five points of a refresh, and the vault is taken away: what each connection does about it. */
import { consentAsPerson } from './browser';
import { until, type Cell } from './cells';
import { arm, OUTAGE_MS } from './faults';
import type { Histories } from './history';
import type { Demo } from './setup';
import { CLIENTS } from './setup';

export interface Victims {
  readonly before_send: string;
  readonly committed: string;
  readonly after_answer: string;
  readonly after_put: string;
  readonly after_result: string;
  readonly vault_outage: string;
}

const YOUNG_MS = 16_000;
/** A refresh whose worker died is noticed after the heartbeat time-out (25 s); strict rotation then waits for the token's end. */
const PATIENCE_MS = 120_000;

type Log = (line: string) => void;

export async function killAtFourPoints(
  demo: Demo,
  histories: Histories,
  victims: Victims,
  seenAt: Set<string>,
  log: Log,
): Promise<readonly Cell[]> {
  const { before_send, committed, after_answer, after_put } = victims;
  const before = await generations(demo, Object.values(victims));
  await untilOld(demo, [before_send, committed, after_answer, after_put]);
  arm(demo.faultsFile, { [before_send]: 'before_send', [after_answer]: 'after_answer', [after_put]: 'after_put' });
  await demo.provider.admin.withholdNextRefresh(CLIENTS.fragile.clientId);
  log('forcing four refreshes; each stops at its own point');
  const forced = [before_send, committed, after_answer, after_put].map((id) => force(demo, histories, id));
  await demo.provider.admin.untilWithheld(CLIENTS.fragile.clientId, 60_000);
  await until(
    'all four stand at their points',
    () => Promise.resolve(seenAt.size),
    (size) => size >= 3,
  );
  log('SIGKILL');
  await demo.dev.killWorker();
  arm(demo.faultsFile, {});
  await demo.provider.admin.release();
  await demo.dev.startWorker();
  await Promise.allSettled(forced);
  log('worker started again; waiting for the heartbeat time-outs (25 s) and what follows');

  const [sent, lost, kept, adopted] = await Promise.all([
    outcome(demo, before_send, before),
    until(
      'the lost rotation is said',
      () => demo.rest.connection(committed),
      ({ state }) => state === 'reauth_required',
      PATIENCE_MS,
    ),
    outcome(demo, after_answer, before),
    outcome(demo, after_put, before),
  ]);
  log('renewing the one consent that could not be saved');
  await consent(demo, committed, 'bob');
  const renewed = await until(
    'active again',
    () => demo.rest.connection(committed),
    ({ state }) => state === 'active',
  );
  return [
    cell(
      'before the send',
      'recovered, no consent',
      `${sent.how}, ${sent.consents}`,
      sent.how === 'recovered' && sent.ok,
    ),
    cell(
      'after the server committed, before its answer',
      'reauth_required/ROTATION_LOST, renewed consent, active',
      `${lost.state}/${lost.reason ?? ''}, renewed consent, ${renewed.state}`,
      lost.reason === 'ROTATION_LOST' && renewed.state === 'active',
    ),
    await escrowCell(
      'after the answer, before the vault write',
      'kept by escrow, no consent',
      'stored',
      kept,
      histories,
      after_answer,
    ),
    await escrowCell('after the vault write, before the result', 'adopted', 'same', adopted, histories, after_put),
  ];

  async function escrowCell(
    name: string,
    demanded: string,
    stored: 'stored' | 'same',
    seen: Outcome,
    from: Histories,
    id: string,
  ): Promise<Cell> {
    const done = await from.activities({ tenant: demo.rest.tenant, connection: id });
    const escrow = done.some(
      ({ name: activity, result }) => activity === 'storeEscrowedTokenSet' && result.includes(`"stored":"${stored}"`),
    );
    const how = stored === 'stored' ? 'kept by escrow' : 'adopted';
    return cell(
      name,
      demanded,
      escrow ? `${how}, ${seen.consents}` : `${seen.how}, ${seen.consents}`,
      escrow && seen.ok,
    );
  }
}

export async function killAfterTheResult(demo: Demo, histories: Histories, id: string, log: Log): Promise<Cell> {
  await untilOld(demo, [id]);
  const { generation } = await demo.rest.connection(id);
  await force(demo, histories, id);
  const done = await until(
    'the refresh is done',
    () => demo.rest.connection(id),
    (seen) => seen.generation > generation,
  );
  log('SIGKILL after the result');
  await demo.dev.killWorker();
  await demo.dev.startWorker();
  await demo.rest.useToken(id);
  const after = await demo.rest.connection(id);
  const nothing = after.state === 'active' && after.generation === done.generation;
  return cell(
    'after the result',
    'nothing to do',
    nothing ? 'nothing to do' : `${after.state}, generation ${after.generation}`,
    nothing,
  );
}

export async function takeTheVaultAway(
  demo: Demo,
  histories: Histories,
  id: string,
  seenAt: Set<string>,
  log: Log,
): Promise<Cell> {
  await untilOld(demo, [id]);
  const { generation } = await demo.rest.connection(id);
  arm(demo.faultsFile, { [id]: 'vault_outage' });
  const forced = force(demo, histories, id);
  await until('the outage begins', () => Promise.resolve(seenAt.has('vault_outage')), Boolean);
  arm(demo.faultsFile, {});
  log(`the vault is away for ${OUTAGE_MS / 1000} s, from a rotated answer on`);
  await Promise.allSettled([forced]);
  const healed = await until(
    'stored after the outage',
    () => demo.rest.connection(id),
    (seen) => seen.state === 'active' && seen.generation > generation,
    PATIENCE_MS,
  );
  const done = await histories.activities({ tenant: demo.rest.tenant, connection: id });
  const kept = done.some(
    ({ name, result }) => name === 'storeEscrowedTokenSet' && result.includes('"stored":"stored"'),
  );
  const seen = kept ? 'kept by escrow, no consent' : `${healed.state}, not by escrow`;
  return cell('vault down 40 s across a rotation', 'kept by escrow, no consent', seen, kept);
}

/** A person opens the link and says yes everywhere. */
export async function consent(demo: Demo, id: string, login: string): Promise<void> {
  const landing = await consentAsPerson({ startUrl: await demo.rest.consentLink(id), login });
  await until(
    `${login} is connected`,
    () => demo.rest.connection(id),
    ({ state }) => state === 'active',
    30_000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}; the person ended on a page with status ${landing.status}`);
  });
}

interface Outcome {
  readonly how: string;
  readonly consents: string;
  readonly ok: boolean;
}

async function outcome(demo: Demo, id: string, before: ReadonlyMap<string, number>): Promise<Outcome> {
  let asked = false;
  const seen = await until(
    `${id} comes through`,
    () => demo.rest.connection(id),
    ({ state, generation }) => {
      asked ||= state === 'reauth_required';
      return asked || (state === 'active' && generation > (before.get(id) ?? 0));
    },
    PATIENCE_MS,
  );
  return {
    how: seen.state === 'active' ? 'recovered' : seen.state,
    consents: asked ? 'consent needed' : 'no consent',
    ok: !asked,
  };
}

async function force(demo: Demo, histories: Histories, id: string): Promise<void> {
  const { generation } = await demo.rest.connection(id);
  await histories.force({ tenant: demo.rest.tenant, connection: id }, generation).catch(() => undefined);
}

/** A caller's word does not refresh a very young token: wait until each is 16 s old, with enough life left. */
async function untilOld(demo: Demo, ids: readonly string[]): Promise<void> {
  await until(
    'tokens are old enough',
    () => Promise.all(ids.map((id) => demo.rest.connection(id))),
    (seen) =>
      seen.every(
        ({ expiresAt, state }) =>
          state === 'active' && expiresAt !== null && age(expiresAt) > YOUNG_MS && age(expiresAt) < 40_000,
      ),
    150_000,
  );
}

const age = (expiresAt: string): number => 60_000 - (Date.parse(expiresAt) - Date.now());

async function generations(demo: Demo, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const seen = await Promise.all(ids.map((id) => demo.rest.connection(id)));
  return new Map(seen.map(({ id, generation }) => [id, generation]));
}

const cell = (name: string, demanded: string, seen: string, ok: boolean): Cell => ({ name, demanded, seen, ok });
