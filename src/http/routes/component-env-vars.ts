/**
 * `PATCH /v2/tenants/{T}/components/{id}/env-vars`: values of the variables that a component.json declares. The two that
 * stand for an OAuth client of a component without useOAuthClient become one, its secret goes to the vault; unset, they end
 * it as DELETE ends an OAuth client.
 */
import { newId } from '../../client/connections';
import type { Caller } from '../../client/contract';
import { DurableOAuthError } from '../../errors';
import type { ComponentRow } from '../../registry/contract-platform';
import { auditEvent } from '../access/audit';
import { callerOf } from '../access/auth';
import { ownComponent, toComponent } from '../components/component-resources';
import type { App, AppDeps } from '../deps';
import { readEnvVars, type EnvChanges } from '../components/env-vars';
import { audienceFor, endOAuthClient, saveOAuthClient } from '../components/oauth-clients';
import { ProblemError } from '../problem';
import { changedEnvDocument, changeEnvVars } from '../schemas/component';
import { resourcePath } from '../schemas/document';
import { savingOAuthClient } from '../schemas/oauth-client';

const RETRY_AFTER_SECONDS = 5;
const ATTRIBUTES = '/data/attributes';

export function componentEnvRoutes(app: App, deps: AppDeps): void {
  const { registry, effects } = deps;

  app.route({
    method: 'PATCH',
    url: '/tenants/:tenant/components/:id/env-vars',
    config: { permission: 'tenants.components.edit', conditional: false },
    schema: {
      params: resourcePath,
      body: changeEnvVars,
      response: { 200: changedEnvDocument, 202: savingOAuthClient },
    },
    handler: async (request, reply) => {
      const { tenant, id } = request.params;
      const caller = callerOf(request);
      const event = auditEvent(request, 'component.env_changed', { component: id });
      const before = await ownComponent(registry, tenant, id);
      const { env, client } = readEnvVars(before.manifest, request.body.data.attributes);
      if (client !== undefined) refuseUnfit(before);
      if (client === null && before.client) await endOAuthClient(deps, tenant, before.client.id, caller);
      // First: the client is for the endpoints as they are then, and is not suspended by the values it came with.
      const { originChanged } = await registry.components.setEnv(tenant, id, env, event);
      void effects.drain().catch(() => undefined);
      const after = await ownComponent(registry, tenant, id);
      const saving = client && (await saveLegacyClient(deps, after, client, caller));
      if (saving) return reply.code(202).header('retry-after', RETRY_AFTER_SECONDS).send({ meta: saving });
      const data = toComponent(await ownComponent(registry, tenant, id), tenant);
      return { data, meta: { clients_suspended: originChanged && client === undefined } };
    },
  });
}

function refuseUnfit({ access, client }: ComponentRow): void {
  if (access === 'global') {
    throw new DurableOAuthError('IN_USE', 'A global component takes its OAuth client from each tenant: useOAuthClient');
  }
  if (client?.legacy === false) {
    const detail = 'There is an OAuth client for the component: change that one';
    throw new ProblemError([{ code: 'ALREADY_EXISTS', detail, pointer: ATTRIBUTES }]);
  }
}

/** @returns what is still being saved */
async function saveLegacyClient(
  deps: AppDeps,
  component: ComponentRow,
  given: NonNullable<EnvChanges['client']>,
  caller: Caller,
): Promise<{ status: 'saving'; oauth_client: string } | undefined> {
  const { tenant, id, client } = component;
  const save = { tenant, client: client?.id ?? newId('oc'), component: id, ...given, legacy: true };
  try {
    const audience = audienceFor(component, deps.config.allowPrivateNetworks);
    const outcome = await saveOAuthClient(deps, { ...save, audience, update: client !== null }, caller);
    return outcome === 'saved' ? undefined : { status: 'saving', oauth_client: save.client };
  } catch (error) {
    // The same is said of a document that names a component.
    if (!(error instanceof ProblemError)) throw error;
    throw new ProblemError(error.problems.map((problem) => ({ ...problem, pointer: ATTRIBUTES })));
  }
}
