/** Saving an OAuth client for a component: what is checked before anything is stored, and the outcome as an answer. */
import type { Caller, OAuthClients } from '../../client/contract';
import { variablesIn, fillTemplate } from '../../connection/template';
import { DurableOAuthError, isDurableOAuthError, type ErrorCode } from '../../errors';
import type { Registry } from '../../registry/contract';
import type { ComponentRow } from '../../registry/contract-platform';
import { Secret } from '../../vault/secret';
import type { AppDeps } from '../deps';
import { usedByFlows } from '../in-use';
import { ProblemError, type Problem } from '../problem';
import type { OAuthClientDocument } from '../schemas/oauth-client';
import { isEndpoint } from '../urls';

const END_WAIT_MS = 10_000;
export const COMPONENT_ID = '/data/relationships/component/data/id';

interface Warning {
  readonly code: string;
  readonly detail: string;
}

/**
 * The component an OAuth client is for.
 * @returns undefined when the client has that component already and it is gone: the client can still be changed
 * @throws ProblemError NOT_FOUND when it is not there for this tenant, MEMBER_INVALID when it shows no OAuth at all
 */
export async function componentFor(registry: Registry, tenant: string, id: string): Promise<ComponentRow> {
  const component = await registry.components.accessible(tenant, id);
  if (component === undefined) {
    throw new ProblemError([{ code: 'NOT_FOUND', detail: 'There is no such component', pointer: COMPONENT_ID }]);
  }
  if (component.manifest.oauth2 === undefined) {
    const detail =
      'This component declares no OAuth: its component.json needs "oauth2" with auth_uri and token_uri, and "useOAuthClient": true';
    throw new ProblemError([{ code: 'MEMBER_INVALID', detail, pointer: COMPONENT_ID }]);
  }
  return component;
}

/** @throws ProblemError ALREADY_EXISTS, saying how the credentials in env vars are taken away */
export function refuseLegacy({ client }: ComponentRow): void {
  if (client?.legacy !== true) return;
  const detail =
    'The component takes its OAuth client from env vars: set both variables to null (PATCH …/env-vars), which ends that one, first';
  throw new ProblemError([{ code: 'ALREADY_EXISTS', detail, pointer: COMPONENT_ID }]);
}

/** What the asker should know although nothing is wrong. */
export function warningsFor({ data }: OAuthClientDocument, component: ComponentRow): Warning[] {
  return [
    ...(data.type === 'flow'
      ? [{ code: 'RESOURCE_TYPE_ALIAS', detail: 'The type is "oauth-client"; "flow" is taken as that' }]
      : []),
    ...(component.manifest.useOAuthClient
      ? []
      : [
          {
            code: 'COMPONENT_WITHOUT_USE_OAUTH_CLIENT',
            detail: 'The component does not say "useOAuthClient": true; its flows use env vars until it does',
          },
        ]),
  ];
}

/**
 * Origins of the component's endpoints: the secret is sent to no other.
 * @throws ProblemError naming a variable without value, or an endpoint that is not allowed here
 */
export function audienceFor({ manifest, env }: ComponentRow, allowPrivateNetworks: boolean): string[] {
  const { authUri = '', tokenUri = '' } = manifest.oauth2 ?? {};
  const urls = [authUri, tokenUri].map((uri) => fillTemplate(uri, env));
  const problems = urls.flatMap((url): Problem[] => {
    const [missing] = variablesIn(originPart(url));
    if (missing !== undefined) {
      const detail = `The component's endpoint needs a value for ${missing}`;
      return [{ code: 'MEMBER_INVALID', detail, pointer: COMPONENT_ID }];
    }
    const bare = url.replaceAll(/[{}]/g, '');
    const detail = "The component's endpoint must be an https URL of a host that is allowed here";
    return isEndpoint(bare, allowPrivateNetworks) ? [] : [{ code: 'MEMBER_INVALID', detail, pointer: COMPONENT_ID }];
  });
  if (problems.length > 0) throw new ProblemError(problems);
  return [...new Set(urls.map((url) => new URL(originPart(url)).origin))];
}

/** Scheme and authority; a path may wait for the fields of an integration. */
const originPart = (url: string): string => /^[a-z]+:\/\/[^/?#]*/i.exec(url)?.[0] ?? url;

/**
 * Save through the workflow, and say what became of it.
 * @throws ProblemError, SAVE_IN_PROGRESS, TEMPORAL_UNAVAILABLE
 */
export async function saveOAuthClient(
  { oauthClients, effects }: Pick<AppDeps, 'oauthClients' | 'effects'>,
  request: Omit<Parameters<OAuthClients['save']>[0], 'clientSecret'> & { readonly clientSecret: string },
  caller: Caller,
): Promise<'saved' | 'running'> {
  const outcome = await oauthClients.save({ ...request, clientSecret: new Secret(request.clientSecret) }, caller);
  if (typeof outcome === 'object') throw refusal(outcome.failed, request.update);
  // What follows need not be waited for, and is not lost when nobody does.
  void effects.drain().catch(() => undefined);
  return outcome;
}

function refusal(code: ErrorCode, update: boolean): Error {
  if (code === 'ALREADY_EXISTS') {
    const detail = 'This tenant has an OAuth client for the component already';
    return new ProblemError([{ code, detail, pointer: COMPONENT_ID }]);
  }
  if (code === 'NOT_FOUND' && !update) {
    return new ProblemError([{ code, detail: 'There is no such component', pointer: COMPONENT_ID }]);
  }
  return new DurableOAuthError(code);
}

/**
 * End a client that no flow includes: it is gone for everybody at once; what was granted through it is revoked, then its
 * secrets are destroyed, however long that takes (10 s of it are awaited).
 * @throws ProblemError IN_USE, naming the flows; NOT_FOUND
 */
export async function endOAuthClient(
  { registry, effects, oauthClients }: Pick<AppDeps, 'registry' | 'effects' | 'oauthClients'>,
  tenant: string,
  id: string,
  caller: Caller,
): Promise<void> {
  try {
    const event = { type: 'oauth_client.deleting', ...caller, facts: { oauth_client: id } };
    await registry.oauthClients.markDeleting(tenant, id, event);
  } catch (error) {
    if (isDurableOAuthError(error, 'IN_USE')) throw await usedProblem(registry, tenant, id);
    throw error;
  }
  await effects.drain().catch(() => undefined);
  await oauthClients.retire(tenant, id, true, caller, END_WAIT_MS).catch(() => undefined);
}

/** IN_USE with the flows that stand in the way, by name. */
export async function usedProblem(registry: Registry, tenant: string, id: string): Promise<ProblemError> {
  const use = await registry.oauthClients.use(tenant, id);
  if (use.flows.length > 0) return usedByFlows('These flows include its component', use);
  const detail = 'Integrations use it: delete them first';
  return new ProblemError([{ code: 'IN_USE', detail, meta: { flows: [] } }]);
}
