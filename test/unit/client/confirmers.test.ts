import { confirmerHash } from '../../../src/client/confirmers';
import type { Confirmer } from '../../../src/client/contract';
import { createFingerprint } from '../../../src/fingerprint';
import { createMemoryVault } from '../../../src/vault/memory';

const REF = { tenant: 'acme', connection: 'cn_1' };
const USER: Confirmer = { endUserId: '7' };

describe('what is kept of who may confirm', () => {
  const vault = createMemoryVault();
  const hash = (confirmer: Confirmer, ref = REF): Promise<string> =>
    // As another process on the same vault.
    confirmerHash(createFingerprint(vault), ref, confirmer);

  it('of an end user is the same in every process, and of this user, connection and tenant only', async () => {
    const kept = await Promise.all([
      hash(USER),
      hash({ endUserId: '8' }),
      hash(USER, { ...REF, connection: 'cn_2' }),
      hash(USER, { ...REF, tenant: 'other' }),
      hash({ principal: { tenant: 'acme', id: '7' } }),
    ]);
    expect(new Set(kept).size).toBe(kept.length);
    expect(await hash(USER)).toBe(kept[0]);
  });

  it('of an end user says nothing without the vault: under another key a short id gives another hash', async () => {
    const guess = await confirmerHash(createFingerprint(createMemoryVault()), REF, USER);
    expect(guess).not.toBe(await hash(USER));
  });
});
