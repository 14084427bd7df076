/** One run: start everything, connect, make trouble, wait for calm, judge. */
import { judge } from './judge';
import { connectAll, list, startPeople } from './people';
import { rowsOf, type Run } from './record';
import { makeTrouble } from './trouble';
import { settingsOf, startChaos, type Chaos, type ChaosOptions } from './world';

const PROGRESS_MS = 30_000;

/** @param say one line of progress */
export async function runChaos(options: ChaosOptions, say: (line: string) => void): Promise<Run> {
  const { minutes, seed, settleSeconds = 240 } = options;
  say(`seed ${seed}; starting three workers, two servers, Temporal, PostgreSQL and an authorization server …`);
  const chaos = await startChaos(options, say);
  const { victims, provider } = chaos;
  const interrupted = (): void => void chaos.stop().then(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    for (const victim of victims) victim.connection = await chaos.rests[0]!.save(settingsOf(victim, provider));
    await connectAll(chaos, victims);
    say(`${victims.length} connections; trouble begins`);
    const people = startPeople(chaos, say);
    const trouble = makeTrouble(chaos, options, say);
    const progress = setInterval(() => {
      const refreshes = provider.tokenRequests('refresh_token');
      say(
        `${trouble.kills.length} kills, ${refreshes} refreshes, ${people.calls()} calls, ${people.consents.length} consents`,
      );
    }, PROGRESS_MS);
    try {
      await trouble.over;
      say('trouble is over; waiting for calm');
      const calm = await settled(chaos, settleSeconds * 1000);
      await people.stop();
      const violations = [
        ...(calm ? [] : ['not every connection came to rest']),
        ...(await judge(chaos, people, trouble)),
      ];
      const committed = provider
        .ledger()
        .filter(({ grantType, committed: did }) => grantType === 'refresh_token' && did);
      return {
        date: new Date().toISOString().slice(0, 10),
        seed,
        minutes,
        connections: victims.length,
        kills: trouble.kills.length,
        refreshes: committed.length,
        calls: people.calls(),
        consents: people.consents.length,
        violations,
        rows: rowsOf(victims, trouble.kills, people),
      };
    } finally {
      clearInterval(progress);
    }
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await chaos.stop();
  }
}

async function settled({ rests, victims }: Chaos, withinMs: number): Promise<boolean> {
  for (
    const end = Date.now() + withinMs;
    Date.now() < end;
    await new Promise((resolve) => setTimeout(resolve, 2_000))
  ) {
    const seen = await list(rests[0]!);
    if (seen.length === victims.length && seen.every(({ state }) => state === 'active')) return true;
  }
  return false;
}
