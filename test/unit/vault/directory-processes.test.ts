import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { openDirectoryVault } from '../../../src/vault/directory';
import { directoryKeyFromText } from '../../../src/vault/directory-key';
import { Secret, type VaultSecret } from '../../../src/vault/secret';

const REF = 'grant/acme/cn_1/gr_1';
const SCRIPT = join(__dirname, '..', '..', 'support', 'vault-process.js');
const keyText = randomBytes(32).toString('base64');

let folder: string;
let path: string;
const children: ChildProcessByStdio<Writable, Readable, null>[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'durable-oauth-'));
  path = join(folder, 'vault');
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  }
  await rm(folder, { recursive: true });
});

interface Putter {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly lines: Interface;
  go(): void;
}

async function startPutter(name: string, count: number): Promise<Putter> {
  const child = spawn(process.execPath, [SCRIPT, path, name, String(count)], {
    env: { ...process.env, VAULT_KEY: keyText },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  return { child, lines, go: () => void child.stdin.write('go\n') };
}

async function outcomes(putter: Putter): Promise<Map<number, string>> {
  const seen = new Map<number, string>();
  for await (const line of putter.lines) {
    const [generation, outcome = ''] = line.split(' ');
    seen.set(Number(generation), outcome);
  }
  return seen;
}

it('of three processes that race for a cell exactly one wins, a hundred times', async () => {
  const names = ['one', 'two', 'three'];
  const putters = await Promise.all(names.map((name) => startPutter(name, 100)));
  const ends = Promise.all(putters.map(outcomes));
  for (const putter of putters) putter.go();
  const seen = await ends;

  const vault = await openDirectoryVault({ path, key: directoryKeyFromText(keyText) });
  for (let generation = 1; generation <= 100; generation += 1) {
    const answers = seen.map((end) => end.get(generation));
    expect([...answers].sort()).toEqual(['VAULT_CONFLICT', 'VAULT_CONFLICT', 'stored']);
    const winner = names[answers.indexOf('stored')] ?? '';
    const won: VaultSecret = {
      kind: 'client_secret',
      clientSecret: new Secret(`${winner}-${generation}`),
      audience: [],
    };
    await expect(vault.put(REF, generation, won)).resolves.toBe('same');
  }
});

it('a process killed while it writes loses nothing it was told is stored', async () => {
  const putter = await startPutter('one', 100_000);
  let stored = 0;
  putter.lines.on('line', (line) => {
    stored = Number(line.split(' ')[0]);
    if (stored === 60) putter.child.kill('SIGKILL');
  });
  const killed = once(putter.child, 'exit');
  putter.go();
  await killed;

  const vault = await openDirectoryVault({ path, key: directoryKeyFromText(keyText) });
  const { generation, secret } = await vault.latest(REF);
  expect(generation).toBeGreaterThanOrEqual(stored);
  expect(secret.kind === 'client_secret' && secret.clientSecret.reveal()).toBe(`one-${generation}`);
  expect((await readdir(join(path, 'drafts'))).length).toBeLessThanOrEqual(1);
  await expect(vault.put(REF, generation + 1, secret)).resolves.toBe('stored');
});
