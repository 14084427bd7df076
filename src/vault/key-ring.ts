/** Keys with names: the first seals, all open. A new key is put in front; the old one stays until all is resealed. */
import { DurableOAuthError } from '../errors';
import { directoryKeyFromText, type DirectoryKey } from './directory-key';

export interface KeyRing {
  /** Id of the key that seals. */
  readonly current: string;
  readonly keys: ReadonlyMap<string, DirectoryKey>;
}

const ENTRY = /^([a-z0-9_-]{1,32}):(\S+)$/;

/**
 * @param text `<id>:<base64 of 32 bytes>`, several joined by commas
 * @throws CONFIGURATION_INVALID
 */
export function keyRingFromText(text: string): KeyRing {
  const keys = new Map<string, DirectoryKey>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [, id, key] = ENTRY.exec(entry) ?? [];
    if (id === undefined || key === undefined || keys.has(id)) {
      throw new DurableOAuthError(
        'CONFIGURATION_INVALID',
        'VAULT_KEYS must be <id>:<key>, several joined by commas, the first one seals: each id once, of lower-case letters, digits, - and _; each key as `openssl rand -base64 32` prints it',
      );
    }
    keys.set(id, directoryKeyFromText(key));
  }
  return { current: [...keys.keys()][0] ?? '', keys };
}
