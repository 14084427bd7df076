import { parseRef } from '../src/connection/ids';
import type { Registry } from '../src/registry/contract';
import type { DurableOAuthActivities } from './contract';
import { behindBoundary } from './failure';

/** Project the outcome of a consent: its event, and the link as used up when it was completed. Repeating is harmless. */
export function createRecordConsent(deps: {
  readonly registry: Pick<Registry, 'events' | 'consentLinks'>;
}): DurableOAuthActivities['recordConsent'] {
  return (input) =>
    behindBoundary(async () => {
      const { tenant, connection } = parseRef(input.ref);
      const { consent, code, detail, by, traceId } = input;
      if (input.outcome === 'connected' && input.link !== undefined) {
        await deps.registry.consentLinks.complete(tenant, input.link);
      }
      const type = input.outcome === 'connected' ? 'consent.granted' : 'consent.failed';
      await deps.registry.events.append(tenant, connection, { type, by, traceId, facts: { consent, code, detail } });
      return { v: 1 };
    });
}
