import { parseRef } from '../src/connection/ids';
import type { Registry } from '../src/registry/contract';
import type { DurableOAuthActivities } from './contract';
import { behindBoundary } from './failure';

/** Project the outcome of a consent: its event. */
export function createRecordConsent(deps: {
  readonly registry: Pick<Registry, 'events'>;
}): DurableOAuthActivities['recordConsent'] {
  return (input) =>
    behindBoundary(async () => {
      const { tenant, connection } = parseRef(input.ref);
      const { consent, code, detail, by, traceId } = input;
      const type = input.outcome === 'connected' ? 'consent.granted' : 'consent.failed';
      await deps.registry.events.append(tenant, connection, { type, by, traceId, facts: { consent, code, detail } });
      return { v: 1 };
    });
}
