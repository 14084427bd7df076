/** Consent as a person meets it: REST, pages and callback over real HTTP, in front of everything real. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pino } from 'pino';
import { consentAsPerson, declineAsPerson } from '../../demo/browser';
import { Rest } from '../../demo/rest';
import { claimPorts } from '../../src/cli/dev/ports';
import { connectionWorkflowId, saveWorkflowId } from '../../src/connection/ids';
import { issueKey } from '../../src/cli/create-key';
import { buildApp } from '../../src/http/app';
import { eventually, Harness } from '../support/harness';
import { testClients, testProvider, type TestProvider } from '../support/provider';
import { caller, link, saved } from '../support/scenes';

const SCOPE = 'openid email offline_access orders';
const { clientId, clientSecret } = testClients.code;

describe('consent through the pages', () => {
  let provider: TestProvider;
  let harness: Harness;
  let foreign: ChildProcess;
  let rest: Rest;
  let apiKey: string;
  let publicUrl: string;
  let ownCallback: string;
  let foreignCallback: string;
  let stopApp: () => Promise<void>;
  const logged: string[] = [];

  beforeAll(async () => {
    const [port, foreignPort] = await claimPorts([0, 0]);
    publicUrl = `http://127.0.0.1:${port}`;
    ownCallback = `${publicUrl}/callback`;
    foreignCallback = `http://127.0.0.1:${foreignPort}/oauth/callback`;
    provider = await testProvider({ redirectUris: [ownCallback, foreignCallback] });
    const row = (name: string) => ({
      name,
      title: 'Demo Shop',
      endpoints: { ...pick(provider), issuer: provider.issuer },
      api_base_url: provider.apiUrl,
      scope: { default: SCOPE },
      authorization_params: { prompt: 'consent' },
      rotation: { mode: 'strict' } as const,
    });
    harness = await Harness.start({
      presets: [row('shop')],
      tuning: { jitter: 0 },
      config: { publicUrl, callbackUrl: ownCallback, port, returnOrigins: ['https://flows.acme.example'] },
    });
    const { parts } = harness;
    const app = buildApp({
      ...parts,
      config: { ...parts.config, callbackBase: ownCallback },
      log: pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }),
    });
    await app.listen({ host: '127.0.0.1', port });
    stopApp = () => app.close();
    apiKey = await issueKey(parts.registry, { tenant: harness.tenant, email: 'ops@acme.example' });
    harness.tripwire.watch([apiKey, clientSecret]);
    rest = new Rest({ url: publicUrl, tenant: harness.tenant, email: 'ops@acme.example', key: apiKey });
    foreign = spawn(process.execPath, [join(__dirname, '../../dist/examples/web-callback/server.js')], {
      env: { ...process.env, TEMPORAL_ADDRESS: harness.env.address, PUBLIC_URL: publicUrl, PORT: String(foreignPort) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(foreign.stdout!, 'data');
  }, 120_000);
  afterAll(async () => {
    foreign?.kill();
    await stopApp?.();
    await harness?.stop();
    await provider?.close();
  });

  const save = (change: Record<string, unknown> = {}): Promise<string> =>
    rest.save({
      label: 'Shop',
      grant_type: 'authorization_code',
      preset: 'shop',
      client_id: clientId,
      client_secret: clientSecret,
      ...change,
    });
  const isActive = (id: string) =>
    eventually(
      'active',
      () => rest.connection(id),
      ({ state }) => state === 'active',
    );
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(`${publicUrl}/v2/tenants/${harness.tenant}/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('003-06 the person ends up where they came from, and success is visible', async () => {
    const id = await save();
    const returnTo = `${harness.parts.config.returnOrigins[0]}/flows/7`;
    const answer = await post(`connections/${id}/consent-links`, {
      data: { type: 'consent-link', attributes: { return_to: returnTo } },
    });
    const { data } = (await answer.json()) as { data: { attributes: { url: string } } };
    const landing = await consentAsPerson({ startUrl: data.attributes.url, login: 'ann' });
    expect(landing.html).toContain(returnTo);
    expect(landing.html).toMatch(/connected/i);
    await isActive(id);
    const evil = await post(`connections/${id}/consent-links`, {
      data: { type: 'consent-link', attributes: { return_to: 'https://evil.example/x' } },
    });
    expect(evil.status).toBe(422);
  });

  it('000-14 the connect page shows the redirect URI to register as one selectable field, and an attempt that never came back names it', async () => {
    const id = await save();
    const page = await fetch(await rest.consentLink(id), { headers: { accept: 'text/html' } });
    const html = await page.text();
    expect(html).toMatch(
      new RegExp(`<input[^>]*readonly[^>]*value="${ownCallback}"|value="${ownCallback}"[^>]*readonly`),
    );
    const shown = await fetch(`${publicUrl}/v2/tenants/${harness.tenant}/connections/${id}`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    expect(await shown.text()).toContain(ownCallback);
  });

  it('003-08 a person who declines is told so, and nothing was exchanged', async () => {
    const id = await save();
    const before = (await provider.admin.ledger()).requests;
    const landing = await declineAsPerson({ startUrl: await rest.consentLink(id), login: 'ann' });
    expect(landing.html).toContain('declined');
    expect((await provider.admin.ledger()).requests).toBe(before);
    expect((await rest.connection(id)).state).toBe('pending_consent');
  });

  it('000-07, M-04 the client secret is in no answer, log, event or history of a full life, which named activities tell', async () => {
    const id = await save();
    await consentAsPerson({ startUrl: await rest.consentLink(id), login: 'dan' });
    await isActive(id);
    await harness.parts.connections.revoke({ tenant: harness.tenant, connection: id }, 'over', caller);
    const answers = await Promise.all(
      ['integrations', 'connections', `connections/${id}`].map(async (path) => {
        const answer = await fetch(`${publicUrl}/v2/tenants/${harness.tenant}/${path}`, {
          headers: { authorization: `Bearer ${apiKey}` },
        });
        return answer.text();
      }),
    );
    expect([...answers, ...logged].filter((text) => text.includes(clientSecret) || text.includes(apiKey))).toEqual([]);

    const context = await harness.parts.registry.connections.context({ tenant: harness.tenant, connection: id });
    const ids = [
      saveWorkflowId(harness.tenant, context?.integration.id ?? ''),
      connectionWorkflowId({ tenant: harness.tenant, connection: id }),
    ];
    for await (const one of harness.parts.temporal.workflow.list({ query: 'WorkflowType = "consentWorkflow"' }))
      ids.push(one.workflowId);
    const summaries = new Map<string, string>();
    for (const workflowId of ids) {
      for await (const one of harness.parts.temporal.workflow.list({ query: `WorkflowId = "${workflowId}"` })) {
        const { events } = await harness.parts.temporal.workflow.getHandle(workflowId, one.runId).fetchHistory();
        for (const event of events ?? []) {
          const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
          if (name) summaries.set(name, Buffer.from(event.userMetadata?.summary?.data ?? []).toString());
        }
      }
    }
    for (const name of [
      'validateIntegration',
      'exchangeAuthorizationCode',
      'adoptGrant',
      'revokeGrant',
      'destroySecrets',
    ]) {
      expect([name, summaries.get(name)]).toEqual([name, expect.stringMatching(/^"[A-Z][a-z]+ .+"$/)]);
    }
    await harness.judge();
  });

  it('M-09 a foreign web server delivers the callback in twenty lines', async () => {
    const ref = await saved(harness, {
      at: provider,
      clientSecret,
      change: {
        grant_type: 'authorization_code',
        preset: 'shop',
        endpoints: { ...pick(provider), issuer: provider.issuer },
        client_id: clientId,
        scope: SCOPE,
        redirect_uri: foreignCallback,
        rotation: 'strict',
      },
    });
    const landing = await consentAsPerson({
      startUrl: `${publicUrl}/oauth/start/${await link(harness, ref)}`,
      login: 'eve',
    });
    expect(landing.html).toMatch(/connected/i);
    await isActive(ref.connection);
  });
});

const pick = ({ endpoints }: TestProvider) => ({
  authorization: endpoints.authorization,
  token: endpoints.token,
  revocation: endpoints.revocation,
});
