/** Envelope keys over time: made by workers before they are needed, destroyed when nothing recent was sealed to them. */
import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { envelopeKeyRef, idFrom } from './connection/ids';
import type { EnvelopeKeySource } from './envelope';
import { DurableOAuthError } from './errors';
import type { Registry } from './registry/contract';
import type { Vault } from './vault/port';
import { Secret } from './vault/secret';

const DAY_MS = 86_400_000;
/** Callers seal to the newest key, so a key's last day of use ends when its successor is a day old at most. */
const MADE_EVERY_MS = DAY_MS;
const KEPT_AFTER_USE_MS = 8 * DAY_MS;

export interface TendedEnvelopeKeys {
  /** Key id, null when the newest was young enough. */
  readonly made: string | null;
  readonly destroyed: readonly string[];
}

/**
 * Do the housekeeping of envelope keys; run it as often as you like, from any number of workers. Makes a key when none is
 * younger than a day: private part into the vault, read back, then the public row, so that nobody seals to a key that
 * cannot be opened. Then destroys every private key whose successor has been there for 8 days, and marks its row.
 * What was sealed to it (histories of Temporal) can never be read again.
 *
 * Two workers that race make two good keys. A run that ends in between leaves a private key nobody seals to, or a row
 * that is marked by the next run.
 *
 * @throws VAULT_UNAVAILABLE, REGISTRY_UNAVAILABLE
 */
export async function tendEnvelopeKeys(tools: {
  readonly vault: Vault;
  readonly registry: Pick<Registry['envelopeKeys'], 'list' | 'insert' | 'markDestroyed'>;
  readonly now: Date;
}): Promise<TendedEnvelopeKeys> {
  const { vault, registry, now } = tools;
  const rows = await registry.list();
  const newest = rows[0];
  const young = newest !== undefined && age(newest.createdAt, now) < MADE_EVERY_MS;
  const made = young ? null : await makeKey(vault, registry);

  const destroyed: string[] = [];
  for (const [index, row] of rows.entries()) {
    const successor = rows[index - 1];
    if (successor === undefined || age(successor.createdAt, now) < KEPT_AFTER_USE_MS) continue;
    await vault.destroy(envelopeKeyRef(row.kid));
    await registry.markDestroyed(row.kid);
    destroyed.push(row.kid);
  }
  return { made, destroyed };
}

/** Private keys for `createOpener`. */
export function vaultPrivateKeys(vault: Vault): (kid: string) => Promise<JWK> {
  return async (kid) => {
    const { secret } = await vault.latest(envelopeKeyRef(kid));
    if (secret.kind === 'envelope_key') return JSON.parse(secret.privateJwk.reveal()) as JWK;
    throw new DurableOAuthError('VAULT_CORRUPT', 'The vault entry is no envelope key', { kid });
  };
}

/** Public keys for `createSealer`, in processes that hold the registry. */
export function registryPublicKeys(registry: Pick<Registry['envelopeKeys'], 'list'>): EnvelopeKeySource {
  return {
    publicKeys: async () => (await registry.list()).map(({ kid, publicJwk }) => ({ ...publicJwk, kid })),
  };
}

async function makeKey(vault: Vault, registry: Pick<Registry['envelopeKeys'], 'insert'>): Promise<string> {
  const kid = idFrom('ek', randomBytes(17));
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
  const privateJwk = new Secret(JSON.stringify(await exportJWK(privateKey)));
  const ref = envelopeKeyRef(kid);
  await vault.put(ref, 1, { kind: 'envelope_key', privateJwk });
  await vault.latest(ref);
  await registry.insert(kid, { ...(await exportJWK(publicKey)), kid, alg: 'ECDH-ES', use: 'enc' });
  return kid;
}

function age(since: string, now: Date): number {
  return now.getTime() - Date.parse(since);
}
