/**
 * Our loader beside the sailor's. The sailor asks for JSON and, when a function is called, for something that stands
 * there; durable-oauth asks for more. So what the sailor refuses is refused here, and what only we refuse is listed.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readManifest } from '../../../src/components/manifest';
import { sailorRefusal } from './sailor';

let folder: string;
let files = 0;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'components-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** Node keeps what it has required: a folder for every file. */
async function verdicts(text: string | Buffer): Promise<{ ours: string; sailor: string }> {
  const own = join(folder, String(files++));
  mkdirSync(own);
  writeFileSync(join(own, 'component.json'), text);
  const { manifest } = readManifest(text.toString('utf8'));
  const refusal = await sailorRefusal(own, manifest?.functions ?? functionsOf(text.toString('utf8')));
  return { ours: manifest ? 'accepts' : 'refuses', sailor: refusal === undefined ? 'accepts' : 'refuses' };
}

/** Of a file that we refuse, the functions a flow could call as far as there are any. */
function functionsOf(text: string): { key: string }[] {
  try {
    const { triggers, actions } = JSON.parse(text) as Record<string, Record<string, unknown> | null | undefined>;
    return [...Object.keys(triggers ?? {}), ...Object.keys(actions ?? {})].map((key) => ({ key }));
  } catch {
    return [];
  }
}

const oauth2 = {
  client_id: '',
  client_secret: '',
  auth_uri: 'https://as.example/a',
  token_uri: 'https://as.example/t',
};
const call = { main: './lib/call.js', title: 'Call' };
const json = (value: unknown): string => JSON.stringify(value);

describe('both accept', () => {
  it.each<[string, string | Buffer]>([
    ['an empty object', '{}'],
    ['white space around it', ` \r\n\t${json({ title: 'x' })}\n\n`],
    ['a byte order mark', `\uFEFF${json({ title: 'x' })}`],
    ['a key said twice', '{"title":"a","title":"b"}'],
    ['bytes that are no UTF-8', Buffer.from('{"title":"caf\xe9"}', 'latin1')],
    ['512 KB', json({ title: 'x', description: 'd'.repeat(512 * 1024) })],
    ['members nobody knows', json({ frobnicate: [1, { a: null }], external: true, credentials: { odd: 1 } })],
    ['functions by odd names', json({ triggers: { 'get orders': call, 'a/b~c': call, __proto_: call, '': call } })],
    ['a function called __proto__', `{"actions":{"__proto__":${json(call)}}}`],
    ['a function without main', json({ triggers: { wait: { title: 'Wait' } } })],
    [
      'odd members of functions',
      json({ actions: { a: { ...call, type: 'polling', order: '3', deprecated: 'true' } } }),
    ],
    [
      'metadata of all kinds',
      json({ actions: { a: { ...call, metadata: {} }, b: { ...call, metadata: './m.json' } } }),
    ],
    ['one key in triggers and actions', json({ triggers: { a: call }, actions: { a: call } })],
    ['env as names', json({ env: ['A', 'B'] })],
    ['env as an object, envVars empty', json({ env: { A: { description: 'a' } }, envVars: {} })],
    ['credentials with a name only', json({ credentials: {} })],
    ['credentials without fields', json({ credentials: { fields: {} } })],
    ['the two places of oauth2', json({ oauth2, useOAuthClient: true, credentials: { oauth2, useOAuthClient: true } })],
    [
      'authClientTypes with scopes only',
      json({ authClientTypes: ['oauth2'], credentials: { oauth2: { scopes: ['a'] } } }),
    ],
    ['a variable declared nowhere', json({ oauth2: { ...oauth2, auth_uri: '{{prodEnv}}/auth' } })],
    ['OAuth 1', json({ credentials: { oauth1: { consumer_key: 'k' } } })],
  ])('%s', async (_what, text) => {
    expect(await verdicts(text)).toEqual({ ours: 'accepts', sailor: 'accepts' });
  });
});

describe('both refuse', () => {
  it.each([
    ['an empty file', ''],
    ['no JSON', 'title: x'],
    ['a comment', '{"title":"x"} // mine'],
    ['a comma too many', '{"title":"x",}'],
    ['single quotes', "{'title':'x'}"],
    ['the brace too many of the snippet', '{"useOAuthClient":true}}'],
    ['a cut file', '{"title":"x"'],
    ['null', 'null'],
    ['a trigger that is null', json({ triggers: { a: null } })],
    ['an action that is false', json({ actions: { a: false } })],
    ['an action that is an empty text', json({ actions: { a: '' } })],
  ])('%s', async (_what, text) => {
    expect(await verdicts(text)).toEqual({ ours: 'refuses', sailor: 'refuses' });
  });
});

describe('only durable-oauth refuses, since', () => {
  it.each([
    ['no member of an array or a number could be read', '[]'],
    ['no member of an array or a number could be read', '7'],
    ['functions in an array have no name that stays', json({ actions: [call] })],
    ['a function that is a text has no main', json({ triggers: { a: './lib/a.js' } })],
    ['an action cannot stand in for a trigger that is null', json({ triggers: { a: null }, actions: { a: call } })],
    ['credentials that are a text name no field', json({ credentials: 'oauth' })],
    ['env vars in a text have no names', json({ envVars: 'A' })],
    ['"true" may be meant either way', json({ useOAuthClient: 'true' })],
    ['two answers cannot both be right', json({ useOAuthClient: true, credentials: { useOAuthClient: false } })],
    ['two answers cannot both be right', json({ oauth2, credentials: { oauth2: { ...oauth2, client_id: 'x' } } })],
    ['there is nowhere to ask for a token', json({ oauth2: { ...oauth2, token_uri: undefined } })],
    ['the secret would travel unencrypted', json({ oauth2: { ...oauth2, token_uri: 'http://as.example/t' } })],
    ['a number is no URL', json({ oauth2: { ...oauth2, auth_uri: 5 } })],
    [
      'a guess could send a secret under the wrong name',
      json({ oauth2, envVars: { A_KEY: {}, B_KEY: {}, A_SECRET: {} } }),
    ],
    ['1 MiB is enough', json({ description: 'd'.repeat(1024 * 1024) })],
  ])('%s: %#', async (_reason, text) => {
    expect(await verdicts(text)).toEqual({ ours: 'refuses', sailor: 'accepts' });
  });
});

it('nothing that the sailor refuses is accepted', async () => {
  const functions = fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), fc.record({ main: fc.string() })));
  const member = (known: fc.Arbitrary<unknown>) => fc.option(fc.oneof(known, fc.jsonValue()), { nil: undefined });
  const descriptor = fc.record({ title: member(fc.string()), triggers: member(functions), actions: member(functions) });
  const file = fc.oneof(descriptor.map(json), fc.json(), fc.string());
  await fc.assert(
    fc.asyncProperty(file, async (text) => {
      expect(await verdicts(text)).not.toEqual({ ours: 'accepts', sailor: 'refuses' });
    }),
    { numRuns: 300 },
  );
});
