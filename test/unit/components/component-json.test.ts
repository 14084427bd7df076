import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const root = join(__dirname, '..', '..', '..');

const descriptor = z.object({
  title: z.string(),
  useOAuthClient: z.literal(true),
  credentials: z.object({
    oauth2: z.object({ auth_uri: z.url(), token_uri: z.url(), client_id: z.string(), client_secret: z.string() }),
  }),
  envVars: z.record(z.string(), z.object({ required: z.boolean(), description: z.string() })),
  actions: z.record(
    z.string(),
    z.object({ title: z.string(), main: z.string(), metadata: z.object({ in: z.object({}), out: z.object({}) }) }),
  ),
});

it('the root component.json is a valid descriptor that takes its OAuth client from the tenant', () => {
  const component = descriptor.parse(JSON.parse(readFileSync(join(root, 'component.json'), 'utf8')));
  for (const text of [component.credentials.oauth2.client_id, component.credentials.oauth2.client_secret]) {
    expect(Object.keys(component.envVars)).toContain(/^\{\{(\w+)\}\}$/.exec(text)?.[1]);
  }
});

it('every action of component.json has a source with a process function', async () => {
  const { actions } = descriptor.parse(JSON.parse(readFileSync(join(root, 'component.json'), 'utf8')));
  for (const { main } of Object.values(actions)) {
    const source = join(root, main.replace('./dist/', '').replace(/\.js$/, ''));
    const module = (await import(source)) as { process: unknown };
    expect(typeof module.process).toBe('function');
  }
});
