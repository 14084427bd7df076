/** Changes of integrations as a server asks for them, and what is left of each: in registry, vault and log. */
import type { ChangeOutcome } from '../../src/client/contract';
import { clientSecretRef } from '../../src/connection/ids';
import type { IntegrationBase, IntegrationSettings } from '../../src/connection/messages';
import type { ConnectionRef } from '../../src/connection/types';
import type { EventRow, IntegrationAndSecret } from '../../src/registry/contract';
import { Secret } from '../../src/vault/secret';
import type { Harness } from './harness';
import { caller } from './scenes';

export type Saved = ConnectionRef & { integration: string };
export type Change = Partial<Omit<IntegrationSettings, 'endpoints'>> & {
  endpoints?: Partial<IntegrationSettings['endpoints']>;
};
/** What it is now, where a test does not say otherwise. */
export interface Judged {
  readonly from?: IntegrationSettings;
  readonly base?: IntegrationBase;
}

export async function integrationOf({ parts }: Harness, { tenant, integration }: Saved): Promise<IntegrationAndSecret> {
  const row = await parts.registry.integrations.get(tenant, integration);
  if (row === undefined) throw new Error(`There is no integration ${integration}`);
  return row;
}

/** Ask for another client secret, and what changes with it. */
export async function askForChange(
  harness: Harness,
  ref: Saved,
  { secret, to = {}, judged = {} }: { readonly secret: string; readonly to?: Change; readonly judged?: Judged },
): Promise<ChangeOutcome> {
  harness.tripwire.watch([secret]);
  const { settings, oauthClientId, secretId } = await integrationOf(harness, ref);
  const request = {
    tenant: ref.tenant,
    integration: ref.integration,
    client: oauthClientId,
    clientSecret: new Secret(secret),
    from: settings,
    base: { secretId },
    ...judged,
    to: { ...settings, ...to, endpoints: { ...settings.endpoints, ...to.endpoints } },
    members: ['client_secret', ...Object.keys(to)],
  };
  return harness.parts.oauthClients.change(request, caller);
}

/** What the vault and the registry hold of the client's secrets. */
export async function heldOf(harness: Harness, ref: Saved) {
  const { vault, registry } = harness.parts;
  const { settings, oauthClientId: client } = await integrationOf(harness, ref);
  const { tenant } = ref;
  const refs: string[] = [];
  for await (const one of vault.list(`client/${tenant}/${client}/`)) refs.push(one);
  const secretId = (await registry.oauthClients.get(tenant, client))?.secretId ?? '';
  const { secret } = await vault.latest(clientSecretRef(tenant, client, secretId));
  return { settings, refs: refs.sort(), current: secret.kind === 'client_secret' && secret.clientSecret.reveal() };
}

/** What the log says of its changes. */
export async function toldOf(
  { parts }: Harness,
  { tenant, integration }: Saved,
): Promise<Pick<EventRow, 'type' | 'by' | 'traceId' | 'facts'>[]> {
  const events = await parts.registry.events.list(tenant, undefined, { size: 500 });
  const mine = events.filter(({ type, facts }) => type.includes('.change') && facts?.['integration'] === integration);
  return mine.map(({ type, by, traceId, facts }) => ({ type, by, traceId, facts }));
}
