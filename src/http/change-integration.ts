/** Changing an integration that is saved: what is read at the next use, and what would need its secret again. */
import type { Caller } from '../client/contract';
import type { IntegrationSettings } from '../connection/messages';
import { DurableOAuthError } from '../errors';
import type { Preset } from '../providers/preset';
import type { IntegrationRow } from '../registry/contract';
import type { AppDeps } from './deps';
import type { Permission } from './permissions';
import { presetNamed } from './presets';
import { ProblemError, type Problem } from './problem';
import type { IntegrationChanges } from './schemas/integration';
import { at, problemsOfForm, problemsOfRotation, problemsOfUrls, scopeOf, URL_ATTRIBUTES } from './settings';

interface Asking {
  readonly caller: Caller;
  /** @throws FORBIDDEN */
  readonly demand: (permission: Permission) => void;
}

type Url = (typeof URL_ATTRIBUTES)[number];

/** Stored already: a change need not send them. */
const KEPT: readonly (string | undefined)[] = [at('client_secret'), at('refresh_token')];

/**
 * Check and write, in this order; with the write, the integration's connections are to be woken. Repeating it is harmless.
 * @throws NOT_FOUND; FORBIDDEN when an endpoint gets another origin, or the client is a component's, and the caller may
 *   not do that; ProblemError with a pointer for each member that is not allowed
 */
export async function changeSettings(
  deps: AppDeps,
  { tenant, id }: { readonly tenant: string; readonly id: string },
  given: IntegrationChanges,
  asking: Asking,
): Promise<IntegrationRow> {
  const row = await deps.registry.integrations.get(tenant, id);
  if (row === undefined) throw new DurableOAuthError('NOT_FOUND');
  const { settings: from, oauthClientId } = row;
  const preset = await presetNamed(deps, tenant, from.preset);
  if (preset === undefined) throw new DurableOAuthError('OAUTH_CLIENT_UNUSABLE', undefined, { preset: from.preset });
  const to = changed(from, given, preset);
  const edited = URL_ATTRIBUTES.filter((name) => urlsOf(from)[name] !== urlsOf(to)[name]);
  const client = await deps.registry.oauthClients.get(tenant, oauthClientId);
  const ofComponent = row.component !== null || (client !== undefined && client.component !== null);
  if (ofComponent && (edited.length > 0 || changesClient(from, given))) asking.demand('tenants.oauth_clients.edit');
  const moved = edited.filter((name) => isMoved(name, from, to));
  if (moved.length > 0) asking.demand('tenants.integrations.edit_endpoints');
  const problems = [
    ...problemsOfUrls(given, deps.config),
    ...problemsOfForm(to, {}).filter(({ pointer }) => !KEPT.includes(pointer)),
    ...problemsOfRotation(to),
    ...problemsOfClient(from, given, ofComponent),
    ...edited.flatMap((name) => problemOfEndpoint(name, from, ofComponent, moved.includes(name))),
  ];
  if (problems.length > 0) throw new ProblemError(problems);
  const facts = { integration: id, members: Object.keys(given) };
  const event = { type: 'integration.changed', ...asking.caller, facts };
  // Somebody else was faster: judged again, on what is there now.
  if (!(await deps.registry.integrations.change(tenant, id, { from, to, event }))) {
    return changeSettings(deps, { tenant, id }, given, asking);
  }
  return { ...row, settings: to };
}

function changed(from: IntegrationSettings, given: IntegrationChanges, preset: Preset): IntegrationSettings {
  const { endpoints } = from;
  return {
    ...from,
    label: given.label ?? from.label,
    endpoints: {
      authorization: given.authorization_url ?? endpoints.authorization,
      token: given.token_url ?? endpoints.token,
      revocation: orRemoved(given.revocation_url, endpoints.revocation),
      identity: orRemoved(given.identity_url, endpoints.identity),
      issuer: orRemoved(given.issuer, endpoints.issuer),
    },
    scope: given.scope === undefined ? from.scope : scopeOf(given.scope, preset),
    api_base_url: given.api_base_url ?? from.api_base_url,
    customer_reference: orRemoved(given.tenant_id, from.customer_reference),
    environment: given.environment ?? from.environment,
    rotation: given.rotation ?? from.rotation,
    rotation_grace_seconds: given.rotation_grace_seconds ?? from.rotation_grace_seconds,
    policy: { ...from.policy, ...given.policy },
  };
}

const orRemoved = <T>(given: T | null | undefined, kept: T | undefined): T | undefined =>
  given === null ? undefined : (given ?? kept);

const urlsOf = ({ endpoints, api_base_url }: IntegrationSettings): Readonly<Record<Url, string | undefined>> => ({
  authorization_url: endpoints.authorization,
  token_url: endpoints.token,
  revocation_url: endpoints.revocation,
  identity_url: endpoints.identity,
  api_base_url,
  issuer: endpoints.issuer,
});

/** Whether secrets, tokens or people would be sent to another origin; a new endpoint belongs where tokens are requested. */
function isMoved(name: Url, from: IntegrationSettings, to: IntegrationSettings): boolean {
  const [before = from.endpoints.token, after] = [urlsOf(from)[name], urlsOf(to)[name]];
  if (after === undefined) return false;
  return !URL.canParse(after) || new URL(after).origin !== new URL(before).origin;
}

function changesClient(from: IntegrationSettings, { client_id, client_secret }: IntegrationChanges): boolean {
  return client_secret !== undefined || (client_id !== undefined && client_id !== from.client_id);
}

const SAVE_ANEW = 'save a new integration, and revoke the connections of this one';
const OF_COMPONENT = 'Belongs to the component of the integration or its OAuth client, and is changed there';

const invalid = (attribute: Url | 'client_id' | 'client_secret', detail: string): Problem => ({
  code: 'MEMBER_INVALID',
  detail,
  pointer: at(attribute),
});

/** The server writes nothing into the vault: id and secret are proven and stored by a save. */
function problemsOfClient(from: IntegrationSettings, given: IntegrationChanges, ofComponent: boolean): Problem[] {
  const detail = ofComponent
    ? OF_COMPONENT
    : `The OAuth client of an integration is not changed in place: ${SAVE_ANEW}`;
  const { client_id, client_secret } = given;
  return [
    ...(client_id === undefined || client_id === from.client_id ? [] : [invalid('client_id', detail)]),
    ...(client_secret === undefined ? [] : [invalid('client_secret', detail)]),
  ];
}

function problemOfEndpoint(name: Url, from: IntegrationSettings, ofComponent: boolean, moved: boolean): Problem[] {
  if (ofComponent && (name === 'authorization_url' || name === 'token_url')) return [invalid(name, OF_COMPONENT)];
  if (moved) {
    return [invalid(name, `Another origin needs the client secret again, which is not taken here: ${SAVE_ANEW}`)];
  }
  const shared = from.grant_type === 'authorization_code' && from.context_id === undefined && name !== 'api_base_url';
  if (!shared) return [];
  return [invalid(name, `Endpoints other than the provider's own have a redirect URI of their own: ${SAVE_ANEW}`)];
}
