/** Deleting an integration or an OAuth client while somebody consents: what is granted too late is revoked, as its client. */
import { clientSecretRef, retireIntegrationWorkflowId, retireWorkflowId } from '../../src/connection/ids';
import type { ConnectionRef } from '../../src/connection/types';
import { isDurableOAuthError } from '../../src/errors';
import { resumeDeletions } from '../../src/housekeeping';
import { startScriptedProvider, type ScriptedProvider } from '../../src/testing/scripted-provider';
import { pizzaVan, saveClient, throughClient } from '../support/component-clients';
import { tellingEndings } from '../support/endings';
import { eventually, Harness, RUNS } from '../support/harness';
import { caller, CALLBACK, complete, saved, view, visit, type Visitor } from '../support/scenes';

const SECRET = 'app-secret-canary';
const PIZZA = 'pizza-secret-canary';

type Saved = ConnectionRef & { integration: string };

describe.each(RUNS)('what is deleted while a consent is under way ($run)', ({ tuning, maxCachedWorkflows }) => {
  let provider: ScriptedProvider;
  let harness: Harness;
  let counter = 0;
  /** What was accepted by the provider and what was destroyed in the vault, in this order. */
  const done: string[] = [];

  const decorate = tellingEndings((what) => void done.push(what));

  beforeAll(async () => {
    provider = await startScriptedProvider({
      clients: { app: { secret: SECRET }, pizza: { secret: PIZZA } },
      tokenLifetime: 3600,
    });
    harness = await Harness.start({
      tuning: { ...tuning, retryBaseMs: 500, consentMs: 20_000, consentLifeMs: 60_000 },
      maxCachedWorkflows,
      decorate,
      secrets: () => provider.issuedSecrets(),
    });
  }, 300_000);
  afterEach(async () => {
    provider.assertLedger();
    await harness.judge();
  });
  afterAll(async () => {
    await harness?.stop();
    await provider?.stop();
  });

  const own = (): Promise<Saved> =>
    saved(harness, {
      at: { issuer: provider.issuer, apiUrl: provider.apiBaseUrl },
      clientSecret: SECRET,
      change: {
        grant_type: 'authorization_code',
        client_id: 'app',
        endpoints: provider.endpoints,
        scope: 'read',
        redirect_uri: CALLBACK,
      },
    });
  async function ofComponent(): Promise<Saved & { client: string }> {
    const [of, client] = [await pizzaVan(harness, `cp_${++counter}`, provider), `oc_${++counter}`];
    const outcome = await saveClient(harness, { component: of, client, secret: PIZZA, audience: [provider.issuer] });
    expect(outcome).toBe('saved');
    return { ...(await saved(harness, throughClient(provider, of, client))), client };
  }
  /** Exchanged, and not confirmed. */
  async function exchanged(ref: ConnectionRef): Promise<{ visitor: Visitor; csrf: string }> {
    const visitor = await visit(harness, ref);
    await harness.parts.consents.callback(visitor.callbackUrl, visitor.cookie);
    const seen = await view(harness, visitor);
    expect(seen?.stage).toBe('waiting_for_confirmation');
    return { visitor, csrf: seen?.csrf ?? '' };
  }
  async function secretOf(ref: ConnectionRef): Promise<string> {
    const { client } = (await harness.parts.registry.connections.context(ref)) ?? {};
    return clientSecretRef(ref.tenant, client?.id ?? '', client?.secretId ?? '');
  }
  const fate = (path: string): Promise<string> =>
    harness.parts.vault.latest(path).then(
      () => 'there',
      (error: unknown) => (isDurableOAuthError(error) ? error.code : 'foreign'),
    );
  const event = (type: string) => ({ type, ...caller });
  async function remove({ tenant, integration }: Saved): Promise<boolean> {
    await harness.parts.registry.integrations.markDeleting(tenant, integration, event('integration.deleting'));
    return harness.parts.connections.retire(tenant, integration, caller, 240_000);
  }
  async function removeClient({ tenant, client }: { tenant: string; client: string }): Promise<boolean> {
    await harness.parts.registry.oauthClients.markDeleting(tenant, client, event('oauth_client.deleting'));
    return harness.parts.oauthClients.retire(tenant, client, true, caller, 240_000);
  }
  /** What the Temporal Web UI shows of it. */
  async function shown(workflowId: string): Promise<string> {
    const handle = harness.parts.temporal.workflow.getHandle(workflowId);
    const { currentDetails = '' } = await handle
      .query<{ currentDetails?: string }>('__temporal_workflow_metadata')
      .catch(() => ({ currentDetails: '' }));
    return currentDetails;
  }
  const timers = async (workflowId: string): Promise<number> =>
    (await harness.history(workflowId)).filter(({ json }) => json.includes('timerStartedEventAttributes')).length;

  it('keeps the secret of its client until that consent has ended: confirmed too late or by nobody, it is revoked as that client', async () => {
    const [confirmed, expired] = [await own(), await ofComponent()];
    const secrets = [await secretOf(confirmed), await secretOf(expired)];
    const { visitor, csrf } = await exchanged(confirmed);
    await exchanged(expired);
    const removed = Promise.all([remove(confirmed), removeClient(expired)]);
    for (const workflowId of [
      retireIntegrationWorkflowId(confirmed.tenant, confirmed.integration),
      retireWorkflowId(expired.tenant, expired.client, true),
    ]) {
      await eventually(
        'what it says of its wait',
        () => shown(workflowId),
        (text) => text.includes('client secret is kept until'),
      );
    }
    expect(await Promise.all(secrets.map(fate))).toEqual(['there', 'there']);
    await harness.parts.consents.confirm(visitor.attempt, visitor.cookie, csrf);

    expect(await removed).toEqual([true, true]);
    for (const [index, client] of ['app', 'pizza'].entries()) {
      const [revoked, destroyed] = [`revoked refresh_token as ${client}`, `destroyed ${secrets[index]}`];
      expect(done.filter((what) => what === revoked || what === destroyed)).toEqual([revoked, destroyed]);
    }
    expect(await Promise.all(secrets.map(fate))).toEqual(['VAULT_GONE', 'VAULT_GONE']);
    for (const ref of [confirmed, expired]) {
      expect(await harness.parts.registry.connections.get(ref)).toMatchObject({ state: 'disconnected', grantId: null });
    }
  }, 300_000);

  it('is gone on with by housekeeping when its run was lost during that wait', async () => {
    const [integration, client] = [await own(), await ofComponent()];
    const secrets = [await secretOf(integration), await secretOf(client)];
    for (const ref of [integration, client]) await visit(harness, ref);
    const { registry, effects, temporal } = harness.parts;
    const { tenant } = harness;
    await registry.integrations.markDeleting(tenant, integration.integration, event('integration.deleting'));
    await registry.oauthClients.markDeleting(tenant, client.client, event('oauth_client.deleting'));
    await effects.drain();
    const lost = [
      { workflowId: retireIntegrationWorkflowId(tenant, integration.integration), deleted: 'integration.deleted' },
      { workflowId: retireWorkflowId(tenant, client.client, true), deleted: 'oauth_client.deleted' },
    ];
    for (const { workflowId } of lost) {
      await eventually(
        'what it says of its wait',
        () => shown(workflowId),
        (text) => text.includes('client secret is kept until'),
      );
      await temporal.workflow.getHandle(workflowId).terminate('lost');
    }
    const told = async (type: string): Promise<number> =>
      (await registry.events.list(tenant, undefined, { size: 1000 })).filter((one) => one.type === type).length;
    const before = await Promise.all(lost.map(({ deleted }) => told(deleted)));

    for (const { workflowId } of lost) {
      await eventually(
        'its next run',
        async () => {
          await resumeDeletions(harness.parts);
          return temporal.workflow.getHandle(workflowId).describe();
        },
        ({ status }) => status.name === 'RUNNING',
      );
    }
    expect(await Promise.all(secrets.map(fate))).toEqual(['there', 'there']);
    for (const { workflowId } of lost) await temporal.workflow.getHandle(workflowId).result();
    expect(await Promise.all(secrets.map(fate))).toEqual(['VAULT_GONE', 'VAULT_GONE']);
    expect(await Promise.all(lost.map(({ deleted }) => told(deleted)))).toEqual(before.map((count) => count + 1));
    expect(await registry.integrations.unfinishedDeletions(10, [tenant])).toEqual([]);
    expect(await registry.oauthClients.unfinishedDeletions(10, [tenant])).toEqual([]);
  }, 300_000);

  it('waits for nothing where no consent can be under way, or where the client stays', async () => {
    const [unused, through] = [await own(), await ofComponent()];
    expect(await complete(harness, await visit(harness, through))).toBe('connected');
    await eventually(
      'its adoption',
      () => harness.parts.registry.connections.get(through),
      (row) => row?.state === 'active',
    );
    for (const ref of [unused, through]) {
      expect(await remove(ref)).toBe(true);
      expect(await timers(retireIntegrationWorkflowId(ref.tenant, ref.integration))).toBe(0);
    }
    expect(await fate(await secretOf(through))).toBe('there');
  }, 300_000);
});
