import { parseRef } from '../src/connection/ids';
import { originIn } from '../src/connection/messages';
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
      const { consent, code, detail } = input;
      const type = input.outcome === 'connected' ? 'consent.granted' : 'consent.failed';
      const event = { type, ...originIn(input), facts: { consent, code, detail } };
      await deps.registry.events.append(tenant, connection, event);
      return { v: 1 };
    });
}
