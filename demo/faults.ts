/**
 * Places to die at, and a vault that goes away: the demo's worker wraps its ports with these. Production code has none.
 * The judge arms them through a file; the worker says on its output when it has come to one, and hangs there.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Ports } from '../src/compose';
import { DurableOAuthError } from '../src/errors';
import type { TokenSet } from '../src/vault/secret';

export type Point = 'before_send' | 'after_answer' | 'after_put' | 'vault_outage';

/** Connection id → where its next refresh stops. */
export type Armed = Readonly<Record<string, Point>>;

export const FAULTS_VARIABLE = 'DEMO_FAULTS';
export const OUTAGE_MS = 40_000;

export function arm(file: string, armed: Armed): void {
  writeFileSync(file, JSON.stringify(armed));
}

export function faultyPorts(env: NodeJS.ProcessEnv): (ports: Ports) => Ports {
  const file = env[FAULTS_VARIABLE];
  if (file === undefined) return (ports) => ports;
  /** Which connection a refresh token is of: the port that spends it is not told. */
  const owners = new Map<string, string>();
  let outageUntil = 0;

  const armedAt = (connection: string | undefined, point: Point): boolean => {
    if (connection === undefined || !existsSync(file)) return false;
    return (JSON.parse(readFileSync(file, 'utf8')) as Armed)[connection] === point;
  };
  const hang = async (point: Point, connection: string): Promise<never> => {
    process.stdout.write(`demo: at ${point} of ${connection}\n`);
    return new Promise<never>(() => undefined);
  };
  const refuseWhileDown = (): void => {
    if (Date.now() < outageUntil) throw new DurableOAuthError('VAULT_UNAVAILABLE', 'The demo takes the vault away');
  };
  const connectionOf = (ref: string): string | undefined => (ref.startsWith('grant/') ? ref.split('/')[2] : undefined);
  const remember = (ref: string, set: TokenSet): void => {
    const connection = connectionOf(ref);
    if (connection && set.refreshToken) owners.set(set.refreshToken.reveal(), connection);
  };

  return (ports) => ({
    ...ports,
    vault: {
      capabilities: ports.vault.capabilities,
      async latest(ref) {
        refuseWhileDown();
        const entry = await ports.vault.latest(ref);
        if (entry.secret.kind === 'token_set') remember(ref, entry.secret);
        return entry;
      },
      async put(ref, generation, secret) {
        refuseWhileDown();
        const connection = generation > 1 ? connectionOf(ref) : undefined;
        if (connection && armedAt(connection, 'after_answer')) return hang('after_answer', connection);
        const outcome = await ports.vault.put(ref, generation, secret);
        if (connection && armedAt(connection, 'after_put')) return hang('after_put', connection);
        return outcome;
      },
      async destroy(ref) {
        refuseWhileDown();
        return ports.vault.destroy(ref);
      },
      async checkWritable() {
        refuseWhileDown();
        return ports.vault.checkWritable();
      },
      list: (prefix) => ports.vault.list(prefix),
    },
    authorizationServer: {
      ...ports.authorizationServer,
      async refresh(target, refreshToken) {
        const connection = owners.get(refreshToken.reveal());
        if (connection && armedAt(connection, 'before_send')) return hang('before_send', connection);
        const answer = await ports.authorizationServer.refresh(target, refreshToken);
        if (connection && armedAt(connection, 'vault_outage')) {
          outageUntil = Date.now() + OUTAGE_MS;
          process.stdout.write(`demo: at vault_outage of ${connection}\n`);
        }
        return answer;
      },
    },
  });
}
