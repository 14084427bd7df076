/** The command line as a person meets it: the built program, wrongly used. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(__dirname, '../../../dist/src/cli/main.js');

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'cli-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function run(args: string, env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args.split(' ')], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...env },
    encoding: 'utf8',
    timeout: 50_000,
  });
  return { status, stdout, stderr };
}

it.each([
  ['an unknown command', 'nonsense', {}, 64, /unknown command 'nonsense'/],
  ['a port that is no number', 'dev --port abc', {}, 64, /number from 0 to 65535/],
  ['a required option left out', 'admin create-key', {}, 64, /--email/],
  ['an unknown role', 'admin create-key --email a@b --tenant t --role king', {}, 64, /Allowed choices are operator/],
  [
    'both a role and all',
    'admin create-key --email a@b --tenant t --role support --operator',
    {},
    64,
    /cannot be used/,
  ],
  ['a key that never was', 'admin create-key --email a@b --tenant t --expires 0', {}, 64, /whole number of days/],
  ['no API key', 'connections list', {}, 78, /No API key: set DURABLE_OAUTH_URL/],
  ['no API key', 'explain acme/cn_1', {}, 78, /No API key/],
  ['a server that is not there', 'connections list', access('http://127.0.0.1:1'), 78, /does not answer: start it/],
  ['a ref that is none', 'explain junk', access('http://127.0.0.1:1'), 78, /named <tenant>\/<connection>/],
  [
    'a doctor with nothing to look at',
    'doctor',
    { DATABASE_URL: 'postgres://127.0.0.1:1/x', TEMPORAL_ADDRESS: '127.0.0.1:1', VAULT_PATH: '/nowhere' },
    78,
    /The registry does not answer/,
  ],
  [
    '--delete-source too early',
    'vault migrate --from directory --to postgres-sealed --delete-source',
    { DATABASE_URL: 'x' },
    78,
    /Set VAULT=postgres-sealed/,
  ],
  ['an unknown driver', 'vault migrate --from directory --to paper', {}, 64, /Allowed choices/],
  ['no database', 'server', {}, 78, /DATABASE_URL: set it/],
  [
    'a silent database',
    'worker',
    { DATABASE_URL: 'postgres://127.0.0.1:1/x' },
    75,
    /Check that the database of DATABASE_URL/,
  ],
])('%s is a sentence and an exit code of its class: %s', (_what, args, env, code, sentence) => {
  const { status, stderr } = run(args, env);
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(status).toBe(code);
});

it('help is no failure', () => {
  const { status, stdout } = run('--help');
  expect(status).toBe(0);
  for (const command of ['dev', 'server', 'worker', 'admin', 'connections', 'explain', 'doctor', 'vault', 'component'])
    expect(stdout).toContain(command);
});

function access(url: string): NodeJS.ProcessEnv {
  return {
    DURABLE_OAUTH_URL: url,
    DURABLE_OAUTH_TENANT: 'acme',
    DURABLE_OAUTH_EMAIL: 'ops@acme.test',
    DURABLE_OAUTH_API_KEY: 'do_x_y',
  };
}
