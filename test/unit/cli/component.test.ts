/** `component validate` as a person runs it: the built program, with no server and no configuration. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(__dirname, '../../../dist/src/cli/main.js');
const oauth2 = { client_id: '', client_secret: '', auth_uri: 'https://auth_uri', token_uri: 'https://token_uri' };
const PIZZAVAN = {
  title: 'Pizza Van',
  useOAuthClient: true,
  credentials: { fields: { oauth: { viewClass: 'OAuthFieldView' } }, oauth2 },
  envVars: { PIZZAVAN_KEY: { required: true }, PIZZAVAN_SECRET: { required: true } },
  actions: { order: { main: './lib/order.js' } },
};

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'cli-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function validate(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'component', 'validate', ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    input,
    encoding: 'utf8',
    timeout: 50_000,
  });
  return { status, stdout, stderr };
}

it('prints a line for each finding, and warnings are no failure', () => {
  writeFileSync(join(folder, 'component.json'), JSON.stringify(PIZZAVAN));
  expect(validate(['component.json'])).toEqual({
    status: 0,
    stdout: [
      'warning  /credentials/oauth2/client_id: taken to be the variable PIZZAVAN_KEY: write "client_id": "{{PIZZAVAN_KEY}}" (LINKED_BY_NAME)',
      'warning  /credentials/oauth2/client_secret: taken to be the variable PIZZAVAN_SECRET: write "client_secret": "{{PIZZAVAN_SECRET}}" (LINKED_BY_NAME)',
      '',
    ].join('\n'),
    stderr: '',
  });
});

it.each([[[]], [['-']]])('reads standard input with %j', (args) => {
  const { status, stdout } = validate(args, JSON.stringify({ ...PIZZAVAN, envVars: {} }));
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'nothing to remark\n' });
});

it('ends with the exit code of what is refused, here as JSON', () => {
  const { status, stdout } = validate(['--json'], JSON.stringify({ ...PIZZAVAN, envVars: {}, useOAuthClient: 'true' }));
  expect(status).toBe(78);
  expect(JSON.parse(stdout)).toEqual([
    {
      severity: 'error',
      code: 'NOT_A_BOOLEAN',
      pointer: '/useOAuthClient',
      message: 'true or false is needed here, not a string',
    },
  ]);
});

it('refuses what is no JSON or too large, and points at the whole', () => {
  expect(validate([], '{')).toMatchObject({
    status: 78,
    stdout: expect.stringMatching(/^error {4}"": not valid JSON/),
  });
  expect(validate([], `"${'x'.repeat(3 * 1024 * 1024)}"`)).toMatchObject({
    status: 78,
    stdout: 'error    "": larger than 1048576 bytes (TOO_LARGE)\n',
  });
});

it.each(['missing.json', '.'])('says that %s cannot be read', (file) => {
  const { status, stderr } = validate([file]);
  expect(stderr).toBe(`durable-oauth: The file cannot be read [file=${file}] (NOT_FOUND)\n`);
  expect(status).toBe(78);
});
