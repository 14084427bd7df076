import { createHash } from 'node:crypto';
import { createApiKey, isKeyOf, prefixOf } from '../../../src/http/access/api-keys';

describe('an API key', () => {
  it('has a public prefix and 256 random bits, and only its hash needs to be kept', () => {
    const { key, prefix, hash } = createApiKey();
    const text = key.reveal();
    expect(text).toMatch(new RegExp(`^do_${prefix}_[A-Za-z0-9_-]{43}$`));
    expect(hash).toBe(createHash('sha256').update(text).digest('hex'));
    expect(prefixOf(text)).toBe(prefix);
    expect(isKeyOf(text, hash)).toBe(true);
    expect(JSON.stringify({ key, prefix, hash })).not.toContain(text.slice(-20));
  });

  it('is never made twice', () => {
    expect(new Set(Array.from({ length: 100 }, () => createApiKey().key.reveal())).size).toBe(100);
  });

  it.each(['', 'do_', 'do_abc_def', 'do_ABCDEFGHIJKL_' + 'a'.repeat(43), 'xx_abcdefghijkl_' + 'a'.repeat(43)])(
    'is not %j',
    (text) => expect(prefixOf(text)).toBeUndefined(),
  );

  it('does not fit the hash of another, nor what is no hash', () => {
    const [one, other] = [createApiKey(), createApiKey()];
    expect(isKeyOf(one.key.reveal(), other.hash)).toBe(false);
    expect(isKeyOf(one.key.reveal(), 'zz')).toBe(false);
  });
});
