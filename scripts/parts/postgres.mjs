import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem, run } from '../root.mjs';

const DEBIAN = '/usr/lib/postgresql';
const NEEDED =
  'PostgreSQL 15 or newer is needed, its programs initdb and pg_ctl: apt-get install postgresql, or brew install postgresql.';

/**
 * A throw-away PostgreSQL cluster on a free port of the loopback address.
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>} stop removes it
 */
export async function startPostgres() {
  const bin = await programs();
  const user = account();
  // Not inside another folder of ours: root's are closed to the account that PostgreSQL runs under.
  const folder = mkdtempSync(join(tmpdir(), 'durable-oauth-postgres-'));
  if (user) chownSync(folder, user.uid, user.gid);
  const as = async (program, args) => {
    const command = [join(bin, program), ...args];
    const [first, ...rest] = user
      ? ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...command]
      : command;
    const { code, output } = await run(first, rest, { quiet: true, cwd: folder });
    if (code !== 0) throw new Problem(`${program} failed: ${output.trim() || `exit code ${code}`}`);
  };
  const data = join(folder, 'data');
  const port = await freePort();
  const password = randomBytes(8).toString('hex');
  try {
    await as('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']);
    // Nothing survives this cluster, so nothing need reach the disk.
    const settings = [
      `-p ${port}`,
      '-c listen_addresses=127.0.0.1',
      `-c unix_socket_directories=${folder}`,
      '-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200',
    ];
    await as('pg_ctl', ['-D', data, '-w', '-t', '60', '-l', join(folder, 'log'), '-o', settings.join(' '), 'start']);
  } catch (error) {
    const log = join(folder, 'log');
    if (existsSync(log)) console.error(readFileSync(log, 'utf8'));
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    async stop() {
      await as('pg_ctl', ['-D', data, '-m', 'immediate', '-w', 'stop']);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function programs() {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  for (const version of versions) {
    const bin = join(DEBIAN, version, 'bin');
    if (existsSync(join(bin, 'initdb'))) return bin;
  }
  const { code, output } = await run('pg_config', ['--bindir'], { quiet: true });
  if (code === 0 && existsSync(join(output.trim(), 'initdb'))) return output.trim();
  throw new Problem(NEEDED);
}

/** PostgreSQL refuses to run as root. */
function account() {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found = accounts.find(([name]) => name === 'postgres') ?? accounts.find(([name]) => name === 'nobody');
  if (!found) throw new Problem('PostgreSQL does not run as root, and there is no account "postgres" or "nobody".');
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
