/** `doctor`: is everything there that a connection needs, in one line each; `--after-restore`: what a backup brought back. */
import type { Client } from '@temporalio/client';
import { compose, connectTemporal } from '../../compose';
import { readConfig, type Config } from '../../config';
import { formatRef, parseRef, TASK_QUEUE } from '../../connection/ids';
import { DurableOAuthError, isDurableOAuthError } from '../../errors';
import { createCatalogue } from '../../providers/catalogue';
import { openVault } from '../../open-vault';
import { openRegistry } from '../../registry/open';
import { afterRestore, type Restored } from '../doctor/after-restore';
import { examine, pollersOf, type Finding, type Patient } from '../doctor/checks';
import type { Print } from './connections';

type Say = (line: string) => void;

/** @returns whether nothing is red */
export async function doctor(
  env: NodeJS.ProcessEnv,
  outageMinutes: number | undefined,
  print: Print,
  say: Say,
): Promise<boolean> {
  const config = readConfig(env);
  const { patient, close } = await open(config, say);
  try {
    const findings = await examine({ ...patient, outageMs: (outageMinutes ?? 0) * 60_000 });
    print(findings, () => findings.map(lineOf).join('\n'));
    return findings.every(({ status }) => status !== 'red');
  } finally {
    await close();
  }
}

const WORD = { ok: 'ok     ', warning: 'warning', red: 'RED    ' } as const;

const lineOf = ({ status, check, text, todo }: Finding): string =>
  `${WORD[status]}  ${check}: ${text}${todo === undefined ? '' : ` → ${todo}`}`;

/** Everything that can be opened; what cannot is told, and its checks are red. */
async function open(config: Config, say: Say): Promise<{ patient: Patient; close(): Promise<void> }> {
  const or = async <T>(what: Promise<T>): Promise<T | undefined> =>
    what.catch((error: unknown) => {
      if (!isDurableOAuthError(error)) throw error;
      say(`${error.message} (${error.code})`);
      return undefined;
    });
  const registry = await or(openRegistry({ url: config.databaseUrl }));
  // Never made here: an empty vault in the place of one that is away would be taken for it.
  const vault = await or(openVault(config.vault, false));
  const temporal = await or(connectTemporal());
  return {
    patient: { config, registry, vault, temporal, catalogue: createCatalogue() },
    async close() {
      await registry?.close();
      await vault?.close?.();
      await temporal?.connection.close();
    },
  };
}

const VERDICTS: Readonly<Record<Restored['verdict'], string>> = {
  spent: 'spent: give consent again',
  uncertain: 'uncertain: quarantined',
  missing: 'not in the vault, or damaged: give consent again',
  safe: 'safe: a refresh spends nothing',
  gone: 'revoked',
};

/**
 * Quarantine what a restore may have spoilt.
 * @throws CONFIGURATION_INVALID while a worker polls: it would spend what is about to be looked at
 */
export async function quarantineAll(env: NodeJS.ProcessEnv, print: Print, say: Say): Promise<void> {
  const parts = await compose(readConfig(env));
  try {
    await refuseWhileWorking(parts.temporal);
    const seen: Restored[] = [];
    for await (const one of afterRestore({ ...parts, tenants: parts.config.tenants, by: 'doctor' })) {
      seen.push(one);
      const token = one.accessToken === undefined ? '' : `; access token: ${one.accessToken}`;
      say(`${one.ref}  generation ${one.held} held, ${one.known} known${token}  ${VERDICTS[one.verdict]}`);
    }
    const count = (verdict: Restored['verdict']): number => seen.filter((one) => one.verdict === verdict).length;
    print(seen, () =>
      [
        `${seen.filter(({ quarantined }) => quarantined).length} of ${seen.length} connections are quarantined: their living tokens are served, nothing is renewed.`,
        `${count('spent') + count('missing')} need consent. ${count('uncertain')} may go on where nothing was renewed after the backup was taken:`,
        '  durable-oauth admin release <tenant>/<connection> …',
        'A renewed consent ends a quarantine by itself. Start the workers now.',
      ].join('\n'),
    );
  } finally {
    await parts.close();
  }
}

async function refuseWhileWorking(temporal: Client): Promise<void> {
  const pollers = await pollersOf(temporal, TASK_QUEUE, 'ACTIVITY');
  if (pollers === 0) return;
  throw new DurableOAuthError(
    'CONFIGURATION_INVALID',
    `${pollers} pollers asked for work within two minutes: stop the workers, wait two minutes, and run this again before they start`,
  );
}

/** Let quarantined connections refresh again, and tell their workflows. @throws NOT_FOUND */
export async function release(env: NodeJS.ProcessEnv, refs: readonly string[], print: Print): Promise<void> {
  const { registry, connections, close } = await compose(readConfig(env));
  const caller = { by: 'admin', traceId: 'cli' };
  try {
    const outcomes: { ref: string; released: boolean }[] = [];
    for (const ref of refs.map(parseRef)) {
      if ((await registry.connections.get(ref)) === undefined) {
        throw new DurableOAuthError('NOT_FOUND', 'There is no such connection', { ref: formatRef(ref) });
      }
      const released = await registry.connections.release(ref, { type: 'connection.released', ...caller });
      await connections.nudge(ref, 'connection_released', caller);
      outcomes.push({ ref: formatRef(ref), released });
    }
    print(outcomes, () =>
      outcomes.map(({ ref, released }) => `${ref}: ${released ? 'released' : 'was not quarantined'}`).join('\n'),
    );
  } finally {
    await close();
  }
}
