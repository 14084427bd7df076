/**
 * What must follow a change of configuration, at its connections and clients: taken from the outbox until it has happened.
 * A server does it right after the change; a worker every few seconds, for the server may be gone by then.
 */
import type { Caller, Connections, OAuthClients } from './client/contract';
import { originIn } from './connection/messages';
import { isDurableOAuthError } from './errors';
import type { Registry } from './registry/contract';
import type { Effect } from './registry/contract-platform';

export interface Effects {
  /**
   * Let everything that is due happen. An effect that fails comes up again, later each time.
   * @returns how many happened; @throws REGISTRY_UNAVAILABLE
   */
  drain(): Promise<number>;
}

interface EffectsDeps {
  readonly registry: Pick<Registry, 'outbox' | 'oauthClients'>;
  readonly connections: Pick<Connections, 'nudge' | 'retire'>;
  readonly oauthClients: Pick<OAuthClients, 'retire'>;
  /** Undefined = all. */
  readonly tenants?: readonly string[];
}

const BATCH = 20;
/** Longer than an effect takes; who dies with one gives it back by then. */
const LEASE_MS = 15_000;
const PAGE = 100;

export function createEffects(deps: EffectsDeps): Effects {
  const { outbox } = deps.registry;
  return {
    async drain() {
      let happened = 0;
      for (;;) {
        const taken = await outbox.take(BATCH, LEASE_MS, deps.tenants);
        for (const effect of taken) {
          try {
            await happen(deps, effect);
          } catch (error) {
            if (!isDurableOAuthError(error)) throw error;
            continue;
          }
          await outbox.done(effect);
          happened++;
        }
        if (taken.length < BATCH) return happened;
      }
    },
  };
}

async function happen(deps: EffectsDeps, { tenant, kind, subject, facts, ...effect }: Effect): Promise<void> {
  const caller = originIn(effect);
  switch (kind) {
    case 'connection.nudge':
      return deps.connections.nudge(
        { tenant, connection: subject },
        'its configuration changed',
        caller,
        facts['refresh'] === true,
      );
    case 'oauth_client.changed':
      return nudgeUnwell(deps, tenant, subject, caller);
    case 'oauth_client.disconnect':
    case 'oauth_client.remove':
      return void (await deps.oauthClients.retire(tenant, subject, kind === 'oauth_client.remove', caller));
    case 'integration.remove':
      return void (await deps.connections.retire(tenant, subject, caller));
  }
}

/** What the old secret or endpoint kept from working is tried again; what works is left alone. */
async function nudgeUnwell(
  { registry, connections }: EffectsDeps,
  tenant: string,
  client: string,
  caller: Caller,
): Promise<void> {
  for (let after: string | undefined; ;) {
    const ids = await registry.oauthClients.unwell(tenant, client, { size: PAGE, after });
    for (const connection of ids) await connections.nudge({ tenant, connection }, 'its OAuth client changed', caller);
    if (ids.length < PAGE) return;
    after = ids.at(-1);
  }
}
