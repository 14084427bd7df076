/** The verdict, out of the authorization server's ledger and not of our own word. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { Client as PostgresClient } from 'pg';
import type { LedgerEntry } from '../../src/testing/scripted-provider';
import { list, type People } from './people';
import type { Kill, Trouble } from './trouble';
import type { Chaos } from './world';

/** From the end of an answer until it is surely stored or escrowed, and told. */
const STORED_WITHIN_MS = 2_000;
const LATE_MS = 30_000;

export async function judge(chaos: Chaos, people: People, trouble: Trouble): Promise<readonly string[]> {
  return [...rulesBroken(chaos, people, trouble), ...(await statesUnexplained(chaos)), ...(await canariesFound(chaos))];
}

function rulesBroken(
  { provider, victims, tokenSeconds }: Chaos,
  people: People,
  { kills: all, outages }: Trouble,
): string[] {
  // Only workers send token requests and hear the answers.
  const kills = all.filter(({ kind }) => kind === 'worker');
  const ledger = provider.ledger();
  const found: string[] = [];
  const say = (rule: string, { clientId, startedAt, fingerprint = '' }: LedgerEntry): void =>
    void found.push(`${rule}: ${clientId} at ${new Date(startedAt).toISOString()} ${fingerprint}`);
  for (const entry of ledger) {
    const earlier = ledger.filter((other) => other.clientId === entry.clientId && other.startedAt < entry.startedAt);
    for (const rule of entry.broke) {
      if (rule === 'REFRESH_TOKEN_REUSED' && earlier.some((other) => mayBeLost(other, entry, kills))) {
        if (isHasty(entry, earlier, victims, tokenSeconds)) say('STRICT_RETRIED_EARLY', entry);
        continue;
      }
      if (rule === 'RETRY_AFTER_IGNORED' && earlier.some((other) => unheard(other, kills, outages))) continue;
      say(rule, entry);
    }
  }
  for (const { clientId, fate, at } of people.dead) {
    const ended = fate === 'grant ended' && ledger.some((entry) => entry.clientId === clientId && lost(entry, kills));
    // Until the new pair is used the old one works: another process may have used it a moment ago.
    if (!ended && fate !== 'superseded' && fate !== 'alive')
      found.push(`a token that is ${fate} was served: ${clientId} at ${new Date(at).toISOString()}`);
  }
  for (const { clientId, reason, at } of people.consents) {
    if (ledger.some((entry) => entry.clientId === clientId && entry.startedAt < at && lost(entry, kills))) continue;
    found.push(
      `consent was asked for (${reason}) and no answer was lost: ${clientId} at ${new Date(at).toISOString()}`,
    );
  }
  if (victims.length === 0) found.push('there was nothing to judge');
  return found;
}

/** A committed answer that did not arrive, or arrived at a process that was killed before it was surely kept. */
function lost(entry: LedgerEntry, kills: readonly Kill[]): boolean {
  if (!entry.committed) return false;
  const until = (entry.endedAt ?? entry.startedAt) + STORED_WITHIN_MS;
  return entry.status === undefined || kills.some(({ at }) => at >= entry.startedAt && at <= until);
}

function mayBeLost(earlier: LedgerEntry, again: LedgerEntry, kills: readonly Kill[]): boolean {
  return earlier.fingerprint === again.fingerprint && lost(earlier, kills);
}

/**
 * A strict server may punish the second presentation, so it waits until the access token is about to die (twice the
 * floor of a tenth of its life, and a second for clocks and timers).
 */
function isHasty(
  again: LedgerEntry,
  earlier: readonly LedgerEntry[],
  victims: Chaos['victims'],
  tokenSeconds: number,
): boolean {
  if (victims.find(({ clientId }) => clientId === again.clientId)?.mode !== 'strict') return false;
  const held = earlier.filter(({ committed, fingerprint }) => committed && fingerprint !== again.fingerprint).at(-1);
  return held?.endedAt !== undefined && again.startedAt < held.startedAt + (tokenSeconds * 0.8 - 1) * 1000;
}

/** A Retry-After that reached nobody, or could be told to nobody, cannot be honoured. */
function unheard(entry: LedgerEntry, kills: readonly Kill[], outages: Trouble['outages']): boolean {
  const until = (entry.endedAt ?? entry.startedAt) + STORED_WITHIN_MS;
  return (
    entry.status === 429 &&
    (kills.some(({ at }) => at >= entry.startedAt && at <= until) ||
      outages.some((outage) => outage.from <= until && outage.until >= entry.startedAt - STORED_WITHIN_MS))
  );
}

/** Every connection is active, or its last request was refused or lost a moment ago: the last odd answers come late. */
async function statesUnexplained({ rests, victims, provider }: Chaos): Promise<string[]> {
  const seen = await list(rests[0]!);
  return victims.flatMap(({ clientId, connection }) => {
    const state = seen.find(({ id }) => id === connection)?.state ?? 'not listed';
    if (state === 'active') return [];
    const last = provider
      .ledger()
      .filter((entry) => entry.clientId === clientId)
      .at(-1);
    const explained = state === 'degraded' && last !== undefined && last.status !== 200;
    return explained && Date.now() - last.startedAt < LATE_MS ? [] : [`${clientId} ended ${state}`];
  });
}

/** Every secret the provider makes begins with `canary-`: plain, base64 at its three offsets, hex. */
const CANARY = /canary-(?:at|rt|code)-|Y2FuYXJ5L|NhbmFyeS|jYW5hcnkt|63616e6172792d|secret-of-chaos/;

async function canariesFound({ databaseUrl, temporalAddress, folder, output }: Chaos): Promise<string[]> {
  const found: string[] = [];
  const look = (where: string, text: string): void => {
    if (CANARY.test(text)) found.push(`a secret in ${where}`);
  };
  look('the output of a process', output.join('\n'));
  const database = new PostgresClient({ connectionString: databaseUrl });
  await database.connect();
  const tables = await database.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
  );
  for (const { name } of tables.rows)
    look(`table ${name}`, JSON.stringify((await database.query(`SELECT * FROM "${name}"`)).rows));
  await database.end();
  const connection = await Connection.connect({ address: temporalAddress() });
  const client = new Client({ connection });
  for await (const { workflowId, history } of client.workflow.list().intoHistories({ concurrency: 4 }))
    look(`the history of ${workflowId}`, historyToJSON(history as Parameters<typeof historyToJSON>[0]));
  await connection.close();
  for (const file of readdirSync(join(folder, 'vault'), { recursive: true, withFileTypes: true }))
    if (file.isFile()) look(`vault file ${file.name}`, readFileSync(join(file.parentPath, file.name), 'latin1'));
  return found;
}
