import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { claimPorts } from '../../../src/cli/dev/ports';
import { locateTemporal, startTemporalDevServer } from '../../../src/cli/dev/temporal-server';

const ROOT = join(__dirname, '../../..');
const DEADLINE_MS = 30_000;

let home: string;
let lines: string[];
const log = (line: string) => void lines.push(line);

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'temporal-cli-'));
  lines = [];
});
afterEach(() => rmSync(home, { recursive: true }));

const bin = () => join(home, 'bin');
const cache = () => join(home, 'cache/durable-oauth/temporal-cli/v1.5.1');
const CLI_1_29 = `console.log('temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)')`;

/** A machine with nothing on it: no Temporal, no Go, no internet. */
const bare = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  HOME: home,
  XDG_CACHE_HOME: join(home, 'cache'),
  PATH: bin(),
  HTTPS_PROXY: 'http://127.0.0.1:9',
  ...more,
});

function program(path: string, script: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!${process.execPath}\n${script}\n`, { mode: 0o755 });
  return path;
}

/** A `go` that builds a CLI once `release` exists, and counts how often it was asked to. */
function fakeGo(build = `write('#!/bin/sh')`): void {
  program(
    join(bin(), 'go'),
    `const fs = require('node:fs');
     const home = ${JSON.stringify(home)};
     const write = (content) => fs.writeFileSync(process.env.GOBIN + '/temporal', content, { mode: 0o755 });
     if (process.argv[2] === 'env') console.log('go1.26.8');
     else {
       fs.appendFileSync(home + '/builds', process.argv.slice(2).join(' ') + '\\n');
       const wait = () => (fs.existsSync(home + '/release') ? (${build}) : setTimeout(wait, 20));
       wait();
     }`,
  );
}
const release = () => writeFileSync(join(home, 'release'), '');
const builds = () => readFileSync(join(home, 'builds'), 'utf8').trim().split('\n');

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; !condition(); await pause(20)) {
    if (Date.now() > deadline) throw new Error(`not in time: ${String(condition)}`);
  }
}

function locateElsewhere(): { child: ChildProcess; said: () => string; ended: Promise<unknown> } {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/temporal.mjs')], { env: bare(), stdio: 'pipe' });
  let text = '';
  child.stderr.on('data', (chunk) => (text += chunk));
  return { child, said: () => text, ended: once(child, 'close') };
}

describe('where a Temporal server comes from', () => {
  it('TEMPORAL_ADDRESS wins over everything', async () => {
    program(join(bin(), 'temporal'), CLI_1_29);
    const env = bare({ TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_CLI_PATH: join(bin(), 'temporal') });
    expect(await locateTemporal({ log, env })).toEqual({ kind: 'address', address: 'temporal.example:7233' });
    expect(lines.join()).toContain('TEMPORAL_ADDRESS');
  });

  it('TEMPORAL_CLI_PATH wins over PATH, PATH over the cache, the cache over a build', async () => {
    const named = program(join(home, 'elsewhere/temporal'), CLI_1_29);
    const onPath = program(join(bin(), 'temporal'), CLI_1_29);
    const cached = program(join(cache(), 'temporal'), CLI_1_29);
    fakeGo();

    const found: unknown[] = [];
    found.push(await locateTemporal({ log, env: bare({ TEMPORAL_CLI_PATH: named }) }));
    found.push(await locateTemporal({ log, env: bare() }));
    rmSync(onPath);
    found.push(await locateTemporal({ log, env: bare() }));
    rmSync(cached);
    release();
    found.push(await locateTemporal({ log, env: bare() }));

    expect(found).toEqual([named, onPath, cached, cached].map((path) => ({ kind: 'executable', path })));
    expect(builds()).toEqual([expect.stringContaining('github.com/temporalio/cli/cmd/temporal@v1.5.1')]);
    expect(lines.join('\n')).toContain('about 7 minutes');
  });

  it('a TEMPORAL_CLI_PATH that is no Temporal CLI is said, not passed over', async () => {
    program(join(cache(), 'temporal'), CLI_1_29);
    const wrong = program(join(home, 'wrong'), 'console.log("hello")');
    await expect(locateTemporal({ log, env: bare({ TEMPORAL_CLI_PATH: wrong }) })).rejects.toThrow(wrong);
    await expect(locateTemporal({ log, env: bare({ TEMPORAL_CLI_PATH: join(home, 'nowhere') }) })).rejects.toThrow(
      'is not an executable file',
    );
  });

  it('a CLI on PATH whose server is too old is passed over', async () => {
    program(join(bin(), 'temporal'), `console.log('temporal version 1.0.0 (Server 1.24.2, UI 2.28.0)')`);
    const cached = program(join(cache(), 'temporal'), CLI_1_29);
    expect(await locateTemporal({ log, env: bare() })).toEqual({ kind: 'executable', path: cached });
  });

  it('the error names every way and what each lacked', async () => {
    const message = await locateTemporal({ log, env: bare() }).catch((error: Error) => error.message);
    for (const way of [
      'TEMPORAL_ADDRESS is not set',
      'TEMPORAL_CLI_PATH is not set',
      'not on PATH',
      `the cache has no ${join(cache(), 'temporal')}`,
      "the SDK's download failed",
      'there is no Go',
      'Go >= 1.25',
    ]) {
      expect(message).toContain(way);
    }
  });

  it('Go before 1.25 is not tried', async () => {
    program(join(bin(), 'go'), `console.log('go1.24.13')`);
    await expect(locateTemporal({ log, env: bare() })).rejects.toThrow('this is go1.24.13');
  });
});

describe('building the CLI', () => {
  it('two processes build once: the second says whom it waits for', async () => {
    fakeGo();
    const first = locateElsewhere();
    await until(() => existsSync(join(home, 'builds')));
    const second = locateElsewhere();
    await until(() => second.said().includes('waiting for it'));
    expect(second.said()).toContain(`process ${first.child.pid} `);
    release();

    expect(await Promise.all([first.ended, second.ended])).toEqual([
      [0, null],
      [0, null],
    ]);
    expect(builds()).toHaveLength(1);
    expect(second.said()).toContain(join(cache(), 'temporal'));
  });

  it('a builder that was killed blocks nobody and leaves nothing that looks like a CLI', async () => {
    fakeGo();
    const killed = locateElsewhere();
    await until(() => existsSync(join(home, 'builds')));
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect(existsSync(join(cache(), 'temporal'))).toBe(false);

    release();
    expect(await locateTemporal({ log, env: bare() })).toMatchObject({ kind: 'executable' });
    expect(builds()).toHaveLength(2);
    expect(readdirSync(cache())).toEqual(['temporal']);
  });

  it('a build that fails half-way is not used', async () => {
    fakeGo(`write('half'), console.error('no space left'), process.exit(1)`);
    release();
    await expect(locateTemporal({ log, env: bare() })).rejects.toThrow('no space left');
    expect(readdirSync(cache())).toEqual([]);
  });

  it('an interruption ends the build and gives up the lock', async () => {
    fakeGo();
    const interrupted = locateElsewhere();
    await until(() => existsSync(join(home, 'builds')));
    interrupted.child.kill('SIGTERM');
    expect(await interrupted.ended).toEqual([1, null]);
    expect(interrupted.said()).toContain('Interrupted');
    expect(readdirSync(cache())).toEqual([]);
  });
});

describe('the dev server', () => {
  const executable = async () => {
    const located = await locateTemporal({ log, env: { ...process.env, TEMPORAL_ADDRESS: undefined } });
    if (located.kind !== 'executable') throw new Error('unreachable: no address is given');
    return located.path;
  };

  it('answers when started, keeps its file in WAL mode, and is gone when stopped', async () => {
    const dbFile = join(home, 'temporal.db');
    const server = await startTemporalDevServer({ executable: await executable(), dbFile, fastTimers: true, log });
    try {
      expect(server.address).toMatch(/^127\.0\.0\.1:\d+$/);
      expect((await fetch(server.uiUrl ?? '')).status).toBe(200);
      expect(existsSync(`${dbFile}-wal`)).toBe(true);
    } finally {
      await Promise.all([server.stop(), server.stop()]);
    }
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
  });

  it('is gone when its supervisor is, however that ended', async () => {
    const guard = join(ROOT, 'assets/run-while-supervised.mjs');
    const program = 'console.log(process.pid); setInterval(() => undefined, 1000)';
    const supervise = `require('child_process').spawn(process.execPath, ${JSON.stringify([guard, process.execPath, '-e', program])},
      { stdio: ['pipe', 'inherit', 'inherit'] }); setInterval(() => undefined, 1000)`;
    const supervisor = spawn(process.execPath, ['-e', supervise], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(supervisor.stdout, 'data')) as [Buffer];
    const pid = Number(String(said));
    process.kill(pid, 0);
    supervisor.kill('SIGKILL');
    const lives = (): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    const end = Date.now() + DEADLINE_MS;
    while (lives() && Date.now() < end) await pause(20);
    expect(lives()).toBe(false);
  });

  it('a port in use is a sentence that names it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    try {
      const starting = startTemporalDevServer({ executable: await executable(), port, headless: true, log });
      await expect(starting).rejects.toThrow(`Port ${port} is in use`);
    } finally {
      other.close();
    }
  });

  it('a server that ends while starting is quoted', async () => {
    const dbFile = join(home, 'missing', 'temporal.db');
    const starting = startTemporalDevServer({ executable: await executable(), dbFile, headless: true, log });
    await expect(starting).rejects.toMatchObject({
      code: 'TEMPORAL_UNAVAILABLE',
      message: expect.stringContaining('database file') as unknown,
    });
  });

  it('an abort while starting ends the process', async () => {
    const signal = AbortSignal.abort();
    await expect(
      startTemporalDevServer({ executable: await executable(), headless: true, log, signal }),
    ).rejects.toThrow('aborted');
  });

  it('free ports claimed together differ', async () => {
    const ports = await claimPorts([0, 0, 0, 0]);
    expect(new Set(ports).size).toBe(4);
  });
});
