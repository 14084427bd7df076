import { randomBytes } from 'node:crypto';
import promises, {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCanaries } from '../../../src/testing/canary';
import { openDirectoryVault } from '../../../src/vault/directory';
import { directoryKeyFromText } from '../../../src/vault/directory-key';
import type { Vault } from '../../../src/vault/port';
import { Secret, type ClientSecret, type TokenSet } from '../../../src/vault/secret';

const REF = 'grant/acme/cn_1/gr_1';
const key = directoryKeyFromText(randomBytes(32).toString('base64'));

let folder: string;
let path: string;
let vault: Vault;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'durable-oauth-'));
  path = join(folder, 'data', 'vault');
  vault = await openDirectoryVault({ path, key });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const cell = (ref: string, generation: number): string => join(path, 'refs', ...ref.split('/'), `${generation}.cell`);
const names = (ref: string): Promise<string[]> => readdir(join(path, 'refs', ...ref.split('/')));

function secret(value: string): ClientSecret {
  return { kind: 'client_secret', clientSecret: new Secret(value), audience: ['https://login.example.com'] };
}

async function first(refs: AsyncIterable<string>): Promise<string | undefined> {
  for await (const ref of refs) return ref;
  return undefined;
}

async function everything(): Promise<{ path: string; mode: number; folder: boolean }[]> {
  const entries = await readdir(path, { recursive: true });
  return Promise.all(
    entries.map(async (name) => {
      const found = await stat(join(path, name));
      return { path: join(path, name), mode: found.mode & 0o777, folder: found.isDirectory() };
    }),
  );
}

it('folders are for their owner alone, and so are files', async () => {
  await vault.put(REF, 1, secret('one'));
  await vault.destroy('grant/acme/cn_1/gr_2');
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  for (const entry of await everything()) expect(entry).toMatchObject({ mode: entry.folder ? 0o700 : 0o600 });
});

it('000-30 no file of the vault shows a secret in any encoding', async () => {
  const canaries = ['canary-client-secret-4711', 'canary-access-token-4711', 'canary-refresh-token-4711'];
  const [clientSecret = '', accessToken = '', refreshToken = ''] = canaries;
  const tokens: TokenSet = {
    kind: 'token_set',
    accessToken: new Secret(accessToken),
    refreshToken: new Secret(refreshToken),
    tokenType: 'Bearer',
    scope: '',
    issuedAt: '2026-01-02T03:04:05.000Z',
    receivedAt: '2026-01-02T03:04:06.000Z',
    expiresAt: null,
    lifetimeSeconds: null,
    grantedAt: '2026-01-02T03:04:05.000Z',
    audience: [],
  };
  await vault.put('client/acme/oc_1/sec_1', 1, secret(clientSecret));
  await vault.put(REF, 1, tokens);
  const files = (await everything()).filter((entry) => !entry.folder);
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) expect(findCanaries(await readFile(file.path), canaries)).toEqual([]);
});

it('000-30 a changed byte anywhere in a file is detected', async () => {
  await vault.put(REF, 1, secret('one'));
  const original = await readFile(cell(REF, 1));
  for (const at of original.keys()) {
    const changed = Buffer.from(original);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    await writeFile(cell(REF, 1), changed);
    await expect(vault.latest(REF)).rejects.toMatchObject({ code: 'VAULT_CORRUPT', coordinates: { ref: REF } });
  }
  await writeFile(cell(REF, 1), original);
  await expect(vault.latest(REF)).resolves.toMatchObject({ generation: 1 });
});

it('000-30 a file copied to another ref or another generation does not open there', async () => {
  const other = 'grant/other/cn_1/gr_1';
  await vault.put(REF, 1, secret('one'));
  await vault.put(other, 1, secret('another tenant'));
  await cp(cell(REF, 1), cell(other, 1));
  await expect(vault.latest(other)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
  await cp(cell(REF, 1), cell(REF, 2));
  await expect(vault.latest(REF)).rejects.toMatchObject({ code: 'VAULT_CORRUPT' });
});

it.each([0, 10, 27, 28, 40])(
  'a file cut off after %i bytes is told, with what to do, and never passed over',
  async (bytes) => {
    await vault.put(REF, 1, secret('one'));
    await vault.put(REF, 2, secret('two'));
    await truncate(cell(REF, 2), bytes);
    const failure = {
      code: 'VAULT_CORRUPT',
      message: expect.stringMatching(/Restore it from a backup.*\[ref=.* generation=2\]/),
    };
    await expect(vault.latest(REF)).rejects.toMatchObject(failure);
    await expect(vault.put(REF, 2, secret('two'))).rejects.toMatchObject(failure);
    await expect(vault.latest(REF)).rejects.toMatchObject({ message: expect.not.stringContaining(path) });
  },
);

it('a folder that was used and is not there is not made anew: its volume may not be mounted', async () => {
  await rename(path, `${path}.away`);
  await expect(openDirectoryVault({ path, key, create: false })).rejects.toMatchObject({
    code: 'VAULT_UNAVAILABLE',
    message: expect.stringContaining('is its volume mounted') as unknown,
  });
  await rename(`${path}.away`, path);
  await openDirectoryVault({ path, key, create: false });
});

it('a wrong key is told when the vault is opened', async () => {
  const wrong = directoryKeyFromText(randomBytes(32).toString('base64'));
  await expect(openDirectoryVault({ path, key: wrong })).rejects.toMatchObject({
    code: 'CONFIGURATION_INVALID',
    message: expect.stringContaining('The vault key does not fit this vault folder'),
  });
});

it('a vault that lost its key check is told, and not given a new one', async () => {
  await vault.put(REF, 1, secret('one'));
  await rm(join(path, 'key-check'));
  await expect(openDirectoryVault({ path, key })).rejects.toMatchObject({
    code: 'VAULT_CORRUPT',
    message: expect.stringContaining('restore the whole folder from a backup'),
  });
});

it('a vault folder others may enter is refused with the command that helps', async () => {
  await chmod(path, 0o750);
  await expect(openDirectoryVault({ path, key })).rejects.toMatchObject({
    code: 'CONFIGURATION_INVALID',
    message: expect.stringContaining(`chmod 700 ${path}`),
  });
});

it('a file in the place of the vault folder is told', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  await expect(openDirectoryVault({ path: file, key })).rejects.toMatchObject({ code: 'VAULT_UNAVAILABLE' });
  await expect(openDirectoryVault({ path: join(file, 'below'), key })).rejects.toMatchObject({
    code: 'VAULT_UNAVAILABLE',
    message: expect.stringContaining('a file is where the vault needs a folder'),
  });
});

it('many processes may open a new folder at once', async () => {
  const shared = join(folder, 'shared');
  const vaults = await Promise.all(Array.from({ length: 8 }, () => openDirectoryVault({ path: shared, key })));
  await Promise.all(vaults.map((one, index) => one.put(REF, index + 1, secret(`${index}`))));
  for (const one of vaults) expect((await one.latest(REF)).generation).toBe(8);
});

it('drafts of a killed process go after an hour, those of a living one stay', async () => {
  const old = join(path, 'drafts', 'old.draft');
  const young = join(path, 'drafts', 'young.draft');
  for (const draft of [old, young]) await writeFile(draft, 'half a ce', { mode: 0o600 });
  const hours = (count: number): Date => new Date(Date.now() - count * 3_600_000);
  await utimes(old, hours(1.1), hours(1.1));
  await utimes(young, hours(0.9), hours(0.9));
  await openDirectoryVault({ path, key });
  expect(await readdir(join(path, 'drafts'))).toEqual(['young.draft']);
});

it('what a killed process left in a ref is not taken for a cell', async () => {
  await vault.put(REF, 1, secret('one'));
  for (const name of ['2.cell.draft', '02.cell', 'x.cell', '.cell', '3'])
    await writeFile(join(cell(REF, 1), '..', name), '');
  expect((await vault.latest(REF)).generation).toBe(1);
});

it('a put leaves its cell and nothing else, stored or refused', async () => {
  await vault.put(REF, 1, secret('one'));
  await vault.put(REF, 1, secret('one'));
  await expect(vault.put(REF, 1, secret('other'))).rejects.toMatchObject({ code: 'VAULT_CONFLICT' });
  expect(await names(REF)).toEqual(['1.cell']);
  expect(await readdir(join(path, 'drafts'))).toEqual([]);
});

it('a destroyed ref keeps a tombstone and no cell, also of a destruction that was cut off', async () => {
  await vault.put(REF, 1, secret('one'));
  const saved = await readFile(cell(REF, 1));
  await vault.destroy(REF);
  expect(await names(REF)).toEqual(['destroyed.mark']);

  await writeFile(cell(REF, 1), saved);
  expect(await first(vault.list(''))).toBeUndefined();
  await expect(vault.latest(REF)).rejects.toMatchObject({ code: 'VAULT_GONE' });
  await vault.destroy(REF);
  expect(await names(REF)).toEqual(['destroyed.mark']);
});

it('a put to a destroyed ref brings nothing to the disk', async () => {
  await vault.destroy(REF);
  const link = jest.spyOn(promises, 'link');
  await expect(vault.put(REF, 1, secret('one'))).rejects.toMatchObject({ code: 'VAULT_GONE' });
  expect(link).not.toHaveBeenCalled();
});

it('a cell linked after its ref was destroyed is taken away again', async () => {
  const { link } = promises;
  jest.spyOn(promises, 'link').mockImplementationOnce(async (from, to) => {
    await vault.destroy(REF);
    await link(from, to);
  });
  await expect(vault.put(REF, 1, secret('one'))).rejects.toMatchObject({ code: 'VAULT_GONE' });
  expect(await names(REF)).toEqual(['destroyed.mark']);
});

it('a ref destroyed while it is read is gone, not unavailable', async () => {
  await vault.put(REF, 1, secret('one'));
  jest.spyOn(promises, 'readFile').mockImplementationOnce(async (file) => {
    await vault.destroy(REF);
    return promises.readFile(file);
  });
  await expect(vault.latest(REF)).rejects.toMatchObject({ code: 'VAULT_GONE' });
});

it('a vault whose volume went away is unavailable: nothing is missing, nothing is written beside it', async () => {
  await vault.put(REF, 1, secret('one'));
  await rename(path, `${path}-unmounted`);
  await mkdir(path);
  const unavailable = { code: 'VAULT_UNAVAILABLE', message: expect.stringContaining('is its volume mounted?') };
  await expect(vault.latest(REF)).rejects.toMatchObject(unavailable);
  await expect(vault.put(REF, 2, secret('two'))).rejects.toMatchObject(unavailable);
  await expect(vault.destroy(REF)).rejects.toMatchObject(unavailable);
  await expect(vault.checkWritable()).rejects.toMatchObject(unavailable);
  await expect(first(vault.list(''))).rejects.toMatchObject(unavailable);
  expect(await readdir(path)).toEqual([]);
});

it('the newest 100 generations are kept, and an older one is not taken again', async () => {
  for (let generation = 1; generation <= 103; generation += 1)
    await vault.put(REF, generation, secret(`${generation}`));
  const kept = await names(REF);
  expect(kept).toHaveLength(100);
  expect(kept).not.toContain('3.cell');
  expect((await vault.latest(REF)).generation).toBe(103);
  await expect(vault.put(REF, 3, secret('3'))).rejects.toMatchObject({ code: 'VAULT_CONFLICT' });
});

it('checkWritable makes no file', async () => {
  const before = await everything();
  await vault.checkWritable();
  expect(await everything()).toEqual(before);
});

it('checkWritable refuses when the disk is almost full, and says so', async () => {
  const space = await promises.statfs(path);
  jest.spyOn(promises, 'statfs').mockResolvedValueOnce({ ...space, bavail: 1 });
  await expect(vault.checkWritable()).rejects.toMatchObject({
    code: 'VAULT_UNAVAILABLE',
    message: 'The vault takes no entries: the disk is full; free space',
  });
  await vault.checkWritable();
});
