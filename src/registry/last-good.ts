/** Configuration while the registry is silent: the last good answer. */
import { LRUCache } from 'lru-cache';
import { isDurableOAuthError } from '../errors';
import type { Registry } from './contract';

const ENTRIES = 10_000;

export interface LastGoodOptions {
  /** How old an answer may be, milliseconds (default: any age, as long as it is among the newest 10,000). */
  readonly maxAgeMs?: number;
}

/**
 * Answer `connections.context`, `integrations.get` and `envelopeKeys.list` from memory while the registry is silent, so
 * that what is connected goes on. Only REGISTRY_UNAVAILABLE counts as silence; "there is no such thing" is an answer,
 * is passed on and forgets the last good one. The connection row in a context may then be older than what its workflow
 * knows: its settings are what is wanted.
 * @throws REGISTRY_UNAVAILABLE when there is no last good answer either
 */
export function withLastGood(registry: Registry, options: LastGoodOptions = {}): Registry {
  const { connections, integrations, envelopeKeys } = registry;
  const context = remembering(connections.context, ({ tenant, connection }) => `${tenant}/${connection}`, options);
  const integration = remembering(integrations.get, (tenant, id) => `${tenant}/${id}`, options);
  const keys = remembering(envelopeKeys.list, () => 'all', options);
  return {
    ...registry,
    connections: { ...connections, context },
    integrations: { ...integrations, get: integration },
    envelopeKeys: { ...envelopeKeys, list: keys },
  };
}

function remembering<G extends readonly unknown[], T extends object | undefined>(
  ask: (...given: G) => Promise<T>,
  keyOf: (...given: G) => string,
  { maxAgeMs = 0 }: LastGoodOptions,
): (...given: G) => Promise<T> {
  const good = new LRUCache<string, NonNullable<T>>({ max: ENTRIES, ttl: maxAgeMs, ttlResolution: 0 });
  return async (...given) => {
    const key = keyOf(...given);
    try {
      const answer = await ask(...given);
      if (answer === undefined) good.delete(key);
      else good.set(key, answer);
      return answer;
    } catch (error) {
      const last = isDurableOAuthError(error, 'REGISTRY_UNAVAILABLE') ? good.get(key) : undefined;
      if (last === undefined) throw error;
      return last;
    }
  };
}
