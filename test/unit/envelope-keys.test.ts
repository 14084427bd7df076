import { createOpener, createSealer } from '../../src/envelope';
import { registryPublicKeys, tendEnvelopeKeys, vaultPrivateKeys } from '../../src/envelope-keys';
import { DurableOAuthError } from '../../src/errors';
import type { Registry } from '../../src/registry/contract';
import { findCanaries } from '../../src/testing/canary';
import { createMemoryVault, type MemoryVault } from '../../src/vault/memory';
import { Secret } from '../../src/vault/secret';

const DAY = 86_400_000;
const START = Date.parse('2026-01-01T00:00:00.000Z');

type Keys = Omit<Registry['envelopeKeys'], 'destroyed'>;
type Row = Awaited<ReturnType<Keys['list']>>[number];

/** Rows in memory, dated by the test's clock. */
class KeyRows implements Keys {
  rows: Row[] = [];
  now = START;
  /** Calls from here on fail. */
  failing: 'insert' | 'markDestroyed' | undefined;

  async list(): Promise<readonly Row[]> {
    return [...this.rows];
  }

  async insert(kid: string, publicJwk: Row['publicJwk']): Promise<void> {
    if (this.failing === 'insert') throw new DurableOAuthError('REGISTRY_UNAVAILABLE');
    this.rows.unshift({ kid, publicJwk, createdAt: new Date(this.now).toISOString() });
  }

  async markDestroyed(kid: string): Promise<void> {
    if (this.failing === 'markDestroyed') throw new DurableOAuthError('REGISTRY_UNAVAILABLE');
    this.rows = this.rows.filter((row) => row.kid !== kid);
  }
}

let vault: MemoryVault;
let registry: KeyRows;
beforeEach(() => {
  vault = createMemoryVault();
  registry = new KeyRows();
});

function tendAt(days: number): ReturnType<typeof tendEnvelopeKeys> {
  registry.now = START + days * DAY;
  return tendEnvelopeKeys({ vault, registry, now: new Date(registry.now) });
}

async function vaultRefs(): Promise<string[]> {
  const refs: string[] = [];
  for await (const ref of vault.list('system/envelope/')) refs.push(ref);
  return refs;
}

it('what is sealed to a made key can be opened with its private part from the vault', async () => {
  const { made } = await tendAt(0);
  expect(made).toMatch(/^ek_[a-z2-7]{26}$/);
  const sealed = await createSealer(registryPublicKeys(registry)).seal('save', { refresh_token: new Secret('rt') });
  expect(await createOpener(vaultPrivateKeys(vault)).open('save', sealed)).toEqual({ refresh_token: 'rt' });
});

it('a row holds the public part only', async () => {
  await tendAt(0);
  const [row] = registry.rows;
  expect(Object.keys(row?.publicJwk ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  const { d } = await vaultPrivateKeys(vault)(row?.kid ?? '');
  expect(findCanaries(JSON.stringify(registry.rows), [d ?? ''])).toEqual([]);
});

it('a key is made when none is younger than a day, newest first', async () => {
  const { made: first } = await tendAt(0);
  expect(await tendAt(0.99)).toEqual({ made: null, destroyed: [] });
  const { made: second } = await tendAt(1);
  expect(second).not.toBe(first);
  expect(registry.rows.map((row) => row.kid)).toEqual([second, first]);
});

it('the private part is in the vault before the row exists', async () => {
  vault.setAvailable(false);
  await expect(tendAt(0)).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
  expect(registry.rows).toEqual([]);

  vault.setAvailable(true);
  registry.failing = 'insert';
  await expect(tendAt(0)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  expect(await vaultRefs()).toHaveLength(1);
});

it('workers that race make a good key each', async () => {
  const ends = await Promise.all([tendAt(0), tendAt(0), tendAt(0)]);
  expect(registry.rows.map((row) => row.kid).sort()).toEqual(ends.map((end) => end.made).sort());
  for (const { kid } of registry.rows) await expect(vaultPrivateKeys(vault)(kid)).resolves.toMatchObject({ kty: 'EC' });
});

it('a private key is destroyed 8 days after its last day of use', async () => {
  const { made: first } = await tendAt(0);
  for (let day = 1; day < 9; day += 1) expect((await tendAt(day)).destroyed).toEqual([]);
  expect((await tendAt(9)).destroyed).toEqual([first]);
  await expect(vaultPrivateKeys(vault)(first ?? '')).rejects.toMatchObject({ code: 'VAULT_GONE' });
  expect(registry.rows.map((row) => row.kid)).not.toContain(first);
});

it('a key that was in use while no worker ran is kept for 8 days more', async () => {
  const { made: first } = await tendAt(0);
  const sealed = await createSealer(registryPublicKeys(registry)).seal('escrow', { kept: true });
  expect((await tendAt(30)).destroyed).toEqual([]);
  expect((await tendAt(37.9)).destroyed).toEqual([]);
  expect(await createOpener(vaultPrivateKeys(vault)).open('escrow', sealed)).toEqual({ kept: true });
  expect((await tendAt(38)).destroyed).toEqual([first]);
  await expect(createOpener(vaultPrivateKeys(vault)).open('escrow', sealed)).rejects.toMatchObject({
    code: 'ENVELOPE_UNREADABLE',
  });
});

it('a destruction that was cut off is finished by the next run', async () => {
  const { made: first } = await tendAt(0);
  await tendAt(1);
  registry.failing = 'markDestroyed';
  await expect(tendAt(9)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  registry.failing = undefined;
  expect((await tendAt(9)).destroyed).toEqual([first]);
});

it('another kind of entry under the ref of a key is no key', async () => {
  await vault.put('system/envelope/ek_x', 1, { kind: 'client_secret', clientSecret: new Secret('x'), audience: [] });
  await expect(vaultPrivateKeys(vault)('ek_x')).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

it.each(['../../grant/acme', '', 'A'])('a key id that is no id opens nothing: %j', async (kid) => {
  await expect(vaultPrivateKeys(vault)(kid)).rejects.toMatchObject({ code: 'INTERNAL' });
});
