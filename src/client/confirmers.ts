/**
 * Who may confirm a consent of mode `session` or `handback`, as a hash: of a list, so that no two confirmers read alike.
 * The other application's id of its end user is kept nowhere else; who may read the hash can only try guesses.
 */
import type { ConnectionRef } from '../connection/types';
import { sha256 } from './cookies';

/** Mode `session`: the principal that made the link. */
export const principalConfirmer = ({ tenant, id }: { readonly tenant: string; readonly id: string }): string =>
  sha256(JSON.stringify(['session', tenant, id]));

/** Mode `handback`: an end user of another application, of this connection only. */
export const endUserConfirmer = ({ tenant, connection }: ConnectionRef, endUserId: string): string =>
  sha256(JSON.stringify(['handback', tenant, connection, endUserId]));
