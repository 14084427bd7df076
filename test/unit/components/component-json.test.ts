import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { linkedVariables, readManifest } from '../../../src/components/manifest';
import { sailorRefusal } from './sailor';

const root = join(__dirname, '..', '..', '..');
const text = readFileSync(join(root, 'component.json'), 'utf8');

it('M-07 the root component.json is accepted by both readers, with useOAuthClient at top level and its endpoints', async () => {
  const { findings, manifest } = readManifest(text);
  expect(findings).toEqual([]);
  expect(await sailorRefusal(root, manifest!.functions)).toBeUndefined();
  expect(JSON.parse(text)).toMatchObject({ useOAuthClient: true });
  expect(manifest).toMatchObject({
    useOAuthClient: true,
    oauthField: 'oauth',
    oauth2: {
      authUri: 'https://accounts.google.com/o/oauth2/v2/auth',
      tokenUri: 'https://oauth2.googleapis.com/token',
      scopes: ['openid', 'email'],
    },
    functions: [{ key: 'sendRequest', kind: 'action', title: 'Send an authorised request' }],
  });
  expect(linkedVariables(manifest!)).toEqual({ clientId: 'OAUTH_CLIENT_ID', clientSecret: 'OAUTH_CLIENT_SECRET' });
});

it('the form that the documentation shows gets no remark', () => {
  const page = readFileSync(join(root, 'docs', 'component-json.md'), 'utf8');
  const example = /```json\n(.*?)```/s.exec(page)![1]!;
  expect(readManifest(example)).toMatchObject({ findings: [], manifest: { useOAuthClient: true } });
});

it('every action of component.json has a source with a process function', async () => {
  const { actions } = JSON.parse(text) as { actions: Record<string, { main: string }> };
  for (const { main } of Object.values(actions)) {
    const source = join(root, main.replace('./dist/', '').replace(/\.js$/, ''));
    const module = (await import(source)) as { process: unknown };
    expect(typeof module.process).toBe('function');
  }
});
