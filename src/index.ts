/** Door `durable-oauth` for Node: configuration, composition, workers, plugin, ports. */
import { connectionInterceptor } from '../activities/with-connection';
import { compose, type Composition } from './compose';
import { readConfig } from './config';
import { startHousekeeping } from './housekeeping';
import { DurableOAuthPlugin } from './plugin';
import { createWorkers } from './workers';

/**
 * Make the worker plugin from the environment: our workers run beside yours, in your process.
 *
 * ```ts
 * const worker = await Worker.create({ taskQueue, workflowsPath, plugins: [await durableOAuthPlugin()] });
 * ```
 * @throws CONFIGURATION_INVALID, REGISTRY_UNAVAILABLE, VAULT_UNAVAILABLE, TEMPORAL_UNAVAILABLE
 */
export async function durableOAuthPlugin(env: NodeJS.ProcessEnv = process.env): Promise<DurableOAuthPlugin> {
  return pluginOf(await compose(readConfig(env)));
}

/** Make the worker plugin from parts you composed yourself. */
export function pluginOf(parts: Composition): DurableOAuthPlugin {
  return new DurableOAuthPlugin({
    interceptor: connectionInterceptor({
      tokens: parts.tokens,
      api: parts.apiCaller,
      connections: parts.registry.connections,
      catalogue: parts.catalogue,
    }),
    async startWorkers(where) {
      const housekeeping = await startHousekeeping(parts, () => undefined);
      const [first, ...others] = await createWorkers(parts, where);
      if (first === undefined) return [];
      // Housekeeping lives as long as the first of our workers.
      const run = (): Promise<void> => first.run().finally(() => housekeeping.stop());
      return [{ run, shutdown: () => first.shutdown(), getState: () => first.getState() }, ...others];
    },
  });
}

export { compose, type ComposeOptions, type Composition, type Ports } from './compose';
export { readConfig, type Config } from './config';
export { startHousekeeping, type Housekeeping } from './housekeeping';
export { DurableOAuthPlugin } from './plugin';
export { createWorkers, type WorkersOptions } from './workers';
export { createCatalogue } from './providers/catalogue';
export type { Catalogue, Preset, PresetInput } from './providers/preset';
export type { Vault, VaultCapabilities, VaultEntry } from './vault/port';
export { Secret } from './vault/secret';
export { DurableOAuthError, isDurableOAuthError, type ErrorCode } from './errors';
