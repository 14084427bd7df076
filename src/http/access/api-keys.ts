/** API keys: `do_<prefix>_<256 random bits>`. The prefix finds the row; the row holds only the SHA-256 of the whole key. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Secret } from '../../vault/secret';

const KEY = /^do_([a-z2-7]{12})_[A-Za-z0-9_-]{43}$/;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

export interface ApiKey {
  /** The whole key. Shown once; nobody can read it again. */
  readonly key: Secret;
  readonly prefix: string;
  /** Hex SHA-256 of the whole key. */
  readonly hash: string;
}

/** Make a key. The caller stores prefix and hash, and hands the key over. */
export function createApiKey(): ApiKey {
  const prefix = [...randomBytes(12)].map((byte) => BASE32[byte & 31]).join('');
  const key = `do_${prefix}_${randomBytes(32).toString('base64url')}`;
  return { key: new Secret(key), prefix, hash: hashOf(key) };
}

/** @returns the public prefix of what looks like a key, else undefined. */
export function prefixOf(key: string): string | undefined {
  return KEY.exec(key)?.[1];
}

/** Compare a key with a stored hash in constant time. */
export function isKeyOf(key: string, hash: string): boolean {
  const given = Buffer.from(hashOf(key), 'hex');
  const stored = Buffer.from(hash, 'hex');
  return given.length === stored.length && timingSafeEqual(given, stored);
}

const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');
