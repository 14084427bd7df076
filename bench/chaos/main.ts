/** `npm run chaos`: kill it for minutes, and let the authorization server's ledger be the judge. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { judge } from './judge';
import { connectAll, list, startPeople } from './people';
import { append, pageOf, rowsOf } from './record';
import { makeTrouble } from './trouble';
import { settingsOf, startChaos, victimsOf } from './world';

const HELP = `npm run chaos [-- --minutes 10] [--seed 1] [--connections 60] [--record]

--minutes      how long processes are killed (default 10)
--seed         the same seed makes the same trouble (default: from the clock)
--connections  how many (default 60, spread over six rotation modes)
--record       add the run to bench/chaos.json and bench/CHAOS.md`;

const SETTLE_MS = 240_000;
const BENCH = join(__dirname, '..', '..', '..', 'bench');
const started = Date.now();
const say = (line: string): void =>
  void process.stdout.write(`${String(Math.round((Date.now() - started) / 1000)).padStart(5)} s  ${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string' },
      connections: { type: 'string', default: '60' },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const minutes = Number(values.minutes);
  const seed = values.seed === undefined ? started % 1_000_000 : Number(values.seed);
  const victims = victimsOf(Number(values.connections));
  if (!(minutes > 0) || !Number.isInteger(seed) || victims.length === 0) {
    process.stderr.write(`${HELP}\n`);
    return 64;
  }
  say(`seed ${seed}; starting three workers, two servers, Temporal, PostgreSQL and an authorization server …`);
  const chaos = await startChaos(victims, say);
  process.once('SIGINT', () => void chaos.stop().then(() => process.exit(130)));
  try {
    for (const victim of victims) victim.connection = await chaos.rests[0]!.save(settingsOf(victim, chaos.provider));
    await connectAll(chaos, victims);
    say(`${victims.length} connections; trouble begins`);
    const people = startPeople(chaos, say);
    const trouble = makeTrouble(chaos, minutes, seed, say);
    const progress = setInterval(() => {
      const refreshes = chaos.provider.tokenRequests('refresh_token');
      say(
        `${trouble.kills.length} kills, ${refreshes} refreshes, ${people.calls()} calls, ${people.consents.length} consents`,
      );
    }, 30_000);
    await trouble.over;
    say('trouble is over; waiting for calm');
    const calm = await settled(chaos, victims.length);
    clearInterval(progress);
    await people.stop();
    const violations = [
      ...(calm ? [] : ['not every connection came to rest']),
      ...(await judge(chaos, people, trouble.kills)),
    ];
    const run = {
      date: new Date().toISOString().slice(0, 10),
      seed,
      minutes,
      connections: victims.length,
      kills: trouble.kills.length,
      refreshes: chaos.provider
        .ledger()
        .filter(({ grantType, committed }) => grantType === 'refresh_token' && committed).length,
      calls: people.calls(),
      consents: people.consents.length,
      violations,
      rows: rowsOf(victims, trouble.kills, people),
    };
    process.stdout.write(`\n${pageOf([run])}\n`);
    for (const violation of violations) say(`VIOLATION ${violation}`);
    if (values.record) writeFileSync(join(BENCH, 'CHAOS.md'), pageOf(append(join(BENCH, 'chaos.json'), run)));
    say(violations.length === 0 ? 'no violation' : `${violations.length} violations`);
    return violations.length === 0 ? 0 : 1;
  } finally {
    await chaos.stop();
  }
}

async function settled({ rests }: Awaited<ReturnType<typeof startChaos>>, count: number): Promise<boolean> {
  for (
    const end = Date.now() + SETTLE_MS;
    Date.now() < end;
    await new Promise((resolve) => setTimeout(resolve, 2_000))
  ) {
    const seen = await list(rests[0]!);
    if (seen.length === count && seen.every(({ state }) => state === 'active')) return true;
  }
  return false;
}

void main()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  })
  .then((code) => process.exit(code));
