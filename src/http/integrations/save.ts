/** Saving an integration: the request as the client port takes it, and the outcome as problems in words. */
import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import type { Caller, SaveOutcome, SaveRequest } from '../../client/contract';
import { idFrom } from '../../connection/ids';
import type { AboutConnection, IntegrationSettings } from '../../connection/messages';
import { isReasonCode, type Lang } from '../../connection/reasons';
import { plain, wordReason } from '../../connection/wording';
import { DurableOAuthError, ERRORS } from '../../errors';
import type { Preset } from '../../providers/preset';
import { Secret } from '../../vault/secret';
import { asThrough, contextOfClient, throughComponent } from './component-integration';
import { createConsentLink } from '../connections/consent-links';
import type { AppDeps } from '../deps';
import { ProblemError } from '../problem';
import { presetNamed } from './presets';
import { contextIdOf } from './redirect-uri';
import type { IntegrationAttributes, savedDocument, saveIntegration } from '../schemas/integration';
import { toSettings } from './settings';
import { toIntegration } from './integration-resource';

type Document = z.output<typeof saveIntegration>;
type SavedMeta = z.output<typeof savedDocument>['meta'];

/** How long to wait before looking again whether a save is done. */
export const RUNNING_RETRY_AFTER_SECONDS = 5;

/**
 * Check everything that needs nobody else, and seal the secrets in their type.
 * @throws ProblemError; nothing has been called or stored then
 */
export async function toSaveRequest(
  { data }: Document,
  tenant: string,
  lang: Lang,
  caller: Caller,
  deps: AppDeps,
): Promise<{ save: SaveRequest; preset: Preset }> {
  const named = data.relationships?.component?.data.id;
  const through = named === undefined ? undefined : await throughComponent(deps.registry, tenant, named);
  const attributes = through ? asThrough(data.attributes, through) : data.attributes;
  const preset = await presetNamed(deps, tenant, attributes.preset);
  if (preset === undefined) {
    throw new ProblemError([
      { code: 'MEMBER_INVALID', detail: 'There is no such preset', pointer: '/data/attributes/preset' },
    ]);
  }
  const integration = data.id ?? idFrom('in', randomBytes(17));
  const contextId = through ? contextOfClient(tenant, through.client) : contextIdOf(tenant, integration);
  const settings = { ...toSettings(attributes, preset, contextId, deps.config), fields: attributes.fields };
  const save = {
    tenant,
    integration,
    settings,
    about: aboutOf(attributes, settings, caller),
    clientSecret: secret(data.attributes.client_secret),
    component: through && { id: through.component.id, client: through.client.id },
    refreshToken: secret(attributes.refresh_token),
    lang,
  };
  return { save, preset };
}

/** A machine's connection belongs to nobody, and survives everybody. */
function aboutOf(
  { owner, region, account_role }: IntegrationAttributes,
  { grant_type }: SaveRequest['settings'],
  { by }: Caller,
): AboutConnection {
  if (grant_type !== 'client_credentials') return { owner: owner ?? by, region, account_role };
  if (owner === undefined) return { region, account_role };
  throw new ProblemError([
    { code: 'MEMBER_INVALID', detail: 'A machine has no owner', pointer: '/data/attributes/owner' },
  ]);
}

const secret = (text: string | undefined): Secret | undefined => (text === undefined ? undefined : new Secret(text));

/** @throws ALREADY_EXISTS before anything is sent: a repeated save would spend a pasted refresh token for nothing */
export async function refuseTaken({ registry }: AppDeps, { tenant, integration }: SaveRequest): Promise<void> {
  if (!(await registry.integrations.isTaken(tenant, integration))) return;
  const detail = 'An integration has this id, or had it: the id of one that was deleted stays taken';
  throw new ProblemError([{ code: 'ALREADY_EXISTS', detail, pointer: '/data/id' }]);
}

/** The saved integration; for a code grant with the link that lets a person grant access. */
export async function savedAnswer(
  deps: AppDeps,
  { tenant, integration, settings }: SaveRequest,
  connection: string,
  caller: Caller,
): Promise<z.output<typeof savedDocument>> {
  const row = await deps.registry.integrations.get(tenant, integration);
  if (row === undefined) throw new DurableOAuthError('NOT_FOUND');
  const data = toIntegration(row, [connection]);
  const meta = directoryHint(settings);
  if (settings.grant_type !== 'authorization_code') return { data, meta };
  const link = await createConsentLink(deps, { tenant, connection }, caller);
  const consent_link = { data: { type: link.type, id: link.id } };
  return { data: { ...data, relationships: { ...data.relationships, consent_link } }, included: [link], meta };
}

const MICROSOFT = 'https://login.microsoftonline.com';
/** What Microsoft calls a tenant: the GUID of a directory, or its first domain. */
const DIRECTORY = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z0-9-]+\.onmicrosoft\.com)$/i;

/** Our "Tenant ID" is a customer reference; next to Microsoft people take it for the directory (C29). */
function directoryHint({ customer_reference: given = '', endpoints }: IntegrationSettings): SavedMeta {
  if (!endpoints.token.startsWith(`${MICROSOFT}/`) || !DIRECTORY.test(given)) return undefined;
  const directory = `${MICROSOFT}/${given}/oauth2/v2.0`;
  if (endpoints.token.startsWith(`${MICROSOFT}/${given}/`)) return undefined;
  const detail =
    'Tenant ID was kept as your customer reference and does not choose a directory. To use it as the Microsoft directory, ' +
    `save with token_url ${directory}/token and authorization_url ${directory}/authorize`;
  return { warnings: [{ code: 'TENANT_ID_LOOKS_LIKE_DIRECTORY', detail }] };
}

/** A failed save, with the provider's error in words. */
export function failedSave(
  { code, oauthError, retryAfterSeconds }: Extract<SaveOutcome, { kind: 'failed' }>,
  app: string | undefined,
  lang: Lang,
): ProblemError {
  const meta = { oauth_error: oauthError };
  if (!isReasonCode(code)) return new ProblemError([{ code, meta }], retryAfterSeconds);
  const name = app && plain(app);
  const { title, reason, next } = wordReason(code, lang, { app: name, client: name });
  const detail = [reason, next].filter(Boolean).join(' ');
  // A conflict is about what exists; a save that a provider refused leaves nothing behind.
  const status = ERRORS[code].status === 409 ? 422 : undefined;
  return new ProblemError([{ code, status, title, detail, meta }], retryAfterSeconds);
}
