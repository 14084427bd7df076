/**
 * What 10,000 hourly connections cost in a month, from counts that tests measure (named beside each) and list prices.
 * Storage, database and workers are not in it.
 */
import { HOUR, refreshBufferMs } from '../src/connection/clocks';

const CONNECTIONS = 10_000;
const HOURS = 730;

/** `test/workflows/refresh.test.ts`: at most 11 events per refresh, of them a timer and an activity. */
const ACTIONS_PER_REFRESH = 2;
/** The heartbeat that carries a rotated pair. */
const ACTIONS_OF_ROTATION = 1;
/** Continue-as-new. */
const REFRESHES_PER_RUN = 32;
/** Reader's update, and the activity; no timer. */
const ACTIONS_ON_DEMAND = 2;
/** `test/workflows/aws-vault.test.ts`: the grant twice, the client secret, one put. */
const VAULT_CALLS_PER_REFRESH = 4;
/** Due the buffer before the end of the hour, and on average half the jitter (a tenth of the lifetime) earlier. */
const PERIOD_MS = HOUR - refreshBufferMs(HOUR, {}) - HOUR / 20;

/** List prices, November 2026: Temporal Cloud per million actions (first tier), AWS per secret-month and 10,000 calls. */
const PER_MILLION_ACTIONS = 50;
const PER_SECRET = 0.4;
const PER_10_000_CALLS = 0.05;
/** A grant and a client secret. */
const SECRETS_PER_CONNECTION = 2;

interface Month {
  readonly what: string;
  readonly refreshes: number;
  readonly actions: number;
}

function proactive(rotates: boolean): Month {
  const refreshes = (CONNECTIONS * HOURS * HOUR) / PERIOD_MS;
  const each = ACTIONS_PER_REFRESH + (rotates ? ACTIONS_OF_ROTATION : 0) + 1 / REFRESHES_PER_RUN;
  return { what: `proactive, ${rotates ? 'rotating' : 'not rotating'}`, refreshes, actions: refreshes * each };
}

function onDemand(hoursUsedPerDay: number): Month {
  const refreshes = CONNECTIONS * (HOURS / 24) * hoursUsedPerDay;
  return {
    what: `on demand, used in ${hoursUsedPerDay} hours of the day`,
    refreshes,
    actions: refreshes * (ACTIONS_ON_DEMAND + 1 / REFRESHES_PER_RUN),
  };
}

const money = (amount: number): string => `$${Math.round(amount).toLocaleString('en')}`;
const millions = (count: number): string => `${(count / 1e6).toFixed(1)} M`;

process.stdout.write(
  '| 10,000 hourly connections, a month | Refreshes | Temporal actions | at list price | Vault calls | AWS Secrets Manager | postgres-sealed |\n',
);
process.stdout.write('| --- | --- | --- | --- | --- | --- | --- |\n');
for (const { what, refreshes, actions } of [proactive(false), proactive(true), onDemand(8), onDemand(1)]) {
  const calls = refreshes * VAULT_CALLS_PER_REFRESH;
  const aws = CONNECTIONS * SECRETS_PER_CONNECTION * PER_SECRET + (calls / 10_000) * PER_10_000_CALLS;
  process.stdout.write(
    `| ${what} | ${millions(refreshes)} | ${millions(actions)} | ${money((actions / 1e6) * PER_MILLION_ACTIONS)} | ${millions(calls)} | ${money(aws)} | the database |\n`,
  );
}
