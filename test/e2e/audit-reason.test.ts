/** Why a person asked stands in the log beside who and in which trace, whatever writes the event: a server or a workflow. */
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { issueKey } from '../../src/cli/create-key';
import { buildApp } from '../../src/http/app';
import type { EventRow } from '../../src/registry/contract';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { pizzaVan } from '../support/component-clients';
import { eventually, Harness } from '../support/harness';
import { view, visit } from '../support/scenes';

const OPS = 'ops@acme.example';
const REASON = 'ticket 7: el cliente lo pidió';
const SECRET = 'robot-secret-canary-1';
const APPLICATION = 'https://shop.example';

interface Document {
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
}

let provider: ScriptedProvider;
let harness: Harness;
let app: ReturnType<typeof buildApp>;
let auth: string;

beforeAll(async () => {
  const clients = { robot: { secret: SECRET }, app: { secret: 'app-secret-canary' } };
  provider = await startScriptedProvider({ clients });
  harness = await Harness.start({
    tuning: { jitter: 0, retryBaseMs: 500 },
    // Every task replays from the start.
    maxCachedWorkflows: 0,
    config: { returnOrigins: [APPLICATION] },
    secrets: () => provider.issuedSecrets(),
  });
  const { parts, tenant } = harness;
  const config = { ...parts.config, callbackBase: parts.config.callbackUrl };
  app = buildApp({ ...parts, config, log: pino({ level: 'silent' }) });
  const key = await issueKey(parts.registry, { tenant, email: OPS });
  harness.tripwire.watch([key, SECRET, 'app-secret-canary']);
  auth = `Bearer ${key}`;
}, 120_000);
afterEach(async () => {
  provider.changeClientSecret('robot', SECRET);
  provider.assertLedger();
  await harness.judge();
});
afterAll(async () => {
  await app?.close();
  await harness?.stop();
  await provider?.stop();
});

/** A request with a reason and a trace of its own. */
async function because(
  method: 'POST' | 'PATCH' | 'DELETE',
  path: string,
  type?: string,
  attributes?: object,
  more: object = {},
): Promise<{ status: number; data: Document; trace: string }> {
  const trace = randomBytes(16).toString('hex');
  const answer = await app.inject({
    method,
    url: `/v2/tenants/${harness.tenant}${path}`,
    headers: {
      authorization: auth,
      traceparent: `00-${trace}-00f067aa0ba902b7-01`,
      'audit-reason': Buffer.from(REASON).toString('latin1'),
    },
    payload: type === undefined ? undefined : { data: { type, attributes, ...more } },
  });
  const { data } = (answer.body ? answer.json() : {}) as { data: Document };
  return { status: answer.statusCode, data, trace };
}

/** The events of a trace, once these are among them; each of them says who and why. */
async function told(trace: string, ...types: string[]): Promise<void> {
  const rows = await eventually(
    types.join(', '),
    async () => {
      const all: readonly EventRow[] = await harness.parts.registry.events.list(harness.tenant, undefined, {
        size: 1000,
      });
      return all.filter(({ traceId }) => traceId === trace);
    },
    (found) => types.every((type) => found.some((row) => row.type === type)),
  );
  expect(rows.filter(({ by, facts }) => by !== OPS || facts?.['audit_reason'] !== REASON)).toEqual([]);
}

const shop = () => ({
  label: 'Shop',
  token_url: provider.endpoints.token,
  revocation_url: provider.endpoints.revocation,
  api_base_url: provider.apiBaseUrl,
});

/** An integration of a machine. @returns it with its connection */
async function saved(): Promise<{ id: string; connection: string; trace: string }> {
  const attributes = { ...shop(), grant_type: 'client_credentials', client_id: 'robot', client_secret: SECRET };
  const { status, data, trace } = await because('POST', '/integrations', 'integration', attributes);
  expect(status).toBe(201);
  const [row] = await harness.parts.registry.connections.list(harness.tenant, { size: 1 }, { integration: data.id });
  return { id: data.id, connection: row?.id ?? '', trace };
}

it('of saving an integration, and of a change that is kept or refused', async () => {
  const { id, trace } = await saved();
  await told(trace, 'integration.saved');
  const refused = await because('PATCH', `/integrations/${id}`, 'integration', { client_secret: 'wrong-canary' });
  expect(refused.status).toBe(422);
  await told(refused.trace, 'integration.change_refused');
  const next = 'robot-secret-canary-2';
  provider.changeClientSecret('robot', next);
  harness.tripwire.watch([next]);
  const changed = await because('PATCH', `/integrations/${id}`, 'integration', { client_secret: next });
  expect(changed.status).toBe(200);
  await told(changed.trace, 'integration.changed');
}, 90_000);

it('of deleting an integration: its connections are revoked for the same reason', async () => {
  const { id } = await saved();
  const deleted = await because('DELETE', `/integrations/${id}`);
  expect(deleted.status).toBe(204);
  await told(deleted.trace, 'integration.deleting', 'connection.frozen', 'integration.deleted');
}, 90_000);

it('of a refresh by hand and of a revocation, to its end', async () => {
  const { connection } = await saved();
  const refreshed = await because('POST', `/connections/${connection}/refreshes`);
  expect(refreshed.status).toBe(200);
  await told(refreshed.trace, 'connection.refresh_asked');
  const revoked = await because('POST', `/connections/${connection}/revocations`);
  expect([revoked.status, revoked.data.attributes['reason']]).toEqual([200, REASON]);
  await told(revoked.trace, 'connection.frozen', 'grant.destroyed');
}, 90_000);

it('of making, changing and deleting the OAuth client of a component', async () => {
  const component = await pizzaVan(harness, 'cp_pizza', provider);
  const relationships = { component: { data: { type: 'component', id: component } } };
  const attributes = { client_id: 'app', client_secret: 'app-secret-canary' };
  const made = await because('POST', '/oauth-clients', 'oauth-client', attributes, { relationships });
  expect(made.status).toBe(201);
  await told(made.trace, 'oauth_client.created');
  const path = `/oauth-clients/${made.data.id}`;
  const changed = await because('PATCH', path, 'oauth-client', attributes, { id: made.data.id, relationships });
  expect(changed.status).toBe(200);
  await told(changed.trace, 'oauth_client.changed');
  const deleted = await because('DELETE', path);
  expect(deleted.status).toBe(204);
  await told(deleted.trace, 'oauth_client.deleting', 'oauth_client.deleted');
}, 90_000);

it('of a consent, from its link to the grant', async () => {
  const { status, data } = await because('POST', '/integrations', 'integration', {
    ...shop(),
    grant_type: 'authorization_code',
    authorization_url: provider.endpoints.authorization,
    client_id: 'app',
    client_secret: 'app-secret-canary',
    scope: 'read',
  });
  expect(status).toBe(201);
  const [row] = await harness.parts.registry.connections.list(harness.tenant, { size: 1 }, { integration: data.id });
  const ref = { tenant: harness.tenant, connection: row?.id ?? '' };
  const terms = { mode: 'session', return_to: `${APPLICATION}/done` };
  const link = await because('POST', `/connections/${ref.connection}/consent-links`, 'consent-link', terms);
  expect(link.status).toBe(201);
  await told(link.trace, 'consent_link.created');
  const token = link.data.attributes['url']?.split('/').at(-1) ?? '';
  harness.tripwire.watch([token]);
  const visitor = await visit(harness, ref, 'ann', token);
  await harness.parts.consents.callback(visitor.callbackUrl, visitor.cookie);
  const onward = new URL((await view(harness, visitor))?.onward ?? APPLICATION).searchParams;
  const asked = { consent: onward.get('consent'), confirmation_code: onward.get('confirmation_code') };
  const confirmed = await because('POST', `/connections/${ref.connection}/confirmations`, 'confirmation', asked);
  expect(confirmed.status).toBe(201);
  await told(confirmed.trace, 'consent.granted', 'grant.adopted');
}, 90_000);
