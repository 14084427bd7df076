import { parseRef } from '../src/connection/ids';
import type { Registry } from '../src/registry/contract';
import type { DurableOAuthActivities } from './contract';
import { untilDone } from './failure';

/**
 * Use a consent link up: of all attempts that were begun with it, the one that is confirmed first connects. Repeated until
 * the registry takes it; repeating is harmless.
 *
 * @returns whether it was this consent's to use
 */
export function createCompleteConsentLink(deps: {
  readonly registry: Pick<Registry, 'consentLinks'>;
}): DurableOAuthActivities['completeConsentLink'] {
  return ({ ref, link, consent }) =>
    untilDone([], async () => ({
      v: 1,
      used: await deps.registry.consentLinks.complete(parseRef(ref).tenant, link, consent),
    }));
}
