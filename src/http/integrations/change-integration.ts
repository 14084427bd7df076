/** Changing an integration that is saved: what is read at the next use, and what needs its client secret again. */
import type { z } from 'zod';
import type { Caller, Failed } from '../../client/contract';
import type { ChangeIntegrationResult, IntegrationSettings } from '../../connection/messages';
import type { Lang } from '../../connection/reasons';
import { DurableOAuthError } from '../../errors';
import type { Preset } from '../../providers/preset';
import { displayName } from '../../providers/resolve';
import type { IntegrationAndSecret } from '../../registry/contract';
import { Secret } from '../../vault/secret';
import type { AppDeps } from '../deps';
import type { Permission } from '../access/permissions';
import { presetNamed } from './presets';
import { ProblemError, type Problem } from '../problem';
import { failedSave } from './save';
import type { changedDocument, IntegrationChanges } from '../schemas/integration';
import { at, problemsOfForm, problemsOfRotation, problemsOfUrls, scopeOf, URL_ATTRIBUTES } from './settings';

type ChangeMeta = z.output<typeof changedDocument>['meta'];

interface Asking {
  readonly caller: Caller;
  readonly lang: Lang;
  /** @throws FORBIDDEN */
  readonly demand: (permission: Permission) => void;
  /** @throws PRECONDITION_FAILED when this is not what the caller knows */
  readonly match: (row: IntegrationAndSecret) => Promise<void>;
}

export interface Changed {
  readonly row: IntegrationAndSecret;
  /** Present where a client secret was given. */
  readonly proven?: ChangeIntegrationResult['proven'];
  /** Connections that need a new consent. */
  readonly outdated: number;
}

type Url = (typeof URL_ATTRIBUTES)[number];

/** Stored already: a change need not send them. */
const KEPT: readonly (string | undefined)[] = [at('client_secret'), at('refresh_token')];

/**
 * Check and write, in this order; with the write, the integration's connections are to be woken. A client secret is proven
 * and stored by a workflow, which writes the settings with it. Repeating it is harmless.
 * @returns undefined when that, or reading what was made, takes longer than people wait
 * @throws NOT_FOUND, also when it was deleted after the change was made; PRECONDITION_FAILED; FORBIDDEN when an endpoint gets another origin, or the client is a component's,
 *   and the caller may not do that; SAVE_IN_PROGRESS; ProblemError with a pointer for each member that is not allowed, or
 *   with the provider's refusal
 */
export async function changeSettings(
  deps: AppDeps,
  { tenant, id }: { readonly tenant: string; readonly id: string },
  given: IntegrationChanges,
  asking: Asking,
): Promise<Changed | undefined> {
  const row = await known(deps, { tenant, id });
  await asking.match(row);
  const { settings: from, oauthClientId } = row;
  const base = { secretId: row.secretId };
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
    ...problemsOfForm(to, given).filter(({ code, pointer }) => code !== 'MEMBER_MISSING' || !KEPT.includes(pointer)),
    ...problemsOfRotation(to),
    ...problemsOfClient(from, given, ofComponent),
    ...edited.flatMap((name) => problemOfEndpoint(name, from, ofComponent, moved.includes(name))),
  ];
  if (problems.length === 0) problems.push(...problemsOfSecret(from, given, moved));
  if (problems.length > 0) throw new ProblemError(problems);
  const members = Object.keys(given);
  if (given.client_secret !== undefined) {
    const clientSecret = new Secret(given.client_secret);
    const request = { tenant, integration: id, client: oauthClientId, clientSecret, from, base, to, members };
    const outcome = await deps.oauthClients.change(request, asking.caller);
    if (outcome.kind === 'failed') throw refusedChange(outcome, displayName(to, preset), asking.lang);
    if (outcome.kind === 'running') return undefined;
    const now = await known(deps, { tenant, id });
    // Read from memory while the registry is silent: it shows nothing of the change yet.
    return now.secretId === row.secretId ? undefined : { ...outcome, row: now };
  }
  const event = { type: 'integration.changed', ...asking.caller, facts: { integration: id, members } };
  const written = await deps.registry.integrations.change(tenant, id, { from, base, to, event });
  // Somebody else was faster: judged again, on what is there now.
  if (written === undefined) return changeSettings(deps, { tenant, id }, given, asking);
  return { ...written, row: { ...row, settings: to } };
}

/** @throws NOT_FOUND */
async function known(
  { registry }: AppDeps,
  { tenant, id }: { readonly tenant: string; readonly id: string },
): Promise<IntegrationAndSecret> {
  const row = await registry.integrations.get(tenant, id);
  if (row === undefined) throw new DurableOAuthError('NOT_FOUND');
  return row;
}

/** As a failed save: nothing was stored, and the settings are those of before. */
function refusedChange(outcome: Failed, app: string, lang: Lang): Error {
  if (outcome.code === 'NOT_FOUND') return new DurableOAuthError('NOT_FOUND');
  if (outcome.code !== 'PRECONDITION_FAILED') return failedSave(outcome, app, lang);
  const title = 'The integration changed meanwhile';
  const detail =
    'Somebody else changed it at the same time, and nothing of this change was kept: read it and send it again';
  return new ProblemError([{ code: outcome.code, title, detail }]);
}

/** What the answer says beside the integration. */
export function metaOfChange({ proven, outdated }: Changed): ChangeMeta {
  if (outdated === 0) return proven && { proven };
  const detail =
    `Access through this integration was granted for the client ID or the token URL before, and is not sent to the new one: ` +
    `${outdated === 1 ? '1 connection needs' : `${outdated} connections need`} a new consent. ` +
    'What is still valid keeps working until it ends';
  return { proven, warnings: [{ code: 'CONSENT_OUTDATED', detail }] };
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
    client_id: given.client_id ?? from.client_id,
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

function problemsOfClient(from: IntegrationSettings, given: IntegrationChanges, ofComponent: boolean): Problem[] {
  const { client_id, client_secret } = given;
  const another = client_id !== undefined && client_id !== from.client_id;
  if (ofComponent) {
    return [
      ...(another ? [invalid('client_id', OF_COMPONENT)] : []),
      ...(client_secret === undefined ? [] : [invalid('client_secret', OF_COMPONENT)]),
    ];
  }
  if (!another || from.grant_type !== 'refresh_token') return [];
  const detail = `The refresh token that was pasted works for no other client ID, and nobody can consent anew: ${SAVE_ANEW}`;
  return [invalid('client_id', detail)];
}

function problemOfEndpoint(name: Url, from: IntegrationSettings, ofComponent: boolean, moved: boolean): Problem[] {
  const { grant_type: grantType, context_id: contextId } = from;
  if (ofComponent && (name === 'authorization_url' || name === 'token_url')) return [invalid(name, OF_COMPONENT)];
  if (ofComponent && moved) {
    const detail = `Another origin needs the client secret again, which belongs to the OAuth client of a component: ${SAVE_ANEW}`;
    return [invalid(name, detail)];
  }
  if (moved && name === 'token_url' && grantType === 'refresh_token') {
    const detail = `The refresh token that was pasted is sent to no other origin, and nobody can consent anew: ${SAVE_ANEW}`;
    return [invalid(name, detail)];
  }
  const shared = grantType === 'authorization_code' && contextId === undefined && name !== 'api_base_url';
  if (!shared) return [];
  return [invalid(name, `Endpoints other than the provider's own have a redirect URI of their own: ${SAVE_ANEW}`)];
}

/** A secret is sent to no other origin, and as no other client, than it was entered for. */
function problemsOfSecret(from: IntegrationSettings, given: IntegrationChanges, moved: readonly Url[]): Problem[] {
  if (from.client_auth === 'none' || given.client_secret !== undefined) return [];
  const another = given.client_id !== undefined && given.client_id !== from.client_id;
  if (!another && moved.length === 0) return [];
  const detail = another
    ? 'Another client ID needs the client secret that belongs to it'
    : `The client secret was entered for the origins of before; send it again to have it used at the new origin of ${moved.join(', ')}`;
  return [{ code: 'MEMBER_MISSING', status: 422, detail, pointer: at('client_secret') }];
}
