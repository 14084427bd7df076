/** The key of a directory vault: 32 random bytes, from the environment or from a file only its owner can read. */
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DurableOAuthError } from '../errors';
import { createOnce, makeFolder, onDisk, unlessMissing } from './disk';

/** Opaque: neither JSON nor `inspect` shows its bytes. */
export type DirectoryKey = KeyObject;

const KEY_BYTES = 32;
const HOW_TO_MAKE = '32 bytes in base64, as `openssl rand -base64 32` prints them';

/**
 * Take the key from configuration.
 * @throws CONFIGURATION_INVALID when the value is not base64 of 32 bytes
 */
export function directoryKeyFromText(base64: string): DirectoryKey {
  return parseKey(base64, `The vault key must be ${HOW_TO_MAKE}`);
}

/**
 * Read the key from a file; the first process to ask makes it (mode 0600), others find it whole.
 * @throws CONFIGURATION_INVALID when others than its owner may read the file, or it holds no key
 * @throws VAULT_UNAVAILABLE when the file system fails
 */
export async function directoryKeyFromFile(path: string): Promise<DirectoryKey> {
  return onDisk('The vault key file cannot be used', { path }, async () => {
    const found = await unlessMissing(stat(path));
    if (found === undefined) {
      await makeFolder(dirname(path));
      await createOnce(path, Buffer.from(`${randomBytes(KEY_BYTES).toString('base64')}\n`), dirname(path));
    } else if ((found.mode & 0o077) !== 0) {
      throw new DurableOAuthError(
        'CONFIGURATION_INVALID',
        `Others than its owner may read the vault key file; run: chmod 600 ${path}`,
      );
    }
    const text = await readFile(path, 'utf8');
    return parseKey(
      text,
      `The vault key file ${path} does not hold a key (${HOW_TO_MAKE}); restore it from a backup, or name another file`,
    );
  });
}

function parseKey(text: string, otherwise: string): DirectoryKey {
  const trimmed = text.trim();
  const bytes = Buffer.from(trimmed, 'base64');
  // Buffer.from skips what is not base64: a passphrase of the right length would pass for a key.
  const wellFormed = /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed);
  if (!wellFormed || bytes.length !== KEY_BYTES) throw new DurableOAuthError('CONFIGURATION_INVALID', otherwise);
  return createSecretKey(bytes);
}
