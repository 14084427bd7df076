/** The presets a caller may name: the shipped ones, and those of the tenant. */
import { isOwnProvider } from '../../connection/ids';
import type { Preset } from '../../providers/preset';
import { findPreset } from '../../providers/resolve';
import type { AppDeps } from '../deps';

/** @param tenant undefined = shipped presets only */
export async function presetNamed(
  { catalogue, registry }: Pick<AppDeps, 'catalogue' | 'registry'>,
  tenant: string | undefined,
  name: string,
): Promise<Preset | undefined> {
  if (!isOwnProvider(name)) return findPreset(catalogue, name);
  const provider = tenant === undefined ? undefined : await registry.providers.get(tenant, name);
  return provider && findPreset(catalogue, name, provider);
}
