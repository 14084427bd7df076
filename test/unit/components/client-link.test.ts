/** What stands for the client id and secret at a step: by {{VARIABLE}}, or by name (C26). */
import { linkedVariables, readManifest } from '../../../src/components/manifest';

function linksOf(
  client_id: string | undefined,
  client_secret: string | undefined,
  names: readonly string[],
  fields = {},
) {
  const { manifest, findings } = readManifest(
    JSON.stringify({
      title: 'Pizza Van',
      useOAuthClient: true,
      credentials: {
        fields: { oauth: { viewClass: 'OAuthFieldView' }, ...fields },
        oauth2: { client_id, client_secret, auth_uri: 'https://auth_uri', token_uri: 'https://token_uri' },
      },
      envVars: Object.fromEntries(names.map((name) => [name, { required: true }])),
      actions: { order: { main: './lib/order.js' } },
    }),
  );
  return {
    links: manifest && linkedVariables(manifest),
    told: findings.map(({ code, message }) => `${code}: ${message}`),
  };
}

const PIZZAVAN = ['PIZZAVAN_KEY', 'PIZZAVAN_SECRET'];
const both = { clientId: 'PIZZAVAN_KEY', clientSecret: 'PIZZAVAN_SECRET' };

it('a {{VARIABLE}} is the variable, without a remark', () => {
  expect(linksOf('{{PIZZAVAN_KEY}}', '{{PIZZAVAN_SECRET}}', PIZZAVAN)).toEqual({ links: both, told: [] });
  // The OAuth client gives it its value, declared or not.
  expect(linksOf('{{PIZZAVAN_KEY}}', '{{PIZZAVAN_SECRET}}', [])).toEqual({ links: both, told: [] });
});

it('empty values are linked by name, and the explicit form is shown', () => {
  const told = [
    'LINKED_BY_NAME: taken to be the variable PIZZAVAN_KEY: write "client_id": "{{PIZZAVAN_KEY}}"',
    'LINKED_BY_NAME: taken to be the variable PIZZAVAN_SECRET: write "client_secret": "{{PIZZAVAN_SECRET}}"',
  ];
  expect(linksOf('', '', [...PIZZAVAN, 'REGION'])).toEqual({ links: both, told });
  expect(linksOf(undefined, ' ', PIZZAVAN)).toEqual({ links: both, told });
});

it.each([
  [['OAUTH_CLIENT_ID', 'OAUTH_CLIENT_SECRET'], 'OAUTH_CLIENT_ID', 'OAUTH_CLIENT_SECRET'],
  [['KEY', 'SECRET'], 'KEY', 'SECRET'],
  [['MONKEY', 'APP_ID', 'APPSECRET'], 'APP_ID', 'APPSECRET'],
])('of %j the names end in KEY or ID, and in SECRET', (names, clientId, clientSecret) => {
  expect(linksOf('', '', names).links).toEqual({ clientId, clientSecret });
});

it.each([
  ['nothing declared', []],
  ['a key without a secret', ['API_KEY']],
  ['two keys without a secret', ['API_KEY', 'CLIENT_ID']],
  ['a secret without a key', ['WEBHOOK_SECRET']],
])('with %s nothing is linked, and nothing wrong', (_what, names) => {
  expect(linksOf('', '', names)).toEqual({ links: {}, told: [] });
});

it('with several candidates all are named, and the file refused', () => {
  const { links, told } = linksOf('', '', [...PIZZAVAN, 'API_KEY', 'HOOK_SECRET']);
  expect(links).toBeUndefined();
  expect(told).toEqual([
    'LINK_AMBIGUOUS: client_id is empty and several variables could be it: write "{{PIZZAVAN_KEY}}" or "{{API_KEY}}"',
    'LINK_AMBIGUOUS: client_secret is empty and several variables could be it: write "{{PIZZAVAN_SECRET}}" or "{{HOOK_SECRET}}"',
  ]);
});

it('an empty value beside one that is written is linked alone', () => {
  expect(linksOf('{{PIZZAVAN_KEY}}', '', [...PIZZAVAN, 'API_KEY']).links).toEqual(both);
  expect(linksOf('a literal', '', PIZZAVAN).links).toEqual({ clientSecret: 'PIZZAVAN_SECRET' });
});

it('what the person fills in, and what is more than a variable, is no env var', () => {
  expect(linksOf('{{clientId}}', 'x-{{PIZZAVAN_SECRET}}', PIZZAVAN, { clientId: {} }).links).toEqual({});
});
