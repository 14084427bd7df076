import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { directoryKeyFromFile, directoryKeyFromText } from '../../../src/vault/directory-key';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'durable-oauth-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('a key is 32 bytes in base64 or base64url, blanks around it ignored', () => {
  const bytes = randomBytes(32);
  for (const text of [bytes.toString('base64'), bytes.toString('base64url'), ` ${bytes.toString('base64')}\n`]) {
    expect(directoryKeyFromText(text).export().equals(bytes)).toBe(true);
  }
});

it.each([
  '',
  'secret',
  randomBytes(31).toString('base64'),
  randomBytes(33).toString('base64'),
  randomBytes(32).toString('hex'),
])('anything else is refused, and not repeated', (text) => {
  let failure: unknown;
  try {
    directoryKeyFromText(text);
  } catch (error) {
    failure = error;
  }
  expect(failure).toMatchObject({ code: 'CONFIGURATION_INVALID', message: expect.stringContaining('openssl rand') });
  if (text !== '') expect(inspect(failure)).not.toContain(text);
});

it('a key does not show its bytes', () => {
  const text = randomBytes(32).toString('base64');
  const key = directoryKeyFromText(text);
  const shown = inspect(key, { depth: 9, showHidden: true }) + JSON.stringify(key);
  expect(shown).not.toContain(text);
});

it('a key file is made on first use, for its owner alone, and found again', async () => {
  const path = join(folder, 'deep', 'vault.key');
  const made = await directoryKeyFromFile(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, 'deep'))).toEqual(['vault.key']);
  expect((await directoryKeyFromFile(path)).equals(made)).toBe(true);
  expect(directoryKeyFromText(await readFile(path, 'utf8')).equals(made)).toBe(true);
});

it('many first users get one key', async () => {
  const path = join(folder, 'vault.key');
  const [first, ...others] = await Promise.all(Array.from({ length: 16 }, () => directoryKeyFromFile(path)));
  for (const other of others) expect(first?.equals(other)).toBe(true);
});

it.each([0o640, 0o604])('a key file others may read is refused with the command that helps', async (mode) => {
  const path = join(folder, 'vault.key');
  await directoryKeyFromFile(path);
  await chmod(path, mode);
  await expect(directoryKeyFromFile(path)).rejects.toMatchObject({
    code: 'CONFIGURATION_INVALID',
    message: `Others than its owner may read the vault key file; run: chmod 600 ${path}`,
  });
});

it('a key file without a key is refused and left as it is', async () => {
  const path = join(folder, 'vault.key');
  await writeFile(path, 'half a k', { mode: 0o600 });
  await expect(directoryKeyFromFile(path)).rejects.toMatchObject({
    code: 'CONFIGURATION_INVALID',
    message: expect.stringContaining('restore it from a backup'),
  });
  expect(await readFile(path, 'utf8')).toBe('half a k');
});
