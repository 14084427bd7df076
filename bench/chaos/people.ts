/** Who uses the connections meanwhile: callers that read tokens and call the API, and people who consent when asked to. */
import axios from 'axios';
import { consentAsPerson } from '../../demo/browser';
import type { Seen } from '../../demo/rest';
import { TENANT, type Chaos, type Victim } from './world';

const PEOPLE = 4;

export interface DeadToken {
  readonly clientId: string;
  readonly at: number;
  /** What the provider says of the token the API refused. */
  readonly fate: string;
}

export interface Consent {
  readonly clientId: string;
  readonly at: number;
  readonly reason: string;
}

export interface People {
  readonly calls: () => number;
  readonly dead: readonly DeadToken[];
  readonly consents: readonly Consent[];
  stop(): Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** First consent of every connection. */
export async function connectAll(chaos: Chaos, victims: readonly Victim[]): Promise<void> {
  const queue = [...victims];
  const lane = async (): Promise<void> => {
    for (let victim = queue.shift(); victim; victim = queue.shift()) await connect(chaos, victim);
  };
  await Promise.all(Array.from({ length: PEOPLE }, lane));
}

async function connect({ rests: [rest] }: Chaos, { connection }: Victim): Promise<void> {
  const link = await rest!.consentLink(connection);
  await consentAsPerson({ startUrl: link, login: 'ann' });
}

export function startPeople(chaos: Chaos, log: (line: string) => void): People {
  const { victims, provider, callers, rests } = chaos;
  const dead: DeadToken[] = [];
  const consents: Consent[] = [];
  let going = true;
  let calls = 0;

  async function call(lane: number): Promise<void> {
    for (let turn = lane; going; turn++) {
      const victim = victims[(turn * 7 + lane) % victims.length]!;
      const { urls, ...key } = callers[lane]!;
      const token = await tokenOf(key, urls[turn % urls.length]!, victim.connection);
      if (token === undefined) {
        await pause(100);
        continue;
      }
      calls++;
      const answer = await fetch(`${provider.apiBaseUrl}/orders`, { headers: { authorization: `Bearer ${token}` } });
      await answer.arrayBuffer();
      if (answer.status === 401) dead.push({ clientId: victim.clientId, at: Date.now(), fate: provider.fateOf(token) });
      await pause(60);
    }
  }

  async function consentWhereAsked(): Promise<void> {
    const asked = new Map<string, number>();
    while (going) {
      await pause(1_500);
      for (const seen of await list(rests[0]!)) {
        const victim = victims.find(({ connection }) => connection === seen.id);
        if (!victim || (seen.state !== 'reauth_required' && seen.state !== 'pending_consent')) continue;
        if (seen.state === 'reauth_required' && !asked.has(seen.id)) {
          consents.push({ clientId: victim.clientId, at: Date.now(), reason: seen.reason ?? '' });
          log(`${victim.clientId} needs consent (${seen.reason ?? ''})`);
        }
        if (Date.now() - (asked.get(seen.id) ?? 0) < 5_000) continue;
        asked.set(seen.id, Date.now());
        await connect(chaos, victim).catch(() => undefined);
      }
      for (const seen of await list(rests[0]!)) if (seen.state === 'active') asked.delete(seen.id);
    }
  }

  const lanes = [...callers.map((_caller, lane) => call(lane)), consentWhereAsked()];
  return {
    calls: () => calls,
    dead,
    consents,
    async stop() {
      going = false;
      await Promise.all(lanes);
    },
  };
}

export const list = (rest: Chaos['rests'][number]): Promise<readonly Seen[]> => rest.connections().catch(() => []);

/** @returns undefined when there is none to be had now */
async function tokenOf(
  { email, key }: { readonly email: string; readonly key: string },
  url: string,
  connection: string,
): Promise<string | undefined> {
  try {
    const { status, data } = await axios.get<{ data?: { attributes?: { access_token?: string } } }>(
      `${url}/v2/tenants/${TENANT}/connections/${connection}/access-token`,
      { auth: { username: email, password: key }, validateStatus: () => true, timeout: 20_000, proxy: false },
    );
    return status === 200 ? data.data?.attributes?.access_token : undefined;
  } catch {
    return undefined;
  }
}
