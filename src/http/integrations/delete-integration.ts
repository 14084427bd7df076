/** Deleting an integration: refused while flows need it, gone for everybody at once, revoked however long that takes. */
import type { Caller } from '../../client/contract';
import { isDurableOAuthError } from '../../errors';
import type { AppDeps } from '../deps';
import { usedByFlows } from '../in-use';

/** How long the revocations are waited for; they go on without the request. */
const WAIT_MS = 10_000;

/** @throws NOT_FOUND; ProblemError IN_USE with the flows that include one of its connections */
export async function deleteIntegration(
  deps: Pick<AppDeps, 'registry' | 'effects' | 'connections'>,
  { tenant, id }: { readonly tenant: string; readonly id: string },
  caller: Caller,
): Promise<void> {
  const { integrations } = deps.registry;
  const event = { type: 'integration.deleting', ...caller, facts: { integration: id } };
  try {
    await integrations.markDeleting(tenant, id, event);
  } catch (error) {
    if (!isDurableOAuthError(error, 'IN_USE')) throw error;
    const use = await integrations.use(tenant, id);
    // Those that stood in the way are gone: judged again.
    if (use.flows.length === 0) return deleteIntegration(deps, { tenant, id }, caller);
    throw usedByFlows('These flows include its connections', use);
  }
  await deps.effects.drain().catch(() => undefined);
  await deps.connections.retire(tenant, id, caller, WAIT_MS).catch(() => undefined);
}
