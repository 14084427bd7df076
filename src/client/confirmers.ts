/**
 * Who may confirm a consent of mode `session` or `handback`, as links, messages and histories name them: of a list, so that no
 * two confirmers read alike. The other application's id of its end user is kept nowhere else, and what is kept of it is an HMAC
 * under the vault's key: whoever reads registry or history cannot try guesses.
 */
import type { ConnectionRef } from '../connection/types';
import type { Fingerprint } from '../fingerprint';
import { Secret } from '../vault/secret';
import type { Confirmer } from './contract';
import { sha256 } from './cookies';

/** @throws VAULT_UNAVAILABLE for an end user */
export async function confirmerHash(
  fingerprint: Fingerprint,
  ref: ConnectionRef,
  confirmer: Confirmer,
): Promise<string> {
  if ('endUserId' in confirmer) {
    const { tenant, connection } = ref;
    return fingerprint(new Secret(`confirmer ${JSON.stringify([tenant, connection, confirmer.endUserId])}`));
  }
  // Its id is in the registry anyway.
  const { tenant, id } = confirmer.principal;
  return sha256(JSON.stringify(['session', tenant, id]));
}
