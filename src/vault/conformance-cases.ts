/** The cases of the vault conformance suite (conformance.ts), by title. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { isDurableOAuthError, type ErrorCode } from '../errors';
import { toPlain } from './codec';
import type { Vault, VaultEntry } from './port';
import { Secret, type TokenSet, type VaultSecret } from './secret';

export interface VaultUnderTest {
  readonly vault: Vault;
  /** The same store through a driver started anew. */
  reopen?(): Promise<Vault>;
  close?(): Promise<void>;
}

/** What a case is given. */
export interface Bench {
  readonly vault: Vault;
  /** The same store through a driver started anew, where the store outlives its driver. */
  readonly reopened: () => Promise<Vault>;
  /** A tenant nobody else uses. */
  readonly tenant: string;
  /** A ref nobody else uses. */
  readonly ref: string;
  /** `latest`, repeated on an eventual store until it answers as awaited. */
  readonly latest: (ref: string, generation: number, vault?: Vault) => Promise<VaultEntry>;
  /** `latest`, until it fails with the code. */
  readonly unreadable: (ref: string, code: ErrorCode) => Promise<void>;
  readonly list: (prefix: string, expected: readonly string[]) => Promise<void>;
}

/** Begins the tenant of every case. */
export const TENANT_PREFIX = 'vc_';

/** Part of every secret value that a failure could repeat. */
const MARK = 'conformance-Zq81';

/** A token set whose values tell generations apart; every optional member is set. */
function tokens(mark: string | number): TokenSet {
  return {
    kind: 'token_set',
    accessToken: new Secret(`${MARK}-access-${mark}`),
    refreshToken: new Secret(`${MARK}-refresh-${mark}`),
    tokenType: 'Bearer',
    scope: 'read write',
    issuedAt: '2026-01-02T03:04:05.000Z',
    receivedAt: '2026-01-02T03:04:06.000Z',
    expiresAt: '2026-01-02T04:04:05.000Z',
    lifetimeSeconds: 3600,
    account: { id: 'acct-1', label: 'Zoë Ünïcode 日本 🔑 "quoted" \\ \n' },
    grantedAt: '2026-01-02T03:04:05.000Z',
    audience: ['https://login.example.com', 'https://api.example.com'],
  };
}

const SECRETS: readonly VaultSecret[] = [
  tokens('größe-密-🔐-"\\\n\u0000'),
  {
    kind: 'token_set',
    accessToken: new Secret('only an access token'),
    tokenType: 'Bearer',
    scope: '',
    issuedAt: '2026-01-02T03:04:05.000Z',
    receivedAt: '2026-01-02T03:04:06.000Z',
    expiresAt: null,
    lifetimeSeconds: null,
    grantedAt: '2026-01-02T03:04:05.000Z',
    audience: [],
  },
  { kind: 'client_secret', clientSecret: new Secret(' blank ends '), audience: ['https://login.example.com'] },
  { kind: 'envelope_key', privateJwk: new Secret('{"kty":"EC","d":"…"}') },
];

export const CASES: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  'capabilities are stated': async ({ vault }) => {
    const { driver, maxBytes, minWriteIntervalSeconds, recoveryWindowDays } = vault.capabilities;
    assert.notEqual(driver, '');
    assert.ok(maxBytes >= 8_192, 'a token set with large JWTs takes 8 KiB');
    assert.ok(minWriteIntervalSeconds >= 0);
    assert.ok(recoveryWindowDays >= 0);
  },

  'a secret of any kind is read back as it was put': async ({ vault, ref, latest }) => {
    for (const [index, secret] of SECRETS.entries()) {
      const own = `${ref}_${index}`;
      assert.equal(await vault.put(own, 1, secret), 'stored');
      assertSame((await latest(own, 1)).secret, secret);
    }
  },

  'what is read back prints a mask': async ({ vault, ref, latest }) => {
    await vault.put(ref, 1, tokens(1));
    const entry = await latest(ref, 1);
    for (const text of [inspect(entry, { depth: 9 }), JSON.stringify(entry)]) assertSilent(text);
  },

  'the highest generation is the latest, gaps or not': async ({ vault, ref, latest }) => {
    for (const generation of [1, 2, 5, 17]) {
      assert.equal(await vault.put(ref, generation, tokens(generation)), 'stored');
      assertEntry(await latest(ref, generation), generation);
    }
  },

  'a lower generation that arrives late does not become the latest': async ({ vault, ref, latest }) => {
    await vault.put(ref, 3, tokens(3));
    await latest(ref, 3);
    assert.equal(await vault.put(ref, 2, tokens(2)), 'stored');
    assertEntry(await latest(ref, 3), 3);
  },

  'the same value put again is harmless': async ({ vault, ref, latest }) => {
    await vault.put(ref, 1, tokens(1));
    await latest(ref, 1);
    assert.equal(await vault.put(ref, 1, tokens(1)), 'same');
    await vault.put(ref, 2, tokens(2));
    await latest(ref, 2);
    assert.equal(await vault.put(ref, 1, tokens(1)), 'same');
    assertEntry(await latest(ref, 2), 2);
  },

  'another value under a generation is refused and changes nothing': async ({ vault, ref, latest }) => {
    await vault.put(ref, 1, tokens(1));
    await assertFails(vault.put(ref, 1, tokens('other')), 'VAULT_CONFLICT');
    assertEntry(await latest(ref, 1), 1);
    await assertFails(vault.put(ref, 1, { ...tokens(1), scope: 'read' }), 'VAULT_CONFLICT');
  },

  'of many puts that race for one cell exactly one wins': async ({ vault, ref, latest }) => {
    const racers = Array.from({ length: 8 }, (_, index) => index);
    for (const generation of [1, 2, 3]) {
      const ends = await Promise.allSettled(
        racers.map((racer) => vault.put(ref, generation, tokens(`${generation}-${racer}`))),
      );
      const won = racers.filter((racer) => ends[racer]?.status === 'fulfilled');
      assert.equal(won.length, 1, `${won.length} of ${racers.length} racing puts won`);
      for (const end of ends) if (end.status === 'rejected') assertFailure(end.reason, 'VAULT_CONFLICT');
      assertSame((await latest(ref, generation)).secret, tokens(`${generation}-${won[0]}`));
    }
  },

  'puts of one value that race all succeed': async ({ vault, ref, latest }) => {
    await Promise.all(Array.from({ length: 8 }, () => vault.put(ref, 1, tokens(1))));
    assertEntry(await latest(ref, 1), 1);
  },

  'generations of one ref say nothing about another': async ({ vault, ref, latest, unreadable }) => {
    await vault.put(ref, 7, tokens(7));
    await unreadable(`${ref}0`, 'VAULT_MISSING');
    assert.equal(await vault.put(`${ref}0`, 1, tokens(1)), 'stored');
    await vault.destroy(ref);
    assertEntry(await latest(`${ref}0`, 1), 1);
  },

  'a ref never put is missing': async ({ ref, unreadable }) => {
    await unreadable(ref, 'VAULT_MISSING');
  },

  'a destroyed ref is gone, and no put brings it back': async ({ vault, ref, latest, unreadable }) => {
    await vault.put(ref, 1, tokens(1));
    await vault.put(ref, 2, tokens(2));
    await latest(ref, 2);
    await vault.destroy(ref);
    for (const generation of [1, 2, 3]) {
      await assertFails(vault.put(ref, generation, tokens(generation)), 'VAULT_GONE');
    }
    await unreadable(ref, 'VAULT_GONE');
  },

  'destroying twice is fine': async ({ vault, ref, unreadable }) => {
    await vault.put(ref, 1, tokens(1));
    await Promise.all([vault.destroy(ref), vault.destroy(ref)]);
    await vault.destroy(ref);
    await unreadable(ref, 'VAULT_GONE');
  },

  'a ref destroyed before its first put takes none': async ({ vault, ref, unreadable }) => {
    // The put of a save that is being undone may still be on its way.
    await vault.destroy(ref);
    await assertFails(vault.put(ref, 1, tokens(1)), 'VAULT_GONE');
    await unreadable(ref, 'VAULT_GONE');
  },

  'a put that races its destruction leaves nothing to read': async ({ vault, ref, unreadable }) => {
    const puts = Array.from({ length: 8 }, (_, index) => vault.put(ref, index + 1, tokens(index)));
    const ends = await Promise.allSettled([vault.destroy(ref), ...puts]);
    for (const end of ends) if (end.status === 'rejected') assertFailure(end.reason, 'VAULT_GONE');
    await unreadable(ref, 'VAULT_GONE');
  },

  'a secret may be as large as stated, and not a byte larger': async ({ vault, ref, latest, unreadable }) => {
    const { maxBytes } = vault.capabilities;
    const empty: VaultSecret = { kind: 'client_secret', clientSecret: new Secret(''), audience: [] };
    const room = maxBytes - Buffer.byteLength(JSON.stringify(toPlain(empty)));
    const tooLarge: VaultSecret = { ...empty, clientSecret: new Secret(MARK.padEnd(room + 1, 'x')) };
    await assertFails(vault.put(ref, 1, tooLarge), 'PAYLOAD_TOO_LARGE');
    await unreadable(ref, 'VAULT_MISSING');
    const largest: VaultSecret = { ...empty, clientSecret: new Secret('x'.repeat(room)) };
    assert.equal(await vault.put(ref, 1, largest), 'stored');
    assertSame((await latest(ref, 1)).secret, largest);
  },

  'asking whether a put would be taken writes nothing': async ({ vault, tenant, list }) => {
    const before = await listed(vault, '');
    await vault.checkWritable();
    await list(`grant/${tenant}/`, []);
    // Entries of other cases may become visible late; anything else was made by the question.
    const made = (await listed(vault, '')).filter((ref) => !before.includes(ref) && !ref.includes(`/${TENANT_PREFIX}`));
    assert.deepEqual(made, []);
  },

  'refs are listed by prefix, destroyed ones left out': async ({ vault, tenant, list }) => {
    const ref = (connection: string): string => `grant/${tenant}/${connection}/gr_1`;
    for (const connection of ['cn_1', 'cn_2', 'cn_20']) await vault.put(ref(connection), 1, tokens(1));
    await list(`grant/${tenant}/`, [ref('cn_1'), ref('cn_2'), ref('cn_20')]);
    await list(`grant/${tenant}/cn_2`, [ref('cn_2'), ref('cn_20')]);
    await list(`grant/${tenant}/cn_2/`, [ref('cn_2')]);
    await vault.destroy(ref('cn_2'));
    await list(`grant/${tenant}/`, [ref('cn_1'), ref('cn_20')]);
    await list(`client/${tenant}/`, []);
  },

  'what is no ref or no generation is refused': async ({ vault, tenant, ref }) => {
    const strange = ['', 'grant', '/', `../${ref}`, `grant/../${tenant}/x`, `grant//${tenant}`, `grant/${tenant}/`];
    for (const name of [...strange, `grant/${tenant}/A`, `grant/${tenant}/a.b`, `grant/${tenant}/${'a'.repeat(65)}`]) {
      await assertFails(vault.put(name, 1, tokens(1)), 'INTERNAL');
      await assertFails(vault.latest(name), 'INTERNAL');
      await assertFails(vault.destroy(name), 'INTERNAL');
    }
    for (const generation of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assertFails(vault.put(ref, generation, tokens(1)), 'INTERNAL');
    }
  },

  'a driver started anew finds what was put and what was destroyed': async ({ vault, reopened, ref, latest }) => {
    await vault.put(`${ref}a`, 1, tokens(1));
    await vault.put(`${ref}a`, 2, tokens(2));
    await vault.destroy(`${ref}b`);
    const again = await reopened();
    assertEntry(await latest(`${ref}a`, 2, again), 2);
    assert.equal(await again.put(`${ref}a`, 1, tokens(1)), 'same');
    await assertFails(again.put(`${ref}b`, 1, tokens(1)), 'VAULT_GONE');
  },
};

export async function listed(vault: Vault, prefix: string): Promise<string[]> {
  const refs: string[] = [];
  for await (const ref of vault.list(prefix)) refs.push(ref);
  return refs.sort();
}

function assertEntry(entry: VaultEntry, generation: number): void {
  assert.equal(entry.generation, generation);
  assertSame(entry.secret, tokens(generation));
}

function assertSame(actual: VaultSecret, expected: VaultSecret): void {
  assert.deepEqual(toPlain(actual), toPlain(expected));
}

export async function assertFails(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  let failure: unknown;
  try {
    await work;
  } catch (error) {
    failure = error;
  }
  assert.notEqual(failure, undefined, `did not fail with ${code}`);
  assertFailure(failure, code);
}

/** A failure of ours with the code, that repeats no secret and hides no foreign error. */
function assertFailure(failure: unknown, code: ErrorCode): void {
  assert.ok(isDurableOAuthError(failure), `a foreign error left the driver: ${inspect(failure, { depth: 0 })}`);
  assert.equal(failure.code, code);
  assert.equal(failure.cause, undefined);
  assertSilent(inspect(failure, { depth: 9, showHidden: true }));
  assertSilent(JSON.stringify(failure) + JSON.stringify(failure.coordinates) + failure.message + failure.stack);
}

function assertSilent(text: string): void {
  assert.ok(!text.includes(MARK), 'a secret was printed');
}
